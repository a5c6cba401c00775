/** Waiting for a lock without holding the process up. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isLocked } from './failures.ts'

/** In milliseconds. Short at first: a commit takes about one. */
const [shortest, longest] = [1, 25]

/**
 * Does it again while others hold a lock, until the time is over; then the failure is the caller's. Pauses are drawn, so
 * that those who wait together do not come back together.
 */
export async function patiently<T>(
  waitMs: number,
  signal: AbortSignal,
  work: () => T | Promise<T>,
): Promise<T> {
  const end = performance.now() + waitMs
  for (let pause = shortest; ; pause = Math.min(longest, pause * 1.5))
    try {
      return await work()
    } catch (error) {
      if (!isLocked(error) || performance.now() >= end || signal.aborted) throw error
      await sleep(pause * (0.5 + Math.random()))
    }
}
