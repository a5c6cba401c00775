/**
 * Makes one request of what many ask for at the same time. What is asked for while nobody has been heard for a moment
 * goes together; whoever asks later waits for the next request.
 */

/**
 * Collects until nobody has asked for `quietMs`, then does the work for all: answers in the order of the questions. While
 * `more` says that others are about to ask, they are waited for.
 */
export function gather<A, R>(
  quietMs: number,
  work: (all: readonly A[]) => Promise<readonly R[]>,
  more: () => boolean = () => false,
): (one: A) => Promise<R> {
  interface Asked {
    readonly one: A
    readonly resolve: (result: R) => void
    readonly reject: (error: unknown) => void
  }
  let open: Asked[] = []
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  const go = async () => {
    const asked = open
    open = []
    timer = undefined
    try {
      const results = await work(asked.map(({ one }) => one))
      for (const [i, { resolve }] of asked.entries()) resolve(results[i] as R)
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
  return (one) =>
    new Promise((resolve, reject) => {
      open.push({ one, resolve, reject })
      if (quietMs === 0) {
        // Its failures are those of the ones who asked.
        timer ??= setImmediate(() => void go())
        return
      }
      clearTimeout(timer as NodeJS.Timeout | undefined)
      const soon = () => {
        timer = setTimeout(() => (more() ? soon() : void go()), quietMs)
      }
      soon()
    })
}
