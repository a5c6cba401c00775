import { expect, test } from 'vitest'
import { inWaves } from './waves.ts'

function queue(length: number, work: () => Promise<void> | void) {
  const state = { next: 0, now: 0, most: 0, workers: 0 }
  const worker = async () => {
    state.workers++
    while (state.next < length) {
      state.next++
      state.most = Math.max(state.most, ++state.now)
      const waiting = work()
      if (waiting) await waiting
      state.now--
    }
  }
  return { state, run: () => inWaves(worker, () => state.next < length) }
}

test('what has to wait is waited for all together', async () => {
  const { state, run } = queue(3000, () => new Promise((resolve) => setImmediate(resolve)))
  await run()
  expect(state).toMatchObject({ next: 3000, now: 0, most: 1024 })
})

test('what needs no waiting is done by the first wave', async () => {
  const { state, run } = queue(3000, () => Promise.resolve())
  await run()
  expect(state).toMatchObject({ next: 3000, workers: 64 })
})

test('a worker that fails fails the whole', async () => {
  const { run } = queue(300, () => Promise.reject(new Error('no')))
  await expect(run()).rejects.toThrow('no')
})
