/** A clock that costs no time: it jumps to the next moment that anybody waits for as soon as nothing else is to be done. */
import type { Clock } from '../engine/contract.ts'

interface Sleeper {
  readonly until: number
  wake(): void
}

/**
 * Time under a test's control. By itself it advances when the process has nothing else to do; with `{ manual: true }`
 * only by {@link advance}.
 */
export class VirtualClock implements Clock {
  #now = 0
  #jumping = false
  readonly #manual: boolean
  readonly #sleepers = new Set<Sleeper>()

  constructor({ manual = false }: { readonly manual?: boolean } = {}) {
    this.#manual = manual
  }

  /** In milliseconds since the clock was made. */
  now(): number {
    return this.#now
  }

  /** How many wait. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const sleeper = {
        until: this.#now + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.add(sleeper)
      if (!this.#manual) this.#jumpWhenIdle()
    })
  }

  /** Lets time pass, and wakes in order whoever waited for a moment in it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (let next = this.#next(); next && next.until <= end; next = this.#next()) {
      this.#wake(next)
      await idle()
    }
    this.#now = end
  }

  #jumpWhenIdle(): void {
    if (this.#jumping) return
    this.#jumping = true
    void idle().then(() => {
      this.#jumping = false
      const next = this.#next()
      if (!next) return
      this.#wake(next)
      if (this.#sleepers.size > 0) this.#jumpWhenIdle()
    })
  }

  #wake(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper)
    this.#now = Math.max(this.#now, sleeper.until)
    sleeper.wake()
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.#sleepers) if (!first || sleeper.until < first.until) first = sleeper
    return first
  }
}

/** Resolves when all promises that can settle have, and one turn of the event loop has passed. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
