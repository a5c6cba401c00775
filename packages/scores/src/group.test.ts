import { text } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { File, Group, type GroupSpec, User } from './index.ts'

const machine = () => new SimulatedTopology({ users: { ada: 1000, grace: 1001 } })

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Group,
    topology: machine,
    cases: [
      {
        name: 'with number and members',
        scores: () => [Group({ name: 'app', gid: 700, members: ['grace', 'ada'] })],
        updated: () => [Group({ name: 'app', gid: 701, members: [] })],
        occupied: ({ users }) => users.setGroup('app', { gid: 555, members: ['ada', 'www-data'] }),
        tampers: {
          '': ({ users }) => users.deleteGroup('app'),
          gid: ({ users }) => users.setGroup('app', { gid: 4711 }),
          members: ({ users }) => users.setGroup('app', { members: ['ada', 'grace', 'nobody'] }),
        },
      },
      {
        name: 'for a service, with a file of its own',
        scores: () => [
          Group({ name: 'app', system: true }),
          File({ path: '/etc/app.conf', content: '', group: 'app', mode: '0640' }),
        ],
      },
      {
        name: 'as wanted already, but not made by us',
        scores: () => [Group({ name: 'app' })],
        occupied: ({ users }) => users.setGroup('app', { gid: 555, members: ['ada'] }),
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another group, and somebody else’s',
      system: 'says which number a new group gets; afterwards the number is as good as any',
    },
  })
  for (const check of checks) test(check.name, check.run)
})

test.each<[spec: GroupSpec, issue: string]>([
  [{ name: '-app' }, 'name: must be letters, digits, _ . and -, and start with a letter or _'],
  [{ name: '42' }, 'name: must be letters, digits, _ . and -, and start with a letter or _'],
  [{ name: 'a'.repeat(33) }, 'name: is longer than 32 characters'],
  [{ name: 'app', gid: 0 }, 'gid: is 0 for root, and for no other group'],
  [{ name: 'root', gid: 7 }, 'gid: is 0 for root, and for no other group'],
  [{ name: 'app', gid: 65535 }, 'gid: stands for "nobody in particular" on many systems'],
  [{ name: 'app', members: ['ada', 'ada'] }, 'members: names something twice'],
  [
    { name: 'app', members: ['a,b'] },
    'members.0: must be letters, digits, _ . and -, and start with a letter or _',
  ],
])('%j is refused', (spec, issue) => {
  const { issues } = Group(spec)['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})

test('a number that belongs to another group is told in the plan, and refused', async () => {
  const project = conduct(machine(), [Group({ name: 'app', gid: 33 })])
  const { steps } = await project.plan()
  expect(steps[0]?.differences).toContainEqual(
    expect.objectContaining({ path: 'gid', from: 'of www-data', to: 33 }),
  )
  const { results } = await project.apply()
  expect(results[0]?.error).toMatchObject({
    code: 'refused',
    message: 'app cannot have the number 33: it belongs to the group www-data',
  })
})

test('a number that is given up in the same pass can be had', async () => {
  const here = machine()
  await conduct(here, [Group({ name: 'old', gid: 700 }), Group({ name: 'other' })]).apply()
  const { outcomes } = await conduct(here, [
    Group({ name: 'app', gid: 700 }),
    Group({ name: 'other' }),
  ]).apply()
  expect(outcomes.failure).toBe(0)
  expect(await here.users.groupNumbered(700)).toBe('app')
})

test('a group that exists is never taken over without a word, and stays when its Score goes', async () => {
  const here = machine()
  here.users.setGroup('docker', { gid: 900 })
  const { conflicts } = await conduct(here, [Group({ name: 'docker' })]).plan()
  expect(conflicts[0]).toMatchObject({ type: 'exists', address: 'Group:docker' })
  const project = conduct(here, [Group({ name: 'docker', adopt: true })])
  await project.apply()
  await project.destroy()
  expect(await here.users.group('docker')).toEqual({ name: 'docker', gid: 900, members: [] })
})

test('a member comes before its group, and one who does not exist is refused', async () => {
  const { steps } = await conduct(machine(), [
    Group({ name: 'app', members: ['new'] }),
    User({ name: 'new', system: true }),
  ]).plan()
  expect(steps.map(({ address }) => address)).toEqual(['User:new', 'Group:app'])
  const { results } = await conduct(machine(), [Group({ name: 'app', members: ['nope'] })]).apply()
  expect(results[0]?.error).toMatchObject({
    code: 'no-such-user',
    message: 'there is no user "nope" on this host',
  })
})

test('a group stays while it is the primary one of somebody', async () => {
  const here = machine()
  const project = conduct(here, [Group({ name: 'app', gid: 700 })])
  await project.apply()
  here.users.set('ada', { gid: 700 })
  const { results } = await project.destroy()
  expect(results[0]?.error).toMatchObject({
    code: 'refused',
    message: 'app cannot be removed: it is the primary group of ada',
  })
})

test('its number can be used by others', async () => {
  const here = machine()
  const app = Group({ name: 'app', gid: 700 })
  await conduct(here, [app, File({ path: '/etc/gid', content: text`${app.out.gid}` })]).apply()
  expect(here.disk.read('/etc/gid')).toBe('700')
  const group = await here.users.group('app')
  expect(Group.status({ group })).toEqual({ exists: true, gid: 700, members: [] })
  expect(Group.status({ group: undefined })).toEqual({ exists: false })
})
