/** Keeps what is open at once within limits: of a thousand questions that are asked together only so many go out. */

/** Runs work, at most so much of it at a time; the rest waits in line. */
export type AtMost = <T>(work: () => Promise<T>) => Promise<T>

/** Makes an {@link AtMost}. */
export function atMost(count: number): AtMost {
  let free = count
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
