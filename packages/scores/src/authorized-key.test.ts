import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { AuthorizedKey, type AuthorizedKeySpec, File, User } from './index.ts'

const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAICNRAB0za22vaGXNLwGdMaAvyXzKt+LR/NPTya+70dRY'
const bare = `ssh-ed25519 ${blob}`
const key = `${bare} ada@laptop`
const fingerprint = 'SHA256:hifZlfoyrMruuutvLjGNtO6VeREXksSjlP3+qXwtUiE'
const theirs = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJGQEwVThaRYogJyTOYYSHf2KbdC0/bcWv9AYnGuxIOp grace'
const ecdsa =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA7eRyrUnvxdv9i1pB7x/kaM6e9FVZoZAYWHfQP5iKhIssFXbp/ytg2LognJ0JU1AQKLEA5s5KCjEJjf7aHbF9U='
const weak =
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCq6XOAlRQhdGhTap3ItMoTtOEmK33rwDfihxLHH7rM4Fw5q4l7loyUXAU+OPdk+IabyoctUUDutL0Gk44GX/1DPh8ghQLDI4U+BU72HHuU5I6D6lvlT+DcApkZ+iV7ZoiJrYjBTC3WL1YpmCzkw+FUp9aXhSOPHMUeFSd7Z8dp8Q== w'
const path = '/home/ada/.ssh/authorized_keys'

const machine = () =>
  new SimulatedTopology({
    users: { ada: 1000 },
    files: { '/home/ada': { directory: true, owner: 'ada', group: 'ada' } },
  })

/** A file of keys that people have been at. */
const shared = `# the office\n${theirs}\n\n`
const withOthers = (here: SimulatedTopology, text = '') =>
  here.disk.write(path, `${shared}${text}`, { owner: 'ada', group: 'ada', mode: '0600' })

describe('the contract', () => {
  const checks = scoreConformance({
    factory: AuthorizedKey,
    topology: machine,
    cases: [
      {
        name: 'the first key of a user',
        scores: () => [AuthorizedKey({ user: 'ada', key })],
        updated: () => [AuthorizedKey({ user: 'ada', key: `${bare} ada@desk`, options: ['no-pty'] })],
        tampers: {
          '': ({ disk }) => disk.remove(path),
          key: ({ disk }) => disk.write(path, `${bare} mallory\n`),
        },
      },
      {
        name: 'among the keys of others, restricted',
        scores: () => [
          AuthorizedKey({ user: 'ada', key, options: ['restrict', 'command="echo \\"a, b\\" #c"'] }),
        ],
        prepare: (here) => withOthers(here),
        occupied: (here) => withOthers(here, `from="10.0.0.1" ${bare} old\n${bare}\n# end\n`),
        tampers: {
          options: (here) => withOthers(here, `${key}\n`),
          user: (here) => withOthers(here),
        },
      },
      {
        name: 'of a user who is made with it',
        scores: () => {
          const first = AuthorizedKey({ user: 'grace', key: theirs })
          return [
            // Side by side, their lines would stand in the file as it happens.
            AuthorizedKey({
              user: 'grace',
              key: ecdsa,
              options: ['cert-authority', 'principals="a,b"'],
              after: [first],
            }),
            first,
            User({ name: 'grace', removeHome: true, home: '/home/grace' }),
          ]
        },
      },
    ],
  })
  for (const check of checks) test(check.name, check.run)
})

