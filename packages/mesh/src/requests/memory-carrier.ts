/** Carries requests within one process: for tests, simulations, and an agent that lives in the command itself. */
import type { Carrier, Listening, Serve } from './carrier.ts'
import { agentUnreachable } from './errors.ts'

/** A place where agents listen and are asked. */
export class MemoryCarrier implements Carrier {
  readonly #agents = new Map<string, { readonly serve: Serve; readonly signal: AbortSignal }>()

  listen(agent: string, serve: Serve): Listening {
    const closed = new AbortController()
    this.#agents.set(agent, { serve, signal: closed.signal })
    const close = async () => {
      if (this.#agents.get(agent)?.serve === serve) this.#agents.delete(agent)
      closed.abort()
    }
    return { close, [Symbol.asyncDispose]: close }
  }

  /** One message at a time: the agent goes on when the asker comes for the next. */
  async *exchange(agent: string, message: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const there = this.#agents.get(agent)
    if (!there || there.signal.aborted || signal.aborted) throw agentUnreachable(agent)
    const left = new AbortController()
    const ended = AbortSignal.any([signal, left.signal, there.signal])
    const line = new Line(ended)
    void there
      .serve(message.slice(), { send: (reply) => line.put(reply.slice()), signal: ended })
      .then(() => line.end())
    try {
      for (let come = await line.take(); come; come = await line.take()) yield come
    } finally {
      left.abort()
    }
  }
}

/** Room for one message. */
class Line {
  readonly #signal: AbortSignal
  #message: Uint8Array | undefined
  #isOver = false
  #tell: () => void = () => {}
  #changed: Promise<void> = Promise.resolve()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.#renew()
    signal.addEventListener('abort', () => this.#change(), { once: true })
  }

  async put(message: Uint8Array): Promise<void> {
    while (this.#message && !this.#signal.aborted) await this.#changed
    this.#signal.throwIfAborted()
    this.#message = message
    this.#change()
  }

  async take(): Promise<Uint8Array | undefined> {
    while (!this.#message && !this.#isOver && !this.#signal.aborted) await this.#changed
    const message = this.#message
    this.#message = undefined
    this.#change()
    return message
  }

  end(): void {
    this.#isOver = true
    this.#change()
  }

  #change(): void {
    const tell = this.#tell
    this.#renew()
    tell()
  }

  #renew(): void {
    this.#changed = new Promise((resolve) => {
      this.#tell = resolve
    })
  }
}
