/**
 * Who starts and ends the engine that tests share, with a stand-in for dockerd: what a real one does is shown by the
 * hosts that run in it, and a second real one would get in its way.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { flock } from './flock.ts'

function scratch(dockerd: string): {
  readonly folder: string
  keep(): ChildProcess
  starts(): readonly string[]
} {
  const folder = mkdtempSync(join(tmpdir(), 'harmony-test-'))
  const keepers: ChildProcess[] = []
  writeFileSync(join(folder, 'dockerd'), `#!/bin/sh\necho $$ >>${folder}/starts\n${dockerd}\n`)
  chmodSync(join(folder, 'dockerd'), 0o755)
  onTestFinished(async () => {
    for (const keeper of keepers)
      if (keeper.exitCode === null && keeper.signalCode === null) {
        keeper.kill()
        await once(keeper, 'exit')
      }
    rmSync(folder, { recursive: true })
  })
  return {
    folder,
    keep() {
      const keeper = spawn('sh', [join(import.meta.dirname, 'engine.sh'), folder, '0.1'], {
        env: { PATH: `${folder}:${process.env.PATH}` },
        stdio: 'ignore',
      })
      keepers.push(keeper)
      return keeper
    },
    starts: () =>
      existsSync(join(folder, 'starts'))
        ? readFileSync(join(folder, 'starts'), 'utf8').trimEnd().split('\n')
        : [],
  }
}

const untilTold = `trap 'echo ended; exit 0' TERM; while :; do sleep 0.05; done`
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 60_000, interval: 10 })

/** A process that has ended stays known until its parent, which may be slow about it, has asked how. */
function isAlive(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
}

test('two who come at once get one engine', async () => {
  const { folder, keep, starts } = scratch(untilTold)
  using _ = await flock(join(folder, 'users'), 'shared')
  const keepers = [keep(), keep()]
  const [status] = await Promise.race(keepers.map((keeper) => once(keeper, 'exit')))
  expect(status).toBe(0)
  await until(() => starts().length > 0)
  expect(starts()).toHaveLength(1)
})

test('the engine ends after its last user, and a later one gets another', async () => {
  const { folder, keep, starts } = scratch(untilTold)
  const first = await flock(join(folder, 'users'), 'shared')
  const second = await flock(join(folder, 'users'), 'shared')
  const keeper = keep()
  const over = once(keeper, 'exit')
  await until(() => starts().length > 0)
  first[Symbol.dispose]()
  expect(isAlive(starts()[0] ?? '')).toBe(true)
  expect(keeper.exitCode).toBe(null)
  second[Symbol.dispose]()
  await over
  expect(isAlive(starts()[0] ?? '')).toBe(false)
  expect(readFileSync(join(folder, 'engine.log'), 'utf8')).toBe('ended\n')

  using _ = await flock(join(folder, 'users'), 'shared')
  keep()
  await until(() => starts().length > 1)
})

test('an engine that does not start is told at once, though somebody waits for it', async () => {
  const { folder, keep } = scratch('echo no room; exit 3')
  using _ = await flock(join(folder, 'users'), 'shared')
  expect(await once(keep(), 'exit')).toEqual([3, null])
  expect(readFileSync(join(folder, 'engine.log'), 'utf8')).toBe('no room\n')
})

test('the engine ends with its keeper, also when that is killed', async () => {
  const { folder, keep, starts } = scratch(untilTold)
  using _ = await flock(join(folder, 'users'), 'shared')
  const keeper = keep()
  await until(() => starts().length > 0)
  keeper.kill('SIGKILL')
  await once(keeper, 'exit')
  await until(() => !isAlive(starts()[0] ?? ''))
})

test('a process id that another program got meanwhile does not hold the engine back', async () => {
  const { folder, keep, starts } = scratch(`[ ! -e docker.pid ] || exit 4; ${untilTold}`)
  writeFileSync(join(folder, 'docker.pid'), `${process.pid}`)
  using _ = await flock(join(folder, 'users'), 'shared')
  keep()
  await until(() => starts().length > 0)
  expect(existsSync(join(folder, 'docker.pid'))).toBe(false)
})

test('a lock ends with the process that took it', async () => {
  const { folder } = scratch(untilTold)
  const script = `
    const { flock } = await import(${JSON.stringify(join(import.meta.dirname, 'flock.ts'))})
    await flock(${JSON.stringify(join(folder, 'lock'))}, 'exclusive')
    process.kill(process.pid, 'SIGKILL')`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  expect(await once(holder, 'exit')).toEqual([null, 'SIGKILL'])
  using _ = await flock(join(folder, 'lock'), 'exclusive')
})
