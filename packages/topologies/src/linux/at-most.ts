/** Keeps what is open at once within limits: of a thousand questions that are asked together only so many go out. */

/** So many places; who comes when all are taken waits in line. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  giveBack(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

/** Runs work, at most so much of it at a time; the rest waits in line. */
export type AtMost = <T>(work: () => Promise<T>) => Promise<T>

/** Makes an {@link AtMost}. */
export function atMost(count: number): AtMost {
  const slots = new Slots(count)
  return async (work) => {
    await slots.take()
    try {
      return await work()
    } finally {
      slots.giveBack()
    }
  }
}
