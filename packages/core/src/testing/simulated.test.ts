import { describe, expect, test } from 'vitest'
import { contentOf } from './conduct.ts'
import { SimulatedTopology } from './simulated.ts'
import { compareSnapshots } from './simulated-disk.ts'

describe('the disk', () => {
  test('has the usual folders, and what a test puts there', () => {
    const { disk } = new SimulatedTopology({
      users: { app: 1000 },
      files: {
        '/etc/motd': 'hello\n',
        '/srv/app/blob': new Uint8Array([0, 1]),
        '/srv/app/conf': { content: 'x', mode: '0600', owner: 'app', group: 33 },
        '/srv/app/data': { directory: true, mode: '0700' },
        '/srv/current': { target: 'app' },
      },
    })
    const { '/etc': etc, '/srv': srv, ...snapshot } = disk.snapshot()
    expect([etc, srv]).toEqual(['directory 0755 root:root', 'directory 0755 root:root'])
    expect(Object.entries(snapshot).filter(([path]) => /^\/(etc|srv)/.test(path))).toEqual([
      ['/etc/motd', 'file 0644 root:root "hello\\n"'],
      ['/srv/app', 'directory 0755 root:root'],
      ['/srv/app/blob', 'file 0644 root:root "\\u0000\\u0001"'],
      ['/srv/app/conf', 'file 0600 app:www-data "x"'],
      ['/srv/app/data', 'directory 0700 root:root'],
      ['/srv/current', 'symlink root:root → app'],
    ])
    expect(disk.read('/srv/current/conf')).toBe('x')
  })

  test('follows links as POSIX says', () => {
    const { disk } = new SimulatedTopology({
      files: {
        '/srv/a/b/file': 'found',
        '/srv/rel': { target: './a/../a/b' },
        '/abs': { target: '/srv/rel' },
        '/loop': { target: 'loop' },
      },
    })
    expect(disk.resolve('/abs/file')).toBe('/srv/a/b/file')
    expect(disk.resolve('/abs/../../x')).toBeUndefined()
    expect(disk.resolve('/abs/none')).toBeUndefined()
    expect(() => disk.resolve('/loop')).toThrow('ELOOP')
    expect(disk.exists('/loop')).toBe(true)
  })

  test('can be tampered with in every way', () => {
    const { disk } = new SimulatedTopology({ files: { '/srv/a': 'a', '/srv/b/c': 'c' } })
    const before = disk.snapshot()
    disk.write('/srv/a', 'changed')
    disk.chmod('/srv/a', '0600')
    disk.chown('/srv/a', 'nobody', 'nogroup')
    disk.move('/srv/b', '/opt/b')
    disk.makeOther('/tmp/socket')
    disk.remove('/nowhere')
    expect(compareSnapshots(before, disk.snapshot())).toEqual([
      '/opt/b: absent → directory 0755 root:root',
      '/opt/b/c: absent → file 0644 root:root "c"',
      '/srv/a: file 0644 root:root "a" → file 0600 nobody:nogroup "changed"',
      '/srv/b: directory 0755 root:root → absent',
      '/srv/b/c: file 0644 root:root "c" → absent',
      '/tmp/socket: absent → other 0644 root:root',
    ])
    expect(() => disk.chmod('/nowhere', '0600')).toThrow('ENOENT')
    expect(() => disk.chown('/srv/a', 'nobody-knows')).toThrow('EINVAL')
  })
})

