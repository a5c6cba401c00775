/**
 * Tests that need a part of the machine (an older Node, Docker, flock) and may run where it is missing. Leaving them
 * out without a word would make a green run mean less than it says, so the run names what it left out and how to get
 * it. Where every part has to be there (`HARMONY_REQUIRE=all`, as in CI) a missing one is a failure instead.
 */
import { describe, test } from 'vitest'

/** Something a suite needs from the machine that runs it. */
export interface Part {
  /** What is needed, as a reader would say it: `flock(1)`. */
  readonly name: string
  /** How to get it: `apt-get install util-linux`. */
  readonly get: string
  readonly present: boolean
}

/**
 * Like vitest's `describe`, for a suite that needs `part`.
 *
 * @example
 * describeWith({ name: 'flock(1)', get: 'apt-get install util-linux', present: hasCommand('flock') }, 'the lock', () => {
 *   test('is released when its holder dies', …)
 * })
 */
export function describeWith(part: Part, title: string, suite: () => void): void {
  if (part.present) {
    describe(title, suite)
    return
  }
  const message = `needs ${part.name}, which is missing here. To get it: ${part.get}`
  if (process.env.HARMONY_REQUIRE === 'all') {
    test(title, () => {
      throw new Error(`${title} ${message} (HARMONY_REQUIRE=all makes this a failure)`)
    })
    return
  }
  console.warn(`left out: ${title} ${message}`)
  describe.skip(`${title} [left out: ${message}]`, suite)
}
