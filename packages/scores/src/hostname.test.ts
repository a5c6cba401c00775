import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { File, Hostname, type HostnameSpec } from './index.ts'

const hosts = '127.0.0.1\tlocalhost\n127.0.1.1\told.example.org old\n\n::1\tlocalhost ip6-localhost\n'

/** As an installer leaves it. */
function machine(): SimulatedTopology {
  const here = new SimulatedTopology({ files: { '/etc/hostname': 'old\n', '/etc/hosts': hosts } })
  here.system.call('old')
  return here
}

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Hostname,
    topology: machine,
    cases: [
      {
        name: 'with a name for people',
        scores: () => [Hostname({ name: 'kiosk-7', pretty: 'Kiosk "in the lobby", für $5' })],
        updated: () => [Hostname({ name: 'kiosk-8', pretty: '' })],
        tampers: {
          '': ({ disk }) => disk.remove('/etc/hostname'),
          name: ({ system }) => system.call('other'),
          pretty: ({ disk }) => disk.write('/etc/machine-info', 'PRETTY_HOSTNAME="other"\n'),
        },
      },
      {
        name: 'on a host without files',
        prepare: ({ disk }) => {
          disk.remove('/etc/hostname')
          disk.remove('/etc/hosts')
        },
        scores: () => [Hostname({ name: 'kiosk' })],
        tampers: { name: ({ disk }) => disk.write('/etc/hostname', 'other\n') },
      },
      {
        name: 'of a container, with a domain',
        prepare: ({ disk }) => {
          disk.write('/etc/hosts', '127.0.0.1\tlocalhost\n172.17.0.2\told\n')
          disk.write('/etc/machine-info', "# a lamp\nPRETTY_HOSTNAME='The old one'\nCHASSIS=embedded")
        },
        scores: () => [Hostname({ name: 'kiosk.example.org', pretty: 'New' })],
        updated: () => [Hostname({ name: 'lamp' })],
      },
      {
        name: 'found as wanted, and changed later',
        scores: () => [Hostname({ name: 'old' })],
        updated: () => [Hostname({ name: 'kiosk' })],
      },
    ],
  })
  // Nothing can be shown by an apply that has nothing to do; what comes after it can.
  const idle = /changed later: (?:apply|destroy|compare|tamper)/
  for (const check of checks) if (!idle.test(check.name)) test(check.name, check.run)
})

test.each<[spec: HostnameSpec, issue: string]>([
  [{ name: 'a_b' }, 'must be labels of letters, digits and hyphens'],
  [{ name: '-a' }, 'must be labels of letters, digits and hyphens'],
  [{ name: 'a-' }, 'must be labels of letters, digits and hyphens'],
  [{ name: 'a..b' }, 'must be labels of letters, digits and hyphens'],
  [{ name: '' }, 'must be labels of letters, digits and hyphens'],
  [{ name: 'a'.repeat(64) }, 'must be labels of letters, digits and hyphens'],
  [{ name: `${'a'.repeat(60)}.bcdef` }, 'is longer than 64 characters'],
  [{ name: '10.0.0.1' }, 'would be taken for an address'],
  [{ name: 'localhost' }, 'is what every host calls itself'],
  [{ name: 'kiosk', pretty: 'a\nb' }, 'must be one line of plain text'],
  [{ name: 'kiosk', pretty: ' a' }, 'begins or ends with a space'],
])('%j is refused', (spec, issue) => {
  const { issues } = Hostname(spec)['~score']
  expect(issues[0]?.message).toContain(issue)
})

test('one that is called otherwise is renamed without being asked, and gets its own name back', async () => {
  const here = machine()
  const project = conduct(here, [Hostname({ name: 'kiosk' })])
  const { conflicts, steps } = await project.plan()
  expect(conflicts).toEqual([])
  expect(steps[0]).toMatchObject({
    address: 'Hostname:host',
    action: 'update',
    differences: [
      { path: 'name', from: 'old', to: 'kiosk' },
      { path: 'hosts', from: null, to: 'kiosk' },
    ],
  })
  await project.apply()
  expect(here.disk.read('/etc/hosts')).toBe(hosts.replace('old.example.org old', 'kiosk.example.org kiosk'))
  await project.destroy()
  expect(here.disk.read('/etc/hosts')).toBe(hosts)
  expect(here.system.tuned('kernel.hostname')).toBe('old')
})

test('what is true only until the next start is told apart', async () => {
  const here = machine()
  const project = conduct(here, [Hostname({ name: 'kiosk' })])
  await project.apply()
  here.system.call('other')
  const { entries } = await project.drift()
  expect(entries[0]?.differences).toMatchObject([
    { path: 'name', from: 'other now, kiosk at the next start', to: 'kiosk' },
  ])
})

test('a File that keeps the hosts comes first, and is left alone when it names the host', async () => {
  const here = machine()
  const scores = [
    Hostname({ name: 'kiosk' }),
    File({ path: '/etc/hosts', content: '127.0.0.1 localhost kiosk\n', adopt: true }),
  ]
  await conduct(here, scores).apply()
  expect((await conduct(here, scores).apply()).changed).toBe(0)
  expect(here.disk.read('/etc/hosts')).toBe('127.0.0.1 localhost kiosk\n')
})

test('a host has one name', async () => {
  const two = [Hostname({ name: 'a' }), Hostname({ name: 'b' })]
  await expect(async () => await conduct(machine(), two).plan()).rejects.toMatchObject({
    code: 'duplicate-address',
  })
})