describe('the files', () => {
  test('a write that is killed within leaves its temporary file, which cleaning up removes', async () => {
    const here = new SimulatedTopology({ files: { '/etc/a': 'old' } })
    here.faults.killAt(1, 1)
    await expect(here.files.writeFile('/etc/a', Buffer.from('new'), { folder: '/etc' })).rejects.toThrow(
      'killed',
    )
    here.restart()
    expect(here.disk.paths('/etc')).toEqual(['/etc/.a.harmony~', '/etc/a'])
    expect(here.disk.read('/etc/a')).toBe('old')
    await here.files.cleanUp('/etc/a')
    expect(here.disk.paths('/etc')).toEqual(['/etc/a'])
  })

  test('content may come in chunks', async () => {
    const here = new SimulatedTopology()
    const told: number[] = []
    await here.files.writeFile('/etc/a', contentOf('chunks'), {
      folder: '/etc',
      onProgress: (bytes) => told.push(bytes),
    })
    expect([here.disk.read('/etc/a'), told]).toEqual(['chunks', [6]])
  })

  test('a device cannot be kept', async () => {
    const here = new SimulatedTopology()
    here.disk.makeOther('/tmp/socket')
    await expect(here.files.keep('/tmp/socket')).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('the shell', () => {
  test('does what a test says, the latest first, and otherwise succeeds silently', async () => {
    const here = new SimulatedTopology()
    here.shell
      .on('cp', (_, disk) => {
        disk.write('/tmp/copy', 'copied')
        return { stdout: 'ok' }
      })
      .on(
        ({ options }) => options.cwd === '/broken',
        () => ({ exitCode: 2 }),
      )
      .on('echo hello', () => ({ stdout: 'hello\n' }))
    expect(await here.shell.run(['cp', 'a', 'b'])).toMatchObject({ exitCode: 0, stdout: 'ok' })
    expect(await here.shell.run(['cp'], { cwd: '/broken' })).toMatchObject({ exitCode: 2 })
    expect(await here.shell.script('echo hello')).toMatchObject({ stdout: 'hello\n' })
    expect(await here.shell.run(['anything'])).toMatchObject({ exitCode: 0, stdout: '', timedOut: false })
    expect(await here.shell.exists('/tmp/copy')).toBe(true)
    expect(here.shell.calls.map(({ argv, script }) => argv?.join(' ') ?? script)).toEqual([
      'cp a b',
      'cp',
      'echo hello',
      'anything',
    ])
  })

  test('only what is said to read is no write', async () => {
    const here = new SimulatedTopology()
    here.shell.on('test', () => ({ exitCode: 1 }), { reads: true })
    await here.shell.run(['test'])
    await here.shell.run(['touch'])
    expect(here.writes.map(({ subject }) => subject)).toEqual(['touch'])
  })

  test('limits time and output', async () => {
    const here = new SimulatedTopology()
    here.shell.on('work', () => ({ durationMs: 10_000, stdout: 'abcdef' }))
    const told: string[] = []
    const onOutput = (_: string, text: string) => told.push(text)
    expect(await here.shell.run(['work'], { timeoutMs: 1000, outputLimit: 3, onOutput })).toEqual({
      exitCode: null,
      signal: 'SIGTERM',
      timedOut: true,
      stdout: 'def',
      stderr: '',
      truncated: true,
      durationMs: 1000,
    })
    expect(told).toEqual(['abcdef'])
  })

  test('is interrupted by its signal', async () => {
    const here = new SimulatedTopology()
    const signal = AbortSignal.abort()
    await expect(here.shell.run(['work'], { signal })).rejects.toMatchObject({ code: 'interrupted' })
    expect(here.shell.calls).toEqual([])
  })
})

describe('the users', () => {
  test('are those of the disk, with what is usual unless a test says more', async () => {
    const here = new SimulatedTopology({ users: { ada: 1000 } })
    here.users.setGroup('docker', { members: ['ada'] })
    expect(await here.users.user('ada', { home: true })).toEqual({
      name: 'ada',
      uid: 1000,
      gid: 1000,
      group: 'ada',
      groups: ['docker'],
      home: '/home/ada',
      shell: '/bin/sh',
      comment: '',
      password: undefined,
      homeExists: false,
    })
    here.users.set('ada', { uid: 1500, shell: '/bin/zsh', groups: [] })
    expect(await here.users.user('ada')).toMatchObject({
      uid: 1500,
      gid: 1000,
      shell: '/bin/zsh',
      groups: [],
    })
    expect(await here.users.userNumbered(1500)).toBe('ada')
    here.users.delete('ada')
    expect(await here.users.user('ada')).toBeUndefined()
  })

  test('are part of what it looks like', () => {
    const here = new SimulatedTopology()
    const before = here.snapshot()
    here.users.set('ada', { uid: 1000 })
    here.users.setGroup('docker', { gid: 900, members: ['ada'] })
    expect(compareSnapshots(before, here.snapshot())).toEqual([
      'group docker: absent → [900,"ada"]',
      'user ada: absent → [1000,65534,"/home/ada","/bin/sh","","!"]',
    ])
  })

  test('a change that is killed within is completed by the next one', async () => {
    const here = new SimulatedTopology()
    here.faults.killAt(1, 2)
    const wanted = { makeHome: true, password: '$6$salt$hash' }
    await expect(here.users.putUser('ada', wanted)).rejects.toThrow('killed')
    here.restart()
    expect(here.disk.exists('/home/ada')).toBe(false)
    await here.users.putUser('ada', wanted)
    expect(await here.users.user('ada', { password: true, home: true })).toMatchObject({
      password: '$6$salt$hash',
      homeExists: true,
    })
  })
})

test('Harmony keeps nothing before the first apply', () => {
  expect(new SimulatedTopology().residue()).toEqual([])
})
