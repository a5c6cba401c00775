/** Accounts on a real Debian: the same contract as in memory, killed at every call of the machine. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { conduct, scoreConformance } from '@harmony-iac/core/testing'
import { AuthorizedKey, Directory, File, Group, User } from '@harmony-iac/scores'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith } from '../../../../scripts/testing/require-part.ts'
import { affordable } from '../../test/affordable.ts'
import { chrootHost, type DebianStage, debian, debianRoot, debianStage } from '../../test/debian-root.ts'
import { linuxFiles } from './files.ts'
import { linuxUsers } from './users.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICNRAB0za22vaGXNLwGdMaAvyXzKt+LR/NPTya+70dRY ada@laptop'
const theirs = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJGQEwVThaRYogJyTOYYSHf2KbdC0/bcWv9AYnGuxIOp grace'
const hash = '$6$saltsalt$hashhashhashhash'
const other = '$6$saltsalt$otherotherother'

describeWith(debian, 'on a Debian', () => {
  let root: Awaited<ReturnType<typeof debianRoot>>
  beforeAll(async () => {
    root = await debianRoot()
  }, 300_000)
  afterAll(() => root.dispose())
  const open = () => debianStage(root)
  const accounts = () => {
    root.reset()
    const host = chrootHost(root.root)
    return {
      host,
      users: linuxUsers(host, linuxFiles(host, { keepFolder: async () => '/var/lib/harmony/kept' })),
    }
  }
  const etc = (name: string) => readFileSync(`${root.root}/etc/${name}`, 'utf8')

  describe('User', () => {
    const checks = scoreConformance<DebianStage>({
      factory: User,
      topology: open,
      cases: [
        {
          name: 'a person with everything',
          prepare: ({ run }) => {
            run('groupadd', 'people')
            run('groupadd', 'docker')
          },
          scores: () => [
            User({
              name: 'ada',
              uid: 2000,
              group: 'people',
              groups: ['docker', 'audio'],
              home: '/srv/ada',
              shell: '/bin/bash',
              comment: '-Ada Lovelace, ünï; $(id)',
              password: hash,
              removeHome: true,
            }),
          ],
          updated: () => [
            User({
              name: 'ada',
              uid: 2001,
              group: 'users',
              groups: [],
              home: '/srv/ada',
              shell: '/usr/sbin/nologin',
              comment: '',
              password: 'locked',
              removeHome: true,
            }),
          ],
          tampers: {
            '': ({ run }) => run('userdel', 'ada'),
            uid: ({ run }) => run('usermod', '-u', '4711', 'ada'),
            group: ({ run }) => run('usermod', '-g', 'games', 'ada'),
            groups: ({ run }) => run('usermod', '-aG', 'sudo', 'ada'),
            home: ({ run }) => run('usermod', '-d', '/nowhere', 'ada'),
            shell: ({ run }) => run('usermod', '-s', '/bin/false', 'ada'),
            comment: ({ run }) => run('usermod', '-c', 'tampered', 'ada'),
            password: ({ run }) => run('passwd', '-d', 'ada'),
            createHome: ({ at }) => rmSync(at('/srv/ada'), { recursive: true }),
          },
        },
        {
          name: 'one that was there, taken over',
          scores: () => [
            User({
              name: 'ada',
              uid: 2000,
              groups: ['audio'],
              shell: '/bin/bash',
              password: 'locked',
              createHome: false,
            }),
          ],
          occupied: ({ run }) => {
            run('useradd', '-u', '1500', '-G', 'video', '-p', other, '-c', 'was here', 'ada')
          },
        },
        {
          name: 'with a group of its own, and others kept',
          scores: () => [User({ name: 'ada', groups: ['audio'], keepGroups: true, removeHome: true })],
          tampers: { keepGroups: ({ run }) => run('usermod', '-G', '', 'ada') },
        },
        {
          name: 'for a service',
          scores: () => [
            User({ name: 'app', system: true, home: '/nonexistent', shell: '/usr/sbin/nologin' }),
          ],
        },
      ],
      exempt: {
        name: 'is the identity',
        system: 'says which numbers a new user gets',
        removeHome: 'says what a removal takes along',
      },
    })
    for (const check of affordable(checks, { kills: /with everything/ })) test(check.name, check.run)
  })

  describe('Group', () => {
    const checks = scoreConformance<DebianStage>({
      factory: Group,
      topology: open,
      cases: [
        {
          name: 'with number and members',
          scores: () => [Group({ name: 'app', gid: 700, members: ['games', 'www-data'] })],
          updated: () => [Group({ name: 'app', gid: 701, members: [] })],
          occupied: ({ run }) => {
            run('groupadd', '-g', '555', 'app')
            run('gpasswd', '-M', 'daemon', 'app')
          },
          tampers: {
            '': ({ run }) => run('groupdel', 'app'),
            gid: ({ run }) => run('groupmod', '-g', '4711', 'app'),
            members: ({ run }) => run('gpasswd', '-a', 'daemon', 'app'),
          },
        },
      ],
      exempt: { name: 'is the identity', system: 'says which number a new group gets' },
    })
    for (const check of checks) test(check.name, check.run)
  })

  describe('AuthorizedKey', () => {
    const checks = scoreConformance<DebianStage>({
      factory: AuthorizedKey,
      topology: open,
      cases: [
        {
          name: 'the first of a user',
          prepare: ({ run }) => run('useradd', '-m', 'ada'),
          scores: () => [AuthorizedKey({ user: 'ada', key, options: ['restrict'] })],
          updated: () => [AuthorizedKey({ user: 'ada', key: key.replace('laptop', 'desk'), options: [] })],
          tampers: {
            '': ({ at }) => rmSync(at('/home/ada/.ssh/authorized_keys')),
            key: ({ at }) =>
              writeFileSync(at('/home/ada/.ssh/authorized_keys'), `restrict ${key} and more\n`),
            options: ({ at }) => writeFileSync(at('/home/ada/.ssh/authorized_keys'), `${key}\n`),
          },
        },
        {
          name: 'of root, among others',
          prepare: ({ at }) => {
            mkdirSync(at('/root/.ssh'), { mode: 0o700 })
            writeFileSync(at('/root/.ssh/authorized_keys'), `# office\n${theirs}\n`, { mode: 0o600 })
          },
          scores: () => [AuthorizedKey({ user: 'root', key })],
          tampers: {
            user: ({ at }) => writeFileSync(at('/root/.ssh/authorized_keys'), `# office\n${theirs}\n`),
          },
        },
      ],
      exempt: {},
    })
    for (const check of affordable(checks, { kills: /the first/ })) test(check.name, check.run)
  })

  test('a whole person is made, found as wanted, and gone without a trace', async () => {
    const stage = open()
    const before = await stage.snapshot()
    const project = conduct(stage, [
      Group({ name: 'app', system: true, members: ['ada'] }),
      User({ name: 'ada', removeHome: true, password: 'locked' }),
      AuthorizedKey({ user: 'ada', key }),
      File({ path: '/home/ada/.netrc', content: 'x', owner: 'ada', group: 'ada', mode: '0600' }),
      Directory({ path: '/srv/app', owner: 'ada', group: 'app' }),
    ])
    expect((await project.apply()).outcomes).toMatchObject({ success: 5, failure: 0 })
    expect(existsSync(stage.at('/home/ada/.bashrc'))).toBe(true)
    expect(statSync(stage.at('/home/ada/.ssh')).mode & 0o777).toBe(0o700)
    expect(statSync(stage.at('/home/ada/.ssh/authorized_keys')).mode & 0o777).toBe(0o600)
    expect((await project.apply()).changed).toBe(0)
    expect((await project.destroy()).outcomes.failure).toBe(0)
    expect(await stage.snapshot()).toEqual(before)
  })

  describe('is not to be talked into', () => {
    test('removing root, or giving it another number', async () => {
      const { users } = accounts()
      await expect(users.removeUser('root', { home: true, group: true })).rejects.toMatchObject({
        code: 'refused',
      })
      await expect(users.putUser('root', { uid: 5 })).rejects.toMatchObject({ code: 'refused' })
      await expect(users.removeGroup('root')).rejects.toMatchObject({ code: 'refused' })
      expect(etc('passwd')).toContain('root:x:0:0:')
    })

    test('a number that is somebody else’s', async () => {
      const { users, host } = accounts()
      await expect(users.putUser('ada', { uid: 33 })).rejects.toMatchObject({
        code: 'refused',
        message: 'ada cannot have the number 33: it belongs to the user www-data',
      })
      await expect(users.putGroup('app', { gid: 33 })).rejects.toMatchObject({ code: 'refused' })
      expect(host.ran).toEqual([])
    })

    test('a shell that does not exist', async () => {
      await expect(accounts().users.putUser('ada', { shell: '/bin/nosuchshell' })).rejects.toMatchObject({
        code: 'refused',
      })
    })

    test('the home of somebody else, the host’s own folders, and what a link leads to', async () => {
      const { users } = accounts()
      const remove = () => users.removeUser('ada', { home: true, group: true })
      await users.putUser('ada', { home: '/srv' })
      await expect(remove()).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('belongs to somebody else'),
      })
      await users.putUser('ada', { home: '/home/ada', makeHome: true })
      await users.putUser('eve', { home: '/home/ada/eve' })
      await expect(remove()).rejects.toMatchObject({
        message: expect.stringContaining('the home of eve is in it'),
      })
      await users.removeUser('eve', { home: false, group: true })
      mkdirSync(`${root.root}/srv/eve/ada`, { recursive: true })
      for (const [at, uid] of [
        ['eve', 4711],
        ['eve/ada', (await users.user('ada'))?.uid ?? 0],
      ] as const)
        chownSync(`${root.root}/srv/${at}`, uid, 0)
      await users.putUser('ada', { home: '/srv/eve/ada' })
      await expect(remove()).rejects.toMatchObject({
        message: expect.stringContaining('/srv/eve belongs to somebody else'),
      })
      await users.putUser('ada', { home: '/home/link' })
      symlinkSync('/etc', `${root.root}/home/link`)
      await expect(remove()).rejects.toMatchObject({ message: expect.stringContaining('there is a symlink') })
      expect(etc('passwd')).toContain('ada:')
    })

    test('writing through a link that leads out of a home', async () => {
      const { users } = accounts()
      await users.putUser('ada', { makeHome: true })
      symlinkSync('/etc', `${root.root}/home/ada/.ssh`)
      const [blob = ''] = key.split(' ').slice(1)
      await expect(users.setKey('ada', blob, [key])).rejects.toMatchObject({ code: 'refused' })
      expect(existsSync(`${root.root}/etc/authorized_keys`)).toBe(false)
    })
  })

  test('hostile text in every field of an account is taken as it is, or refused by the program', async () => {
    const { users } = accounts()
    const passwd = () =>
      etc('passwd')
        .split('\n')
        .filter((line) => !line.startsWith('ada:'))
        .join('\n')
    const before = passwd()
    for (const comment of [
      '; touch /pwned',
      '$(touch /pwned)',
      '`id`',
      '--root=/',
      '-x',
      'it\'s "q" \\ %s ${HOME}',
      'ünï ☂',
    ]) {
      await users.putUser('ada', { comment })
      expect((await users.user('ada'))?.comment).toBe(comment)
    }
    // What a schema would have refused, given all the same: the program refuses, or nothing comes of it.
    for (const comment of ['a:0:0', 'a\nroot2::0:0::/:/bin/sh'])
      await expect(users.putUser('ada', { comment })).rejects.toMatchObject({ code: 'command-failed' })
    for (const home of ['/home/a:b', '/a\nb', '-x'])
      await expect(users.putUser('ada', { home })).rejects.toMatchObject({ code: 'command-failed' })
    for (const name of ['--help', '-r', 'a:b', 'a\nb', '; id'])
      await expect(users.putUser(name, {})).rejects.toMatchObject({ code: 'command-failed' })
    // Debian's useradd takes this name as it takes any other.
    await users.putUser('$(id)', {})
    await users.removeUser('$(id)', { home: false, group: true })
    for (const home of ['/srv/$(id)', '/srv/a b', '/srv/;x', '/srv/ü']) {
      await users.putUser('ada', { home, makeHome: true })
      expect(existsSync(root.root + home)).toBe(true)
    }
    expect(passwd()).toBe(before)
    expect(existsSync(`${root.root}/pwned`)).toBe(false)
  })

  test('a group that was there before its user stays when the user goes', async () => {
    const { users } = accounts()
    await users.putGroup('ada', { gid: 900 })
    await expect(users.putUser('ada', {})).rejects.toMatchObject({ code: 'refused' })
    await users.putUser('ada', { group: 'ada' })
    await users.removeUser('ada', { home: false, group: false })
    expect(await users.group('ada')).toEqual({ name: 'ada', gid: 900, members: [] })
    await users.putUser('ada', { group: 'ada' })
    await users.removeUser('ada', { home: false, group: true })
    expect(await users.group('ada')).toBeUndefined()
  })

  test('a group of its own goes too where the host would leave it', async () => {
    const { users } = accounts()
    const defs = `${root.root}/etc/login.defs`
    const text = readFileSync(defs, 'utf8')
    writeFileSync(defs, text.replace(/^USERGROUPS_ENAB.*$/m, 'USERGROUPS_ENAB no'))
    try {
      await users.putUser('ada', {})
      expect((await users.user('ada'))?.group).toBe('ada')
      await users.removeUser('ada', { home: false, group: true })
      expect(await users.group('ada')).toBeUndefined()
    } finally {
      writeFileSync(defs, text)
    }
  })

  test('a user whose group was lost with the power gets it again', async () => {
    const { users } = accounts()
    execFileSync('chroot', [root.root, 'useradd', '-u', '7777', '-N', '-g', '100', 'ada'])
    writeFileSync(`${root.root}/etc/passwd`, etc('passwd').replace(/^(ada:x:\d+):100:/m, '$1:7777:'))
    await users.putUser('ada', {})
    expect(await users.group('ada')).toMatchObject({ gid: 7777 })
    writeFileSync(`${root.root}/etc/passwd`, etc('passwd').replace(/^(ada:x:\d+):7777:/m, '$1:8888:'))
    await users.putUser('ada', {})
    expect(await users.groupNumbered(8888)).toBeUndefined()
  })

  test('a user whose line of passwords was lost with the power gets it again', async () => {
    const { users } = accounts()
    for (const wanted of [{ locked: true }, { password: hash }]) {
      await users.putUser('ada', {})
      writeFileSync(`${root.root}/etc/shadow`, etc('shadow').replace(/^ada:.*\n/m, ''))
      await users.putUser('ada', wanted)
      expect((await users.user('ada', { password: true }))?.password).toBe(wanted.password ?? '!')
      await users.removeUser('ada', { home: false, group: true })
    }
  })

  test('passwords are set as hashes, locked and unlocked, and stand in no argument', async () => {
    const { users, host } = accounts()
    const password = async () => (await users.user('ada', { password: true }))?.password
    await users.putUser('ada', { password: hash })
    expect(await password()).toBe(hash)
    await users.putUser('ada', { locked: true })
    expect(await password()).toBe(`!${hash}`)
    for (const exact of ['!', '*', '', hash]) {
      await users.putUser('ada', { password: exact })
      expect(await password()).toBe(exact)
    }
    expect(JSON.stringify(host.ran)).not.toContain('salt')
  })

  test('a lock that somebody else holds is told', async () => {
    const { users } = accounts()
    await users.putUser('ada', {})
    // A process that lives: ours.
    writeFileSync(`${root.root}/etc/passwd.lock`, `${process.pid}\0`)
    const changing = users.putUser('ada', { comment: 'x' })
    await expect(changing).rejects.toMatchObject({
      code: 'command-failed',
      hint: expect.stringContaining('somebody else'),
    })
  })

  test('a key file of more than 64 KiB, with the owner that root gave it, is changed by a line', async () => {
    const { users } = accounts()
    await users.putUser('ada', { makeHome: true })
    mkdirSync(`${root.root}/home/ada/.ssh`)
    const file = `${root.root}/home/ada/.ssh/authorized_keys`
    const many = `${theirs}\n# ${'x'.repeat(100)}\n`.repeat(1000)
    writeFileSync(file, many)
    chmodSync(file, 0o644)
    const [blob = ''] = key.split(' ').slice(1)
    await users.setKey('ada', blob, [key])
    expect(readFileSync(file, 'utf8')).toBe(`${many}${key}\n`)
    expect(statSync(file)).toMatchObject({ uid: 0, mode: 0o100644 })
    await users.setKey('ada', blob, [])
    expect(readFileSync(file, 'utf8')).toBe(many)
  })
})