test.each<[spec: Partial<AuthorizedKeySpec>, issue: string]>([
  [{ user: '../root' }, 'user: must be letters, digits, _ . and -, and start with a letter or _'],
  [{ key: 'hello' }, 'key: is no public key; write it as ssh-keygen does: ssh-ed25519 AAAA… comment'],
  [{ key: `${key}\n${theirs}` }, 'key: must be one line, without control characters'],
  [{ key: `${key}\u202e` }, 'key: must be one line, without control characters'],
  [{ key: `${key} ` }, 'key: has spaces to spare; write type, key and comment with one between them'],
  [{ key: `no-pty ${key}` }, 'key: begins with options; write them into options'],
  [
    { key: `ssh-rsa ${blob}` },
    'key: says ssh-rsa, but the key itself is another one: part of the line was mistyped',
  ],
  [{ key: `ssh-ed25519 ${blob.slice(0, -4)}` }, 'key: is cut off or mistyped: its parts do not add up'],
  [{ key: `ssh-ed25519 ${blob.slice(0, -1)}` }, 'key: is cut off or mistyped: its second word is no base64'],
  [
    { key: 'ssh-dss AAAAB3NzaC1kc3M= x' },
    'key: has the type ssh-dss, which no server accepts; use ssh-ed25519',
  ],
  [{ key: weak }, 'key: is an RSA key of 1024 bits or less, which is not safe'],
  [
    { key: '-----BEGIN OPENSSH PRIVATE KEY-----' },
    'key: is a private key: write the public one (the file that ends in .pub)',
  ],
  [{ options: ['no-pty="x"'] }, 'options.0: no-pty takes no value'],
  [{ options: ['command=x'] }, 'options.0: must be written command="…", with \\" for a quote inside'],
  [
    { options: ['command="x" ssh-rsa AAAA"'] },
    'options.0: must be written command="…", with \\" for a quote inside',
  ],
  [{ options: ['command="x\\"'] }, 'options.0: must be written command="…", with \\" for a quote inside'],
  [{ options: ['command="x\ny"'] }, 'options.0: must not contain control characters'],
])('%j is refused', (spec, issue) => {
  const { issues } = AuthorizedKey({ user: 'ada', key, ...spec })['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})

test.each(['comand="x"', 'no-pty,pty', '', 'restrict ', '--', 'environment'])(
  'the option %j is refused',
  (option) => {
    expect(AuthorizedKey({ user: 'ada', key, options: [option] })['~score'].issues).toHaveLength(1)
  },
)

test('it is known by its fingerprint, whatever its comment', () => {
  expect(AuthorizedKey({ user: 'ada', key }).id).toBe(`AuthorizedKey:ada ${fingerprint}`)
  expect(AuthorizedKey({ user: 'ada', key: `${bare} other` }).id).toBe(
    AuthorizedKey({ user: 'ada', key: bare }).id,
  )
})

test('what is not said of a line stays as it is', async () => {
  const here = machine()
  withOthers(here, `restrict ${key}\n`)
  const { changed } = await conduct(here, [AuthorizedKey({ user: 'ada', key: bare })]).apply()
  expect(changed).toBe(0)
  expect(here.disk.read(path)).toBe(`${shared}restrict ${key}\n`)
})

test('a line without the restriction, added behind the one that has it, is found and taken away', async () => {
  const here = machine()
  const project = conduct(here, [AuthorizedKey({ user: 'ada', key, options: ['restrict'] })])
  await project.apply()
  here.disk.write(path, `restrict ${key}\n${bare}\n`)
  expect((await project.drift()).entries).toHaveLength(1)
  await project.apply()
  expect(here.disk.read(path)).toBe(`restrict ${key}\n`)
})

test('a new file and its folder are for the user alone', async () => {
  const here = machine()
  await conduct(here, [AuthorizedKey({ user: 'ada', key })]).apply()
  const snapshot = here.snapshot()
  expect(snapshot['/home/ada/.ssh']).toBe('directory 0700 ada:ada')
  expect(snapshot[path]).toContain('file 0600 ada:ada')
})

test('hundreds of keys of one user are put there side by side with few writes, and none is lost', async () => {
  const here = machine()
  const keys = Array.from({ length: 500 }, (_, i) => {
    const bytes = Buffer.from(blob, 'base64')
    bytes.writeUInt32BE(i, bytes.length - 4)
    return AuthorizedKey({ user: 'ada', key: `ssh-ed25519 ${bytes.toString('base64')} k` })
  })
  const project = conduct(here, keys)
  expect((await project.apply()).outcomes).toMatchObject({ success: 500, failure: 0 })
  expect(here.disk.read(path)?.trim().split('\n')).toHaveLength(500)
  expect(here.writes.filter(({ method }) => method === 'writeFile').length).toBeLessThan(200)
  expect((await project.apply()).changed).toBe(0)
})

test.each([
  ['the folder', '/home/ada/.ssh', '/etc'],
  ['the file', path, '/etc/shadow'],
])('%s as a link out of the home is refused, and what it leads to is left alone', async (_, at, target) => {
  const here = machine()
  here.disk.write('/etc/shadow', 'precious')
  here.disk.makeDirectory('/home/ada/.ssh')
  here.disk.remove(at)
  here.disk.link(at, target)
  const { failures } = await conduct(here, [AuthorizedKey({ user: 'ada', key })]).plan()
  expect(failures[0]).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('out of the home of ada'),
  })
  expect(here.disk.read('/etc/shadow')).toBe('precious')
  expect(here.disk.exists('/etc/authorized_keys')).toBe(false)
})

test('a link within the home is followed', async () => {
  const here = machine()
  here.disk.makeDirectory('/home/ada/dotfiles/ssh', { owner: 'ada' })
  here.disk.link('/home/ada/.ssh', 'dotfiles/ssh')
  await conduct(here, [AuthorizedKey({ user: 'ada', key })]).apply()
  expect(here.disk.read('/home/ada/dotfiles/ssh/authorized_keys')).toBe(`${key}\n`)
})

test('a user without a home, or in the home of somebody else, gets no key', async () => {
  const none = new SimulatedTopology({ users: { ada: 1000 } })
  const [first] = (await conduct(none, [AuthorizedKey({ user: 'ada', key })]).apply()).results
  expect(first?.error).toMatchObject({
    code: 'refused',
    message: 'ada has no home: there is no folder /home/ada',
  })
  const here = machine()
  here.disk.chown('/home/ada', 'nobody')
  const [second] = (await conduct(here, [AuthorizedKey({ user: 'ada', key })]).apply()).results
  expect(second?.error).toMatchObject({
    code: 'refused',
    message: '/home/ada: it belongs to nobody, not to ada',
  })
})

test('a key of a user who does not exist is refused', async () => {
  const { results } = await conduct(machine(), [AuthorizedKey({ user: 'nope', key })]).apply()
  expect(results[0]?.error).toMatchObject({ code: 'no-such-user', hint: expect.stringContaining('User') })
})

test('a File at the very path is a conflict', async () => {
  const scores = [AuthorizedKey({ user: 'ada', key }), File({ path, content: '' })]
  await expect(conduct(machine(), scores).plan()).rejects.toMatchObject({ code: 'claim-conflict' })
})

test('a folder that is another one than we would make stays when the last key goes', async () => {
  const here = machine()
  here.disk.makeDirectory('/home/ada/.ssh', { owner: 'ada', mode: '0755' })
  const project = conduct(here, [AuthorizedKey({ user: 'ada', key })])
  await project.apply()
  await project.destroy()
  expect(here.disk.paths('/home/ada')).toEqual(['/home/ada/.ssh'])
})

test('outputs and status tell where it is', async () => {
  const here = machine()
  const score = AuthorizedKey({ user: 'ada', key })
  await conduct(here, [score, File({ path: '/etc/note', content: score.out.fingerprint })]).apply()
  expect(here.disk.read('/etc/note')).toBe(fingerprint)
  expect(AuthorizedKey.status({ path, lines: [] })).toEqual({ exists: false, path })
})

test.each<[what: string, content: string | Uint8Array]>([
  ['text that is no UTF-8', Buffer.from([0x23, 0xff, 0x0a])],
  ['more than can be held', 'x'.repeat(70_000)],
])('a file with %s is refused, and left as it is', async (_, content) => {
  const here = machine()
  here.disk.write(path, content, { owner: 'ada' })
  const { failures } = await conduct(here, [AuthorizedKey({ user: 'ada', key })]).plan()
  expect(failures[0]).toMatchObject({ code: 'refused', message: expect.stringContaining(path) })
})

test('a user with an empty home gets no key at the top of the file system', async () => {
  const here = machine()
  here.users.set('ada', { home: '' })
  const { failures } = await conduct(here, [AuthorizedKey({ user: 'ada', key })]).plan()
  expect(failures[0]).toMatchObject({ code: 'refused', message: '(none)/.ssh: ada has no home' })
})

test('a file that is changed while it is written is read again, and nothing is lost', async () => {
  const here = machine()
  withOthers(here)
  const writeFile = here.files.writeFile.bind(here.files)
  let raced = false
  here.files.writeFile = async (at, ...rest) => {
    if (!raced) here.disk.write(path, `${shared}# somebody was here\n`)
    raced = true
    return await writeFile(at, ...rest)
  }
  const { outcomes } = await conduct(here, [AuthorizedKey({ user: 'ada', key })]).apply()
  expect(outcomes.failure).toBe(0)
  expect(here.disk.read(path)).toBe(`${shared}# somebody was here\n${key}\n`)
})
