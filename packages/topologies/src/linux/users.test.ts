import type { FileSystem } from '@harmony-iac/core/capabilities'
import type { ExecOptions, ExecResult, Host } from '@harmony-iac/core/host'
import { describe, expect, test } from 'vitest'
import { linuxUsers } from './users.ts'

interface World {
  readonly files: Record<string, string>
  /** What a program does to the files; the text is what it complains about. */
  readonly programs?: (
    argv: readonly string[],
    options: ExecOptions,
    files: Record<string, string>,
  ) => string | undefined
  readonly reads: string[]
  readonly ran: string[]
  /** What is at which path besides files, and whose. */
  readonly there?: Record<string, { readonly uid: number; readonly type: 'file' | 'directory' }>
}

/** A host that has just these files and programs. */
function hostWith(world: World): Host {
  const stat = (path: string) => {
    const text = world.files[path]
    const other = world.there?.[path]
    if (text === undefined && !other) return undefined
    const facts = { mode: 0o644, uid: other?.uid ?? 0, gid: 0, device: 1n, mtimeNs: 0n, ctimeNs: 0n }
    return { type: other?.type ?? ('file' as const), size: text?.length ?? 0, inode: text ?? path, ...facts }
  }
  return {
    name: 'kiosk',
    files: {
      lstat: async (path: string) => stat(path),
      readdir: async (path: string) =>
        Object.keys(world.there ?? {}).flatMap((each) =>
          each.startsWith(`${path}/`) ? each.slice(path.length + 1) : [],
        ),
      realpath: async (path: string) => path,
      read: async (path: string) => {
        world.reads.push(path)
        if (world.files[path] === 'EACCES')
          throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', path })
        return world.files[path] === undefined
          ? undefined
          : { stat: stat(path), bytes: Buffer.from(world.files[path]) }
      },
    },
    exec: async (argv: readonly string[], options: ExecOptions = {}) => {
      world.ran.push(argv.join(' '))
      const complaint = world.programs?.(argv, options, world.files)
      return {
        exitCode: complaint === undefined ? 0 : 1,
        signal: null,
        timedOut: false,
        stderr: Buffer.from(complaint ?? ''),
      } as unknown as ExecResult
    },
  } as unknown as Host
}

const world = (more: Partial<World> = {}): World => ({
  files: {
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000:Ada:/home/ada:/bin/sh\n',
    '/etc/group': 'root:x:0:\nada:x:1000:\nvideo:x:44:ada\naudio:x:29:\n',
    '/etc/shadow': 'root:*:1::::::\nada:!:1::::::\n',
    '/bin/zsh': 'a shell',
  },
  reads: [],
  ran: [],
  ...more,
})

const usersOn = (on: World) => linuxUsers(hostWith(on), {} as FileSystem)

test('a thousand questions read each file once, and what nobody asked for not at all', async () => {
  const on = world()
  const users = usersOn(on)
  const found = await Promise.all(Array.from({ length: 1000 }, () => users.user('ada')))
  expect(found.every((user) => user?.uid === 1000 && user.groups.join() === 'video')).toBe(true)
  // In a later turn it is only looked whether they are other files.
  await new Promise(setImmediate)
  expect(await users.group('video')).toEqual({ name: 'video', gid: 44, members: ['ada'] })
  expect(on.reads.sort()).toEqual(['/etc/group', '/etc/passwd'])
})

test('what somebody has changed meanwhile is seen', async () => {
  const on = world()
  const users = usersOn(on)
  expect(await users.user('new')).toBeUndefined()
  on.files['/etc/passwd'] += 'new:x:1001:1000::/:\n'
  await new Promise(setImmediate)
  expect(await users.userNumbered(1001)).toBe('new')
  expect(await users.user('new')).toMatchObject({ uid: 1001, group: 'ada', groups: [], password: undefined })
})

