/**
 * Ctrl-C. Before anything is written the first one ends the command. While steps run the first one lets them finish
 * and starts nothing new; the second, or 30 s, aborts them.
 */
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Io, StopSignal } from './io.ts'

/** How long steps that run may take to finish after the first signal. */
const graceMs = 30_000
/** How long reading may take to end, so that locks are given back in order. */
const patienceMs = 2_000

/** What signals mean to the command that runs. */
export class Interrupts {
  readonly #io: Io
  readonly #reading = new AbortController()
  readonly #stop = new AbortController()
  readonly #abort = new AbortController()
  readonly #lost = Promise.withResolvers<never>()
  #applying = false
  #faulted = false
  #say: (text: string) => void = () => {}
  #timer: NodeJS.Timeout | undefined
  #off: (() => void) | undefined

  constructor(io: Io) {
    this.#io = io
    this.#lost.promise.catch(() => {}) // nobody may be waiting
  }

  /** Whether steps run, or have run. */
  get applying(): boolean {
    return this.#applying
  }

  /** Aborts as soon as the command is to end: for everything that only reads. */
  get reading(): AbortSignal {
    return this.#reading.signal
  }

  /** Nothing new starts. */
  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** What runs is aborted. */
  get abort(): AbortSignal {
    return this.#abort.signal
  }

  get interrupted(): boolean {
    return this.#reading.signal.aborted || this.#stop.signal.aborted
  }

  /** Rejects when the command is to end although it does not. */
  get givenUp(): Promise<never> {
    return this.#lost.promise
  }

  /** Listens from now on. */
  listen(): void {
    this.#off ??= this.#io.onSignal((signal) => this.#on(signal))
  }

  /**
   * Leaves signals to the system from now on. While other people's code is being loaded: if that spins, no handler of
   * ours would ever run, and Ctrl-C would do nothing.
   */
  deafen(): void {
    this.#off?.()
    this.#off = undefined
  }

  /** From now on steps run. @throws HarmonyError `interrupted` when it was interrupted meanwhile. */
  startApplying(say: (text: string) => void): void {
    this.throwIfInterrupted()
    this.#applying = true
    this.#say = say
  }

  /** Somebody else's code failed where nobody catches it. Nothing is begun then; what has begun is finished. */
  fault(error: HarmonyError): void {
    this.#faulted = true
    if (!this.#applying) this.#lost.reject(error)
  }

  get faulted(): boolean {
    return this.#faulted
  }

  throwIfInterrupted(): void {
    if (this.interrupted) throw interruption()
  }

  /** No timer and no handler is left. */
  close(): void {
    clearTimeout(this.#timer)
    this.deafen()
  }

  #on(signal: StopSignal): void {
    if (!this.#applying) {
      if (this.#reading.signal.aborted) this.#lost.reject(interruption())
      this.#reading.abort(interruption())
      this.#timer ??= setTimeout(() => this.#lost.reject(interruption()), patienceMs)
      return
    }
    if (!this.#stop.signal.aborted) {
      this.#say(
        `${signal === 'SIGINT' ? 'Interrupted' : `Told to stop (${signal})`}: nothing new starts, what runs may take ${graceMs / 1000} s to finish. Once more aborts it.`,
      )
      this.#stop.abort(interruption())
      this.#timer = setTimeout(() => this.#abort.abort(interruption()), graceMs)
    } else if (!this.#abort.signal.aborted) {
      this.#say('Aborting what runs.')
      this.#abort.abort(interruption())
    } else this.#lost.reject(interruption())
  }
}

/** The error of a command that was interrupted. */
export function interruption(): HarmonyError {
  return new HarmonyError('interrupted', 'interrupted')
}
