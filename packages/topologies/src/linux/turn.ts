/**
 * Coalesces reads: what a thousand observations of one pass all ask (where a folder leads, whether `/etc/passwd` has
 * changed) is asked once per turn of the event loop. No clock decides how long an answer is good for, so it cannot be
 * older than the work that was under way when it was asked.
 */

/** A function that is asked at most once per turn for each argument. */
export interface EachTurn<A extends string, R> {
  (argument: A): Promise<R>
  /** What it answered this turn, if it has answered. */
  answered(argument: A): R | undefined
  /** Call it after changing what the answers are about. */
  forget(): void
}

/** Makes an {@link EachTurn}. A failure is told to all who asked before it was known, and to nobody later. */
export function eachTurn<A extends string, R>(ask: (argument: A) => Promise<R>): EachTurn<A, R> {
  const answers = new Map<A, Promise<R>>()
  const known = new Map<A, R>()
  const forget = () => {
    answers.clear()
    known.clear()
  }
  const once = (argument: A) => {
    const before = answers.get(argument)
    if (before) return before
    const asked = ask(argument)
    if (answers.size === 0) setImmediate(forget)
    answers.set(argument, asked)
    const remember = (answer: R) => {
      // Forgotten meanwhile: then it is an answer of an earlier turn.
      if (answers.get(argument) === asked) known.set(argument, answer)
    }
    const drop = () => {
      if (answers.get(argument) === asked) answers.delete(argument)
    }
    asked.then(remember, drop)
    return asked
  }
  return Object.assign(once, { forget, answered: (argument: A) => known.get(argument) })
}
