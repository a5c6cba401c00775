import { expect, test } from 'vitest'
import { atMost } from './at-most.ts'

test('no more than so many are under way, in the order in which they came, also when some fail', async () => {
  const limited = atMost(2)
  let now = 0
  let most = 0
  const begun: number[] = []
  const work = (n: number) =>
    limited(async () => {
      begun.push(n)
      most = Math.max(most, ++now)
      await Promise.resolve()
      now--
      if (n % 3 === 0) throw new Error('no')
      return n
    })
  const results = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7].map(work))
  expect(most).toBe(2)
  expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
    true,
  ])
  expect(await work(8)).toBe(8)
})
