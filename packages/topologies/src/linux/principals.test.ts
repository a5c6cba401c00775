import type { ExecResult, Host } from '@harmony-iac/core/host'
import { describe, expect, test } from 'vitest'
import { hasOtherSources, linuxPrincipals } from './principals.ts'

interface World {
  passwd: string
  group?: string
  nsswitch?: string
  /** What `getent DATABASE KEY` prints. */
  getent?: Record<string, string>
  asked: string[]
  reads: string[]
}

/** A host that has just these files and this getent. */
function hostWith(world: World): Host {
  const file = (path: string) =>
    ({ '/etc/passwd': world.passwd, '/etc/group': world.group, '/etc/nsswitch.conf': world.nsswitch })[path]
  const stat = (text: string) => ({
    type: 'file' as const,
    size: text.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
    inode: text,
    mtimeNs: 0n,
    ctimeNs: 0n,
  })
  return {
    name: 'kiosk',
    files: {
      lstat: async (path: string) => {
        const text = file(path)
        return text === undefined ? undefined : stat(text)
      },
      read: async (path: string) => {
        world.reads.push(path)
        const text = file(path)
        return text === undefined ? undefined : { stat: stat(text), bytes: Buffer.from(text) }
      },
    },
    exec: async ([, ...args]: readonly string[]) => {
      const key = args.join(' ')
      world.asked.push(key)
      const line = world.getent?.[key]
      return {
        exitCode: line === undefined ? 2 : 0,
        stdout: Buffer.from(line ?? ''),
      } as unknown as ExecResult
    },
  } as unknown as Host
}

const world = (more: Partial<World> = {}): World => ({
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/:/bin/false\nalias:x:33:33::/:\n1000:x:77:77::/:\n',
  group: 'root:x:0:\nwww:x:33:web,alice\n',
  asked: [],
  reads: [],
  ...more,
})

describe('by number', () => {
  test('a user and a group have their first name in the file', async () => {
    const principals = linuxPrincipals(hostWith(world()))
    expect(await principals.named('passwd', 33)).toEqual({ id: 33, name: 'web' })
    expect(await principals.named('group', 33)).toEqual({ id: 33, name: 'www' })
  })

  test('one without an entry has no name, and nobody is asked where the files are the only source', async () => {
    const on = world({ nsswitch: 'passwd: files systemd\n' })
    expect(await linuxPrincipals(hostWith(on)).named('passwd', 4711)).toEqual({ id: 4711, name: undefined })
    expect(on.asked).toEqual([])
  })

  test('one without an entry is asked for once where there are other sources', async () => {
    const on = world({
      nsswitch: 'passwd: files sss\n',
      getent: { 'passwd 4711': 'alice:*:4711:4711::/:\n' },
    })
    const principals = linuxPrincipals(hostWith(on))
    for (let i = 0; i < 3; i++)
      expect(await principals.named('passwd', 4711)).toEqual({ id: 4711, name: 'alice' })
    expect(on.asked).toEqual(['passwd 4711'])
  })

  test('a thousand questions at once start getent once', async () => {
    const on = world({ nsswitch: 'passwd: sss', getent: { 'passwd 9': 'nine:*:9:9::/:' } })
    const principals = linuxPrincipals(hostWith(on))
    const answers = await Promise.all(Array.from({ length: 1000 }, () => principals.named('passwd', 9)))
    expect(answers.every(({ name }) => name === 'nine')).toBe(true)
    await Promise.allSettled(Array.from({ length: 1000 }, () => principals.numbered('passwd', 'none')))
    expect(on.asked).toEqual(['passwd 9', 'passwd none'])
  })

  test('a thousand questions read each file once', async () => {
    const on = world()
    const principals = linuxPrincipals(hostWith(on))
    await Promise.all(Array.from({ length: 1000 }, () => principals.named('passwd', 33)))
    expect(on.reads).toEqual(['/etc/passwd'])
  })
})

describe('by name', () => {
  test.each([
    ['passwd', 'root', 0],
    ['passwd', 'alias', 33],
    ['group', 'www', 33],
    ['passwd', 5, 5],
    ['passwd', '5', 5],
    // As chown does: a user may be called 1000.
    ['passwd', '1000', 77],
  ] as const)('%s %j is %i', async (database, given, id) => {
    expect(await linuxPrincipals(hostWith(world())).numbered(database, given)).toBe(id)
  })

  test('one that is not in the file is asked for', async () => {
    const on = world({ getent: { 'passwd alice': 'alice:*:4711:4711::/:\n' } })
    expect(await linuxPrincipals(hostWith(on)).numbered('passwd', 'alice')).toBe(4711)
  })

  test.each(['nobodyknows', '-v', 'a:b', '', 'two\nlines', '99999999999'])('%j is unknown', async (name) => {
    const on = world()
    await expect(linuxPrincipals(hostWith(on)).numbered('group', name)).rejects.toMatchObject({
      code: 'no-such-user',
      message: `there is no group "${name}" on kiosk`,
      data: { database: 'group', name },
    })
    expect(on.asked.every((asked) => !asked.includes(' -'))).toBe(true)
  })

  test('one that was made since is found', async () => {
    const on = world()
    const principals = linuxPrincipals(hostWith(on))
    await expect(principals.numbered('passwd', 'new')).rejects.toMatchObject({ code: 'no-such-user' })
    on.passwd += 'new:x:1001:1001::/:\n'
    await new Promise(setImmediate)
    expect(await principals.numbered('passwd', 'new')).toBe(1001)
  })
})

test.each([
  ['', false],
  ['passwd: files', false],
  ['passwd:\t\tcompat systemd # ldap some day', false],
  ['passwd: files [NOTFOUND=return] db', false],
  ['passwd: files sss', true],
  ['group: ldap\npasswd: files', false],
  ['passwd: files ldap\n', true],
])('%j has other sources: %s', (nsswitch, expected) => {
  expect(hasOtherSources(nsswitch, 'passwd')).toBe(expected)
})
