/** A limit for waiting that does not run while a person thinks. */
export class Patience {
  #leftMs: number
  #since = 0
  #pauses = 0
  #pausedSince = 0
  #pausedMs = 0
  #timer: NodeJS.Timeout | undefined
  #over: (() => void) | undefined
  #idle = Promise.withResolvers<void>()

  constructor(limitMs: number) {
    this.#leftMs = limitMs
    this.#idle.resolve()
  }

  /** When nothing pauses it any more. */
  get idle(): Promise<void> {
    return this.#idle.promise
  }

  /** How long it was paused, in milliseconds. */
  get pausedMs(): number {
    return this.#pausedMs
  }

  /** Calls back when the limit is over. */
  start(over: () => void): void {
    this.#over = over
    this.#run()
  }

  /** Does something whose time does not count. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pauses++ === 0) this.#hold()
    try {
      return await work()
    } finally {
      if (--this.#pauses === 0) {
        this.#pausedMs += performance.now() - this.#pausedSince
        this.#idle.resolve()
        this.#run()
      }
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#over = undefined
  }

  #hold(): void {
    clearTimeout(this.#timer)
    this.#idle = Promise.withResolvers()
    this.#pausedSince = performance.now()
    if (this.#over) this.#leftMs -= this.#pausedSince - this.#since
  }

  #run(): void {
    const over = this.#over
    if (!over) return
    this.#since = performance.now()
    this.#timer = setTimeout(over, Math.max(0, this.#leftMs))
  }
}
