import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scratch } from '../../test/scratch.ts'
import { localHost } from './local.ts'

const host = localHost()

test('a program that ignores SIGTERM is killed five seconds later, with its group', async () => {
  const dir = scratch()
  const stubborn = `trap "" TERM; (trap "" TERM; echo $$; exec sleep 300) & echo $! > ${dir}/pid; while :; do wait; done`
  const result = await host.exec(['/bin/sh', '-c', stubborn], { timeoutMs: 100 })
  expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL', exitCode: null })
  expect(result.durationMs).toBeGreaterThan(5000)
  const pid = readFileSync(`${dir}/pid`, 'utf8').trim()
  await expect.poll(() => isRunning(pid), { interval: 5 }).toBe(false)
})

test('a grandchild gets its five seconds although the leader went at once', async () => {
  const dir = scratch()
  const script = `(trap "sleep 1; echo tidied > ${dir}/done; exit" TERM; while :; do sleep 0.1; done) & echo started; wait`
  const result = await host.exec(['/bin/sh', '-c', script], { timeoutMs: 300 })
  expect(result).toMatchObject({ timedOut: true, signal: 'SIGTERM' })
  expect(readFileSync(`${dir}/done`, 'utf8')).toBe('tidied\n')
})

function isRunning(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