describe('a change', () => {
  test('names just what differs, so that nothing runs for what is as wanted', async () => {
    const on = world()
    const users = usersOn(on)
    await users.putUser('ada', {
      uid: 1000,
      group: 'ada',
      groups: ['video'],
      home: '/home/ada',
      comment: 'Ada',
      locked: true,
    })
    await users.putGroup('video', { gid: 44, members: ['ada'] })
    expect(on.ran).toEqual([])
    await users.putUser('ada', { uid: 1000, group: 44, groups: [], shell: '/bin/zsh', comment: '-x' })
    expect(on.ran).toEqual(['usermod --gid=44 --groups= --shell=/bin/zsh --comment=-x -- ada'])
  })

  test('waits for the one before, and sees what it has made', async () => {
    const on = world({
      programs: ([program = '', ...args], _, files) => {
        if (program === 'groupadd') files['/etc/group'] += `${args.at(-1)}:x:2000:\n`
        if (program === 'useradd') files['/etc/passwd'] += `${args.at(-1)}:x:2000:2000::/home/x:/bin/sh\n`
        return undefined
      },
    })
    const users = usersOn(on)
    await Promise.all([
      users.putGroup('app', {}),
      users.putUser('app', { group: 'app' }),
      users.putUser('app', {}),
    ])
    expect(on.ran).toEqual(['groupadd -- app', 'useradd --no-create-home --gid=app -- app'])
  })

  test('of a password goes in on standard input', async () => {
    const given: unknown[] = []
    const on = world({
      programs: (_, { stdin }) => {
        given.push(stdin)
        return undefined
      },
    })
    await usersOn(on).putUser('ada', { password: '$6$salt$hash' })
    expect([on.ran, given]).toEqual([['chpasswd --encrypted'], ['ada:$6$salt$hash\n']])
  })

  test('that fails does not hold up the next one', async () => {
    const on = world({ programs: ([program]) => (program === 'groupmod' ? 'nope' : undefined) })
    const users = usersOn(on)
    const [first, second] = await Promise.allSettled([
      users.putGroup('audio', { gid: 5 }),
      users.removeGroup('audio'),
    ])
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled'])
  })

  test.each([
    ['useradd: Permission denied.', 'run as root: only root changes accounts'],
    [
      'usermod: cannot lock /etc/passwd; try again later.',
      'somebody else is changing accounts: wait for that to end, and apply again',
    ],
    [
      'usermod: user ada is currently used by process 12',
      'end its programs (loginctl terminate-user, or stop its services), and apply again',
    ],
    [
      "useradd: user 'ada' already exists",
      'it comes from another source of accounts (LDAP, systemd-homed), which is not changed here',
    ],
    ['something else', 'what was done before it stays; apply again once that is resolved'],
  ])('that ends with %j says what to do', async (complaint, hint) => {
    const users = usersOn(world({ programs: () => complaint }))
    await expect(users.putUser('new', {})).rejects.toMatchObject({
      code: 'command-failed',
      message: `useradd failed with exit status 1: ${complaint}`,
      hint,
    })
  })
})

test('a password that may not be read is told, and other questions are answered all the same', async () => {
  const on = world()
  on.files['/etc/shadow'] = 'EACCES'
  const users = usersOn(on)
  expect(await users.user('ada')).toMatchObject({ uid: 1000 })
  await expect(users.user('ada', { password: true })).rejects.toMatchObject({
    code: 'system',
    hint: 'run as root, or leave out password',
  })
})

test('a user whose programs are running keeps home and account', async () => {
  const on = world({
    there: {
      '/home/ada': { uid: 1000, type: 'directory' },
      '/proc/1': { uid: 0, type: 'directory' },
      '/proc/17': { uid: 1000, type: 'directory' },
      '/proc/self': { uid: 1000, type: 'directory' },
    },
  })
  await expect(usersOn(on).removeUser('ada', { home: true, group: true })).rejects.toMatchObject({
    code: 'refused',
    message: 'ada cannot be removed: its programs are running (17)',
  })
  expect(on.ran).toEqual([])
})
