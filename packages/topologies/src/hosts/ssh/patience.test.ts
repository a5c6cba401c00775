import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Patience } from './patience.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Something that takes a while. */
const taking = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms))

test('it is over after the limit', async () => {
  const over = vi.fn()
  new Patience(1000).start(over)
  await vi.advanceTimersByTimeAsync(999)
  expect(over).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(over).toHaveBeenCalledOnce()
})

test('pauses do not count, also when one begins within another', async () => {
  const over = vi.fn()
  const patience = new Patience(1000)
  patience.start(over)
  await vi.advanceTimersByTimeAsync(600)
  const pauses = [patience.pause(taking(5000)), patience.pause(taking(8000))]
  await vi.advanceTimersByTimeAsync(8000)
  await Promise.all([...pauses, patience.idle])
  expect(patience.pausedMs).toBe(8000)
  await vi.advanceTimersByTimeAsync(399)
  expect(over).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(over).toHaveBeenCalledOnce()
})

test('it is never over once it was ended, whatever still runs', async () => {
  const over = vi.fn()
  const patience = new Patience(1000)
  patience.start(over)
  const pause = patience.pause(taking(100))
  patience.end()
  await vi.advanceTimersByTimeAsync(10_000)
  await pause
  expect(over).not.toHaveBeenCalled()
})
