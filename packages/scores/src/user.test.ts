import { secret } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Directory, File, Group, User, type UserSpec } from './index.ts'

const hash = '$6$saltsalt$hashhashhashhash'
const other = '$y$j9T$saltsalt$otherotherother'

const machine = () => {
  const here = new SimulatedTopology({ users: { www: 90 } })
  for (const group of ['docker', 'audio', 'staff']) here.users.setGroup(group)
  return here
}

describe('the contract', () => {
  const checks = scoreConformance({
    factory: User,
    topology: machine,
    cases: [
      {
        name: 'a person with everything',
        scores: () => [
          Group({ name: 'people', gid: 800 }),
          User({
            name: 'ada',
            uid: 2000,
            group: 'people',
            groups: ['docker', 'audio'],
            home: '/srv/ada',
            shell: '/bin/bash',
            comment: 'Ada Lovelace, ünï',
            password: hash,
            removeHome: true,
          }),
          File({ path: '/srv/ada/notes', content: 'hello', owner: 'ada', group: 'people' }),
        ],
        updated: () => [
          Group({ name: 'people', gid: 800 }),
          User({
            name: 'ada',
            uid: 2001,
            group: 'staff',
            groups: [],
            home: '/srv/ada',
            shell: '/bin/false',
            comment: '',
            password: 'locked',
            removeHome: true,
          }),
        ],
        tampers: {
          '': ({ users }) => users.delete('ada'),
          uid: ({ users }) => users.set('ada', { uid: 4711 }),
          group: ({ users }) => users.set('ada', { gid: 33 }),
          groups: ({ users }) => users.set('ada', { groups: ['docker', 'audio', 'staff'] }),
          home: ({ users }) => users.set('ada', { home: '/nowhere' }),
          shell: ({ users }) => users.set('ada', { shell: '/bin/false' }),
          comment: ({ users }) => users.set('ada', { comment: 'tampered' }),
          password: ({ users }) => users.set('ada', { password: '' }),
        },
      },
      {
        name: 'with a group of its own and a home',
        scores: () => [User({ name: 'ada', createHome: true, password: 'locked', removeHome: true })],
        tampers: {
          createHome: ({ disk }) => disk.remove('/home/ada'),
        },
      },
      {
        name: 'one that was there, in more groups',
        scores: () => [
          User({
            name: 'ada',
            uid: 2000,
            groups: ['docker'],
            keepGroups: true,
            shell: '/bin/bash',
            password: 'locked',
            createHome: false,
          }),
        ],
        occupied: ({ users }) => {
          users.setGroup('ada')
          users.set('ada', { uid: 1500, groups: ['audio'], password: other, comment: 'was here' })
        },
        tampers: {
          keepGroups: ({ users }) => users.set('ada', { groups: [] }),
        },
      },
      {
        name: 'as wanted already, but not made by us',
        scores: () => [User({ name: 'ada', createHome: false })],
        occupied: ({ users }) => users.set('ada', { uid: 1500 }),
      },
      {
        name: 'for a service',
        scores: () => [User({ name: 'app', system: true, home: '/', shell: '/usr/sbin/nologin' })],
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another user, and somebody else’s',
      system: 'says which numbers a new user gets; afterwards they are as good as any',
      removeHome: 'says what a removal takes along, and is no property of what is there',
    },
  })
  for (const check of checks) test(check.name, check.run)
})

const oneLine = 'must be one line without colons and control characters'
const badName = 'must be letters, digits, _ . and -, and start with a letter or _'

test.each<[spec: Partial<UserSpec>, issue: string]>([
  [{ name: 'a;reboot' }, `name: ${badName}`],
  [{ name: '$(id)' }, `name: ${badName}`],
  [{ name: 'a\nb' }, `name: ${badName}`],
  [{ name: 'a\n' }, `name: ${badName}`],
  [{ name: '-r' }, `name: ${badName}`],
  [{ name: 'a:b' }, `name: ${badName}`],
  [{ name: '..' }, `name: ${badName}`],
  [{ name: 'größe' }, `name: ${badName}`],
  [{ name: '' }, `name: ${badName}`],
  [{ uid: 0 }, 'uid: is 0 for root, and for nobody else'],
  [{ name: 'root', uid: 1 }, 'uid: is 0 for root, and for nobody else'],
  [{ uid: -1 }, 'uid: must not be negative'],
  [{ uid: 4294967295 }, 'uid: is too large'],
  [{ group: '--help' }, `group: ${badName}`],
  [{ groups: ['a,root'] }, `groups.0: ${badName}`],
  [{ group: 'a', groups: ['a'] }, 'groups: names a, which is the primary group'],
  [{ keepGroups: true }, 'keepGroups: has no effect without groups'],
  [{ home: '/home/a:0:0' }, `home: ${oneLine}`],
  [{ home: '/home/a\nroot2' }, `home: ${oneLine}`],
  [{ home: 'home' }, 'home: is relative; write an absolute path such as /etc/home'],
  [{ shell: '/bin/sh\n' }, `shell: ${oneLine}`],
  [{ shell: '-c' }, 'shell: is relative; write an absolute path such as /etc/-c'],
  [{ comment: 'x:0:0' }, `comment: ${oneLine}`],
  [{ comment: 'x\nroot2::0:0::/:/bin/sh' }, `comment: ${oneLine}`],
  [{ comment: '\u202e' }, `comment: ${oneLine}`],
  [{ name: 'root', removeHome: true }, 'removeHome: would take the home of root away, who stays'],
])('%j is refused', (spec, issue) => {
  const { issues } = User({ name: 'ada', ...spec })['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})

test.each([
  'hunter2',
  '',
  '!',
  'x'.repeat(100),
  '$6$a$b\nroot',
  '$6$salt$hash:hash:hash',
  '$6$s$ünïcödeünïcödeünïcöde',
])('the password %j is refused: it is no hash', (password) => {
  expect(User({ name: 'ada', password })['~score'].issues).not.toEqual([])
})

test('a password in the place of its hash is refused when the secret is known, and not shown', async () => {
  const project = conduct(machine(), [User({ name: 'ada', password: secret('pw') })], {
    secrets: { pw: 'hunter2-hunter2' },
  })
  const { failures } = await project.plan()
  expect(failures[0]).toMatchObject({ code: 'invalid-spec' })
  expect(JSON.stringify(failures)).not.toContain('hunter2')
})

test('a secret hash is applied, and stands in no plan and no event', async () => {
  const here = machine()
  const project = conduct(here, [User({ name: 'ada', password: secret('pw') })], { secrets: { pw: hash } })
  const { plan, events } = await project.apply()
  expect((await here.users.user('ada', { password: true }))?.password).toBe(hash)
  here.users.set('ada', { password: other })
  const told = JSON.stringify([plan, events, await project.drift(), await project.entries()])
  for (const value of [hash, other]) expect(told).not.toContain(value)
})

test('a hash that is no secret is told apart in the plan without being shown', async () => {
  const here = machine()
  here.users.set('ada', { password: other })
  const { steps } = await conduct(here, [User({ name: 'ada', password: hash, adopt: true })]).plan()
  const shown = steps[0]?.differences.find(({ path }) => path === 'password')
  expect(shown).toMatchObject({
    from: 'hash 6a6d9ec7f7b4'.slice(0, 5) + String(shown?.from).slice(5),
    to: expect.stringMatching(/^hash [0-9a-f]{12}$/),
  })
  expect(JSON.stringify(steps)).not.toContain('otherother')
})

test('a locked account keeps its hash behind the lock', async () => {
  const here = machine()
  here.users.set('ada', { password: hash })
  const project = conduct(here, [User({ name: 'ada', password: 'locked', adopt: true, createHome: false })])
  await project.apply()
  expect((await here.users.user('ada', { password: true }))?.password).toBe(`!${hash}`)
  await project.destroy()
  expect((await here.users.user('ada', { password: true }))?.password).toBe(hash)
})

test('root can be taken over, and is never removed', async () => {
  const here = machine()
  const project = conduct(here, [User({ name: 'root', password: 'locked', adopt: true })])
  await project.apply()
  expect((await project.destroy()).outcomes).toMatchObject({ failure: 0 })
  expect(await here.users.user('root')).toMatchObject({ uid: 0 })
  await expect(here.users.removeUser('root', { home: false, group: true })).rejects.toMatchObject({
    code: 'refused',
  })
  await expect(here.users.putUser('root', { uid: 5 })).rejects.toMatchObject({ code: 'refused' })
})

test('a number that belongs to somebody else is told in the plan, and refused', async () => {
  const project = conduct(machine(), [User({ name: 'ada', uid: 90 })])
  const { steps } = await project.plan()
  expect(steps[0]?.differences).toContainEqual(
    expect.objectContaining({ path: 'uid', from: 'of www', to: 90 }),
  )
  expect((await project.apply()).results[0]?.error).toMatchObject({
    code: 'refused',
    message: 'ada cannot have the number 90: it belongs to the user www',
  })
})

test('two users with one number are refused before anything is looked at', async () => {
  await expect(
    conduct(machine(), [User({ name: 'a', uid: 2000 }), User({ name: 'b', uid: 2000 })]).plan(),
  ).rejects.toMatchObject({
    code: 'claim-conflict',
  })
})

test('a group of the same name that was there before is not taken for the user’s own', async () => {
  const here = machine()
  here.users.setGroup('ada')
  const refused = await conduct(here, [User({ name: 'ada' })]).apply()
  expect(refused.results[0]?.error).toMatchObject({
    code: 'refused',
    hint: expect.stringContaining("group: 'ada'"),
  })
  const project = conduct(here, [User({ name: 'ada', group: 'ada' })])
  await project.apply()
  await project.destroy()
  expect(await here.users.group('ada')).toBeDefined()
})

test('a home stays unless it is said, and a person is told', async () => {
  const here = machine()
  const project = conduct(here, [User({ name: 'ada' })])
  await project.apply()
  const { events } = await project.destroy()
  expect(here.disk.exists('/home/ada')).toBe(true)
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'note',
      message: 'left /home/ada in place, which belongs to the number 1000 now',
    }),
  )
})

test('what stands on a user comes after it, and goes before it', async () => {
  const here = machine()
  const project = conduct(here, [
    File({ path: '/home/ada/.profile', content: '', owner: 'ada' }),
    User({ name: 'ada', groups: ['app'], home: '/home/ada' }),
    Group({ name: 'app' }),
  ])
  const order = (await project.plan()).steps.map(({ address }) => address)
  expect(order).toEqual(['Group:app', 'User:ada', 'File:/home/ada/.profile'])
  expect((await project.apply()).outcomes.failure).toBe(0)
  expect((await project.destroy()).plan.steps.map(({ address }) => address)).toEqual([...order].reverse())
})

test('a Directory at the home of a user who has one made is a conflict that is told', async () => {
  await expect(
    conduct(machine(), [User({ name: 'ada' }), Directory({ path: '/home/ada' })]).plan(),
  ).rejects.toMatchObject({ code: 'claim-conflict' })
  const { outcomes } = await conduct(machine(), [
    User({ name: 'ada', createHome: false }),
    Directory({ path: '/home/ada', owner: 'ada', mode: '0750' }),
  ]).apply()
  expect(outcomes.failure).toBe(0)
})

test('numbers and home can be used by others', async () => {
  const here = machine()
  const ada = User({ name: 'ada', uid: 2000 })
  await conduct(here, [ada, File({ path: '/etc/note', content: ada.out.home })]).apply()
  expect(here.disk.read('/etc/note')).toBe('/home/ada')
  const account = await here.users.user('ada')
  expect(User.status({ account })).toMatchObject({ exists: true, uid: 2000, group: 'ada', home: '/home/ada' })
  expect(User.status({ account: undefined })).toEqual({ exists: false })
})

test('a group was removed while the user who had it as primary group still let go of it', async () => {
  const here = machine()
  const others = ['a', 'b'].map((name) => Group({ name }))
  await conduct(here, [...others, Group({ name: 'people' }), User({ name: 'ada', group: 'people' })]).apply()
  const { outcomes } = await conduct(here, [...others, User({ name: 'ada', group: 'staff' })]).apply()
  expect(outcomes).toMatchObject({ success: 2, failure: 0 })
  expect(await here.users.group('people')).toBeUndefined()
})

test('the first plan shows what a user gets, also in groups that come with it', async () => {
  const { steps } = await conduct(new SimulatedTopology(), [
    Group({ name: 'app' }),
    User({ name: 'ada', groups: ['app'], password: 'locked' }),
  ]).plan()
  expect(steps[1]).toMatchObject({
    action: 'create',
    differences: [{ path: '' }, { path: 'groups', to: ['app'] }, { path: 'password', to: 'locked' }],
  })
})

test('a group that does not exist is refused, and nothing is made', async () => {
  const here = machine()
  const { results } = await conduct(here, [User({ name: 'ada', groups: ['dokcer'] })]).apply()
  expect(results[0]?.error).toMatchObject({
    code: 'no-such-user',
    message: 'there is no group "dokcer" on this host',
  })
  expect(await here.users.user('ada')).toBeUndefined()
})
