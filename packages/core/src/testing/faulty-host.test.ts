import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { Host, PinnedFolder } from '../host.ts'
import { faultyHost } from './faulty-host.ts'

/** A host that only remembers what it was asked to do. */
function recordingHost(done: string[]): Host {
  const note = (what: string) => async () => void done.push(what)
  const folder: PinnedFolder = {
    path: '/srv',
    lstat: async () => undefined,
    create: note('create'),
    append: note('append'),
    mkdir: note('mkdir'),
    symlink: note('symlink'),
    rename: note('rename'),
    unlink: note('unlink'),
    rmdir: note('rmdir'),
    setAttributes: note('setAttributes'),
    sync: note('sync'),
    pin: async () => folder,
    close: async () => {},
  }
  const unused = () => Promise.reject(new Error('not used'))
  return {
    name: 'recording',
    files: {
      lstat: async () => undefined,
      realpath: async (path) => path,
      readlink: unused,
      readdir: async () => [],
      read: async () => undefined,
      stream: async function* () {},
      pin: async () => folder,
    },
    facts: unused,
    exec: async () => {
      done.push('exec')
      return {
        exitCode: 0,
        signal: null,
        timedOut: false,
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        stdoutCut: 0,
        stderrCut: 0,
        durationMs: 0,
      }
    },
    dial: unused,
    lock: async () => ({ lost: new AbortController().signal, release: note('release') }),
    close: async () => {},
  }
}

async function everyWrite(host: Host): Promise<void> {
  const lock = await host.lock('/state/lock', { holder: 'test', waitMs: 0 })
  const folder = await host.files.pin('/srv')
  await folder.create('a~', new Uint8Array(), {})
  await folder.append('journal', new Uint8Array())
  await folder.mkdir('d', {})
  await folder.symlink('a', 'l')
  await folder.rename('a~', 'a')
  await folder.setAttributes('a', { mode: 0o600 })
  await folder.unlink('a')
  await folder.rmdir('d')
  await folder.sync()
  await host.exec(['true'])
  await lock.release()
}

const writes = [
  'lock',
  'create',
  'append',
  'mkdir',
  'symlink',
  'rename',
  'setAttributes',
  'unlink',
  'rmdir',
  'sync',
  'exec',
  'release',
]

describe('a faulty host', () => {
  test('counts every call that writes, in order and with its target, and none that reads', async () => {
    const host = faultyHost(recordingHost([]))
    await host.files.lstat('/srv')
    await host.files.read('/srv/a', 10)
    await host.files.readdir('/srv')
    await (await host.files.pin('/srv')).lstat('a')
    expect(host.faults.calls).toEqual([])
    await everyWrite(host)
    expect(host.faults.calls.map(({ call }) => call)).toEqual(writes)
    expect(host.faults.calls[5]).toEqual({ call: 'rename', target: '/srv/a' })
  })

  test.each(writes.map((call, i) => [call, i + 1] as const))(
    'fails before %s, which is then not made',
    async (call, at) => {
      const done: string[] = []
      const host = faultyHost(recordingHost(done), { at, kind: 'error', errno: 'ENOSPC' })
      await expect(everyWrite(host)).rejects.toMatchObject({ code: 'ENOSPC', syscall: call })
      expect(done).not.toContain(call)
    },
  )

  test('fails after a call, which is made', async () => {
    const done: string[] = []
    const host = faultyHost(recordingHost(done), { at: 6, kind: 'error', when: 'after' })
    await expect(everyWrite(host)).rejects.toMatchObject({ code: 'EIO', syscall: 'rename' })
    expect(done.at(-1)).toBe('rename')
  })

  test('meets the planned call also when calls overlap', async () => {
    const done: string[] = []
    const host = faultyHost(recordingHost(done), { at: 2, kind: 'error', when: 'after' })
    const folder = await host.files.pin('/srv')
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => folder.unlink(name)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test.each([
    ['before', 'one'],
    ['after', 'one two'],
  ])('kills its process %s a call: no handler, no later line', (when, printed) => {
    const module = new URL('faulty-host.ts', import.meta.url)
    const program = `
      import { writeSync } from 'node:fs'
      import { faultyHost } from '${module}'
      const say = (text) => writeSync(1, text)
      process.on('exit', () => say(' exit'))
      const host = faultyHost({ exec: async ([word]) => say(word), files: {} }, { at: 2, when: '${when}' })
      await host.exec(['one'])
      try { await host.exec([' two']) } finally { say(' finally') }
    `
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(ended).toMatchObject({ signal: 'SIGKILL', stdout: printed })
  })
})
