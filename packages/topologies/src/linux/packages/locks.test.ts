import type { ExecResult } from '@harmony-iac/core/host'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Apt } from './apt.ts'
import { runLocked } from './locks.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const bytes = (text: string) => new TextEncoder().encode(text)
const held = 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711'

/** A host on which somebody holds the lock for so many attempts. */
function host(attempts: number) {
  const ran: string[] = []
  const run = vi.fn(async ([program]: readonly string[]) => {
    ran.push(program ?? '')
    const answer = (exitCode: number, stdout: string, stderr: string) =>
      ({ exitCode, stdout: bytes(stdout), stderr: bytes(stderr) }) as ExecResult
    if (program === 'cat') return answer(0, 'unattended-upgr\n', '')
    return attempts-- > 0 ? answer(100, '', held) : answer(0, 'done', '')
  })
  return { apt: { run } as unknown as Apt, ran }
}
const patience = { lockWaitMs: 2000, retryMs: 500 }

test('is tried again until the lock is free, and the holder is named once', async () => {
  const { apt, ran } = host(3)
  const progress = vi.fn()
  const done = runLocked(apt, ['apt-get'], patience, { progress })
  await vi.advanceTimersByTimeAsync(1500)
  expect((await done).exitCode).toBe(0)
  expect(ran.filter((program) => program === 'apt-get')).toHaveLength(4)
  expect(progress.mock.calls).toEqual([
    ['waiting for unattended-upgr (pid 4711), which is changing packages'],
  ])
})

test('ends with the name of the holder when that takes too long', async () => {
  const done = runLocked(host(100).apt, ['apt-get'], patience, {})
  const failed = expect(done).rejects.toMatchObject({
    code: 'locked',
    message:
      'unattended-upgr (pid 4711) is changing packages (it holds /var/lib/dpkg/lock-frontend), and has not ended after 2 s',
    data: { pid: 4711 },
  })
  await vi.advanceTimersByTimeAsync(5000)
  await failed
})

test('does not wait any longer once it is aborted', async () => {
  const abort = new AbortController()
  const done = runLocked(host(100).apt, ['apt-get'], patience, { signal: abort.signal })
  const failed = expect(done).rejects.toMatchObject({ code: 'interrupted' })
  await vi.advanceTimersByTimeAsync(100)
  abort.abort()
  await failed
})

test('does not try again what has failed for another reason', async () => {
  const run = vi.fn(async () => ({ exitCode: 100, stdout: bytes(''), stderr: bytes('E: no') }) as ExecResult)
  expect((await runLocked({ run } as unknown as Apt, ['apt-get'], patience, {})).exitCode).toBe(100)
  expect(run).toHaveBeenCalledTimes(1)
})
