import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eachTurn } from './turn.ts'

test('a question is asked once a turn, for each argument', async () => {
  const asked: string[] = []
  const ask = eachTurn(async (what: string) => {
    asked.push(what)
    return asked.length
  })
  expect(await Promise.all([ask('a'), ask('b'), ask('a')])).toEqual([1, 2, 1])
  await nextTurn()
  expect(await ask('a')).toBe(3)
  expect(asked).toEqual(['a', 'b', 'a'])
})

test('a question is asked anew after its answer was changed', async () => {
  let answer = 1
  const ask = eachTurn(async (_: string) => answer)
  expect(await ask('a')).toBe(1)
  answer = 2
  ask.forget()
  expect(await ask('a')).toBe(2)
})

test('all who asked get the failure, and whoever comes later asks again', async () => {
  let fails = true
  const ask = eachTurn(async (_: string) => {
    if (fails) throw new Error('no')
    return 'yes'
  })
  const results = await Promise.allSettled([ask('a'), ask('a')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  expect(await ask('a')).toBe('yes')
})
