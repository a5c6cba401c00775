import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gather } from './gather.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('what is asked for at the same time is one request, each with its own answer', async () => {
  const work = vi.fn(async (all: readonly number[]) => all.map((each) => each * 2))
  const double = gather(10, work)
  const first = Promise.all([double(1), double(2)])
  await vi.advanceTimersByTimeAsync(9)
  const late = double(3)
  await vi.advanceTimersByTimeAsync(10)
  expect(await first).toEqual([2, 4])
  expect(await late).toBe(6)
  expect(work).toHaveBeenCalledExactlyOnceWith([1, 2, 3])
})

test('who asks while the work is under way gets another request', async () => {
  const work = vi.fn(async (all: readonly number[]) => all)
  const ask = gather(10, work)
  const first = ask(1)
  await vi.advanceTimersByTimeAsync(10)
  const second = ask(2)
  await vi.advanceTimersByTimeAsync(10)
  expect(await Promise.all([first, second])).toEqual([1, 2])
  expect(work).toHaveBeenCalledTimes(2)
})

test('others who are about to ask are waited for', async () => {
  const work = vi.fn(async (all: readonly number[]) => all)
  let coming = true
  const ask = gather(10, work, () => coming)
  const first = ask(1)
  await vi.advanceTimersByTimeAsync(100)
  expect(work).not.toHaveBeenCalled()
  const second = ask(2)
  coming = false
  await vi.advanceTimersByTimeAsync(10)
  expect(await Promise.all([first, second])).toEqual([1, 2])
  expect(work).toHaveBeenCalledTimes(1)
})

test('a failure is everybody’s, and the next ones ask anew', async () => {
  let fails = true
  const ask = gather(10, async (all: readonly number[]) => {
    if (fails) throw new Error('no bus')
    return all
  })
  const both = Promise.allSettled([ask(1), ask(2)])
  await vi.advanceTimersByTimeAsync(10)
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  const again = ask(3)
  await vi.advanceTimersByTimeAsync(10)
  expect(await again).toBe(3)
})
