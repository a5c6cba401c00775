/** A bell: whoever waits learns that something may have happened since it last looked, not what. */

/** Rings for all who wait. */
export class Wake {
  #turn = 0
  #waiting = new Set<() => void>()

  /** Take it before looking, and hand it to {@link after}: what happens in between is not missed. */
  get turn(): number {
    return this.#turn
  }

  ring(): void {
    this.#turn++
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const tell of waiting) tell()
  }

  /** Resolves once it has rung after that turn, the signal is aborted, or the time is over. */
  after(turn: number, signal: AbortSignal, ms?: number): Promise<void> {
    if (turn !== this.#turn || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(done, ms)
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
