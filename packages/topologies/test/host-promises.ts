/** What every host promises, whatever it is reached by: one suite for this machine and for those at the far end. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { Host } from '@harmony-iac/core/host'
import { describe, expect, onTestFinished, test } from 'vitest'
import { scratch } from './scratch.ts'

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
const sh = (script: string): ['/bin/sh', '-c', string] => ['/bin/sh', '-c', script]

/** Runs the suite on a host that shares its files with this machine, so that what it does can be looked at. */
export function hostPromises(name: string, host: () => Host): void {
  describe(`${name} runs programs`, () => {
    test('and tells their status and both outputs', async () => {
      const result = await host().exec(sh('echo out; echo err >&2; exit 3'))
      expect(result).toMatchObject({ exitCode: 3, signal: null, timedOut: false, stdoutCut: 0, stderrCut: 0 })
      expect([text(result.stdout), text(result.stderr)]).toEqual(['out\n', 'err\n'])
    })

    test('and tells the signal that ended one', async () => {
      expect(await host().exec(sh('kill -USR1 $$'))).toMatchObject({ exitCode: null, signal: 'SIGUSR1' })
    })

    test('with arguments as they are: no shell looks at them', async () => {
      const odd = [
        '$HOME',
        '`id`',
        'a b',
        '*',
        "'",
        '"',
        '\\',
        '\\\\',
        "it's",
        '',
        '-n',
        'two\nlines',
        'ä☂',
        '!x',
        '~',
        '#',
        'a=b',
        '\x1b[0m',
      ]
      const result = await host().exec(['/usr/bin/printf', '%s|', ...odd])
      expect(text(result.stdout)).toBe(`${odd.join('|')}|`)
    })

    test('in an environment of their own', async () => {
      const result = await host().exec(['env'], { env: { GIVEN: "it's $HOME", LANG: 'C' } })
      const lines = text(result.stdout)?.trim().split('\n') ?? []
      expect(lines.map((line) => line.split('=')[0]).toSorted()).toEqual([
        'GIVEN',
        'HOME',
        'LANG',
        'PATH',
        'USER',
      ])
      expect(lines).toContain("GIVEN=it's $HOME")
    })

    test('in / or where they are told to', async () => {
      const dir = scratch()
      expect(text((await host().exec(['pwd'])).stdout)).toBe('/\n')
      expect(text((await host().exec(['pwd'], { cwd: dir })).stdout)).toBe(`${dir}\n`)
    })

    test('with what they read, binary as it is, and closed', async () => {
      const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 256)
      const result = await host().exec(['cat'], { stdin: bytes, outputLimit: 400_000 })
      expect(Buffer.compare(result.stdout, bytes)).toBe(0)
      expect(text((await host().exec(['cat'])).stdout)).toBe('')
    })

    test('and keeps the end of a long output, counting the rest', async () => {
      const result = await host().exec(sh('yes 0123456 | head -c 1000000; echo end'), { outputLimit: 1000 })
      expect(result.stdout.length).toBe(1000)
      expect(result.stdoutCut).toBe(1_000_004 - 1000)
      expect(text(result.stdout)?.endsWith('end\n')).toBe(true)
    })

    test('and passes on what they print, while they run', async () => {
      const heard: string[] = []
      await host().exec(sh('echo one; echo two >&2'), {
        onOutput: (stream, chunk) => heard.push(`${stream} ${text(chunk)}`),
      })
      expect(heard.toSorted()).toEqual(['stderr two\n', 'stdout one\n'])
    })

    test.each([
      ['a missing program', ['no-such-program'], {}, 'there is no such program'],
      ['a missing folder', ['true'], { cwd: '/no/such' }, 'the working directory /no/such does not exist'],
    ] as const)('and says so when %s keeps one from starting', async (_, argv, options, words) => {
      await expect(host().exec(argv, options)).rejects.toMatchObject({
        code: 'command-failed',
        message: expect.stringContaining(words),
      })
    })

    test('and ends a whole process group when its time is over', async () => {
      const marker = `${scratch()}/left`
      const result = await host().exec(sh(`(sleep 30; touch ${marker}) & sleep 30`), { timeoutMs: 300 })
      expect(result).toMatchObject({ timedOut: true, exitCode: null, signal: 'SIGTERM' })
      // From a file: whoever looks must not find themselves.
      const pattern = `${scratch()}/pattern`
      writeFileSync(pattern, marker)
      const left = await host().exec(sh(`cat /proc/[0-9]*/cmdline 2>/dev/null | grep -ac -f ${pattern}`))
      expect(text(left.stdout)).toBe('0\n')
    })

    test('and ends one at once when it is interrupted', async () => {
      const abort = new AbortController()
      const running = host().exec(sh('trap "" TERM; echo ready; sleep 30'), {
        signal: abort.signal,
        onOutput: () => abort.abort(),
      })
      await expect(running).rejects.toMatchObject({ code: 'interrupted' })
    })

    test('many at once', async () => {
      const all = await Promise.all(Array.from({ length: 30 }, (_, i) => host().exec(['echo', String(i)])))
      expect(all.map((each) => text(each.stdout)?.trim())).toEqual(
        Array.from({ length: 30 }, (_, i) => String(i)),
      )
    })
  })

  describe(`${name} reads files`, () => {
    test('with what can be said of them, links not followed', async () => {
      const dir = scratch()
      writeFileSync(`${dir}/f`, 'hello', { mode: 0o640 })
      mkdirSync(`${dir}/d`, { mode: 0o750 })
      symlinkSync('f', `${dir}/l`)
      const { files } = host()
      expect(await files.lstat(`${dir}/f`)).toMatchObject({
        type: 'file',
        size: 5,
        mode: 0o640,
        uid: process.getuid?.(),
      })
      expect(await files.lstat(`${dir}/d`)).toMatchObject({ type: 'directory', mode: 0o750 })
      expect(await files.lstat(`${dir}/l`)).toMatchObject({ type: 'symlink' })
      expect(await files.lstat(`${dir}/none`)).toBeUndefined()
      expect(await files.lstat(`${dir}/f/below`)).toBeUndefined()
      expect(await files.readlink(`${dir}/l`)).toBe('f')
      expect(await files.realpath(`${dir}/l`)).toBe(`${dir}/f`)
      expect((await files.readdir(dir)).toSorted()).toEqual(['d', 'f', 'l'])
    })

    test('whole, empty and binary, up to a limit', async () => {
      const dir = scratch()
      const bytes = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256))
      writeFileSync(`${dir}/f`, bytes)
      writeFileSync(`${dir}/empty`, '')
      const { files } = host()
      expect(Buffer.compare((await files.read(`${dir}/f`, 200_000))?.bytes ?? Buffer.of(), bytes)).toBe(0)
      expect(await files.read(`${dir}/f`, 1000)).toMatchObject({ bytes: undefined, stat: { size: 100_000 } })
      expect(text((await files.read(`${dir}/empty`, 10))?.bytes)).toBe('')
      expect(text((await files.read('/proc/self/comm', 1000))?.bytes)?.length).toBeGreaterThan(1)
      expect(await files.read(`${dir}/none`, 10)).toBeUndefined()
      const chunks: Uint8Array[] = []
      for await (const chunk of files.stream(`${dir}/f`)) chunks.push(chunk)
      expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0)
    })

    test('never through a link, and never waits for a named pipe', async () => {
      const dir = scratch()
      writeFileSync(`${dir}/secret`, 'x')
      symlinkSync('secret', `${dir}/l`)
      await host().exec(['mkfifo', `${dir}/pipe`])
      expect(await host().files.read(`${dir}/l`, 10)).toMatchObject({
        stat: { type: 'symlink' },
        bytes: undefined,
      })
      expect(await host().files.read(`${dir}/pipe`, 10)).toMatchObject({
        stat: { type: 'other' },
        bytes: undefined,
      })
    })

    test.each([
      ['readlink of nothing', (h: Host, dir: string) => h.files.readlink(`${dir}/none`), 'ENOENT'],
      ['readlink of a file', (h: Host, dir: string) => h.files.readlink(`${dir}/f`), 'EINVAL'],
      ['readdir of nothing', (h: Host, dir: string) => h.files.readdir(`${dir}/none`), 'ENOENT'],
      ['readdir of a file', (h: Host, dir: string) => h.files.readdir(`${dir}/f`), 'ENOTDIR'],
      ['realpath of nothing', (h: Host, dir: string) => h.files.realpath(`${dir}/none`), 'ENOENT'],
      ['a pin of nothing', (h: Host, dir: string) => h.files.pin(`${dir}/none`), 'ENOENT'],
      ['a pin of a file', (h: Host, dir: string) => h.files.pin(`${dir}/f`), 'ENOTDIR'],
    ])('and fails like the system: %s', async (_, ask, code) => {
      const dir = scratch()
      writeFileSync(`${dir}/f`, '')
      await expect(ask(host(), dir)).rejects.toMatchObject({ code })
    })
  })

  describe(`${name} changes files`, () => {
    test('creates, extends, renames, links and removes in a folder', async () => {
      const dir = scratch()
      const folder = await host().files.pin(dir)
      await folder.create('f', Buffer.from('one'), { mode: 0o640 })
      expect(lstatSync(`${dir}/f`).mode & 0o7777).toBe(0o640)
      await folder.append('f', Buffer.from(' two'))
      expect(readFileSync(`${dir}/f`, 'utf8')).toBe('one two')
      await folder.create('g', Buffer.from('new'), {})
      expect(lstatSync(`${dir}/g`).mode & 0o7777).toBe(0o600)
      await folder.rename('g', 'f')
      expect(readFileSync(`${dir}/f`, 'utf8')).toBe('new')
      await folder.symlink('anywhere', 'l')
      expect(readlinkSync(`${dir}/l`)).toBe('anywhere')
      await folder.mkdir('d', { mode: 0o2750 })
      expect(lstatSync(`${dir}/d`).mode & 0o7777).toBe(0o2750)
      const inner = await folder.pin('d')
      await inner.create('x', Buffer.from('x'), {})
      await inner.unlink('x')
      await inner.close()
      await folder.setAttributes('f', { mode: 0o4711 })
      expect(lstatSync(`${dir}/f`).mode & 0o7777).toBe(0o4711)
      await folder.sync()
      await folder.rmdir('d')
      await folder.unlink('l')
      await folder.unlink('f')
      await folder.close()
      expect(readdirSync(dir)).toEqual([])
    })

    test('of any size', async () => {
      const dir = scratch()
      const bytes = Buffer.alloc(3_000_000, 'harmony ')
      async function* pieces() {
        for (let i = 0; i < bytes.length; i += 250_000) yield bytes.subarray(i, i + 250_000)
      }
      const folder = await host().files.pin(dir)
      await folder.create('whole', bytes, {})
      await folder.create('pieces', pieces(), {})
      await folder.close()
      for (const name of ['whole', 'pieces'])
        expect(Buffer.compare(readFileSync(`${dir}/${name}`), bytes), name).toBe(0)
    })

    test('many at once', async () => {
      const dir = scratch()
      const folder = await host().files.pin(dir)
      const names = Array.from({ length: 200 }, (_, i) => `f${i}`)
      await Promise.all(names.map((name) => folder.create(name, Buffer.from(name), { mode: 0o644 })))
      await folder.close()
      expect(readdirSync(dir)).toHaveLength(200)
      expect(readFileSync(`${dir}/f7`, 'utf8')).toBe('f7')
    })

    test.each([
      ['create what exists', (f: Folder) => f.create('f', Buffer.of(), {}), 'EEXIST'],
      ['make a folder that exists', (f: Folder) => f.mkdir('d', {}), 'EEXIST'],
      ['link over a file', (f: Folder) => f.symlink('x', 'f'), 'EEXIST'],
      ['unlink nothing', (f: Folder) => f.unlink('none'), 'ENOENT'],
      ['unlink a folder', (f: Folder) => f.unlink('d'), 'EISDIR'],
      ['remove a folder that is not empty', (f: Folder) => f.rmdir('d'), 'ENOTEMPTY'],
      ['remove a file as a folder', (f: Folder) => f.rmdir('f'), 'ENOTDIR'],
      ['pin a link', (f: Folder) => f.pin('l'), 'ENOTDIR'],
      ['set the mode of nothing', (f: Folder) => f.setAttributes('none', { mode: 0o600 }), 'ENOENT'],
    ])('and fails like the system: %s', async (_, change, code) => {
      const dir = scratch()
      writeFileSync(`${dir}/f`, 'f')
      mkdirSync(`${dir}/d`)
      writeFileSync(`${dir}/d/x`, '')
      symlinkSync('d', `${dir}/l`)
      const folder = await host().files.pin(dir)
      await expect(change(folder)).rejects.toMatchObject({ code })
      await folder.close()
      expect(readdirSync(dir).toSorted()).toEqual(['d', 'f', 'l'])
      expect(readFileSync(`${dir}/f`, 'utf8')).toBe('f')
    })

    test('and refuses a folder that is another by now', async () => {
      const dir = scratch()
      mkdirSync(`${dir}/d`)
      symlinkSync('d', `${dir}/l`)
      await expect(host().files.pin(`${dir}/l`, `${dir}/l`)).rejects.toMatchObject({ code: 'plan-stale' })
    })

    test.each(['', '.', '..', 'a/b', 'a\0b'])('and refuses %j for the name of an entry', async (name) => {
      const folder = await host().files.pin(scratch())
      await expect(folder.create(name, Buffer.of(), {})).rejects.toMatchObject({ code: 'invalid-value' })
      await folder.close()
    })
  })

  describe(`${name} locks`, () => {
    const lock = (path: string, holder: string, waitMs = 0, onWait?: (holder: string) => void) =>
      host().lock(path, { holder, waitMs, ...(onWait ? { onWait } : {}) })

    test('one at a time, and names the holder', async () => {
      const path = `${scratch()}/lock`
      const held = await lock(path, 'root@kiosk, harmony apply, pid 4711')
      const heard: string[] = []
      await expect(lock(path, 'me', 100, (holder) => heard.push(holder))).rejects.toMatchObject({
        code: 'locked',
        message: `${path} is held by root@kiosk, harmony apply, pid 4711; waited 0.1 s`,
      })
      expect(heard).toEqual(['root@kiosk, harmony apply, pid 4711'])
      await held.release()
      await (await lock(path, 'next')).release()
    })

    test('whoever waits gets it', async () => {
      const path = `${scratch()}/lock`
      const held = await lock(path, 'first')
      const waiting = lock(path, 'second', 10_000)
      await held.release()
      const next = await waiting
      expect(readFileSync(path, 'utf8')).toBe('second')
      await next.release({ removeFile: true })
      expect(existsSync(path)).toBe(false)
    })

    test('in a folder that is there', async () => {
      await expect(lock(`${scratch()}/none/lock`, 'x')).rejects.toMatchObject({ code: 'ENOENT' })
    })
  })

  describe(`${name} dials`, () => {
    test('a unix socket, both ways', async () => {
      const path = `${scratch()}/socket`
      const server = createServer((socket) => socket.pipe(socket))
      await new Promise<void>((resolve) => server.listen(path, resolve))
      onTestFinished(() => void server.close())
      const socket = await host().dial(path)
      const echoed = new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
      socket.write('hello')
      expect(await echoed).toBe('hello')
      socket.destroy()
    })

    test('and says so when nobody listens', async () => {
      await expect(host().dial(`${scratch()}/none`)).rejects.toMatchObject({ code: 'unreachable' })
    })
  })
}

type Folder = Awaited<ReturnType<Host['files']['pin']>>
