import { expect, test } from 'vitest'
import { Challenges } from './challenges.ts'

test('a challenge is taken once', () => {
  const challenges = new Challenges()
  const [one, two] = [challenges.give(), challenges.give()]
  expect([one, one, two, one].map((each) => challenges.take(each))).toEqual([
    'taken',
    'replayed',
    'taken',
    'replayed',
  ])
})

test('a challenge is good for a minute, and never again after it', () => {
  let now = 1000
  const challenges = new Challenges(() => now)
  const [early, late] = [challenges.give(), challenges.give()]
  now += 59_999
  expect(challenges.take(early)).toBe('taken')
  now += 1
  expect(challenges.take(late)).toBe('stale')
  expect(challenges.take(early)).toBe('stale')
  now += 600_000
  expect(challenges.take(challenges.give())).toBe('taken')
  expect(challenges.take(early)).toBe('stale')
})

test.each([
  ['of another run', () => new Challenges().give()],
  ['that is empty', () => new Uint8Array()],
  ['that is short', (own: Challenges) => own.give().subarray(0, 40)],
  ['that is long', (own: Challenges) => Buffer.concat([own.give(), Buffer.alloc(1)])],
  ['whose time was changed', (own: Challenges) => own.give().fill(0x7f, 0, 4)],
])('a challenge %s is stale', (_, make) => {
  const own = new Challenges()
  expect(own.take(make(own))).toBe('stale')
})
