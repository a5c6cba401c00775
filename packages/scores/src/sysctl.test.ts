import { sysctlFile } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Directory, File, Sysctl, type SysctlSpec } from './index.ts'

const file = sysctlFile
const forward = 'net.ipv4.ip_forward'

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Sysctl,
    topology: () => new SimulatedTopology(),
    cases: [
      {
        name: 'a switch',
        scores: () => [Sysctl({ key: forward, value: 1 }), Sysctl({ key: 'vm.swappiness', value: '10' })],
        updated: () => [Sysctl({ key: forward, value: 2 }), Sysctl({ key: 'vm.swappiness', value: '10' })],
        tampers: {
          '': ({ disk }) => disk.remove(file(forward)),
          key: ({ disk }) => disk.write(file(forward), 'net.ipv4.ip_forwards = 1\n'),
          value: ({ system }) => system.tune(forward, '0'),
        },
      },
      {
        name: 'three numbers, where there are other files',
        prepare: ({ disk }) => {
          disk.makeDirectory('/etc/sysctl.d')
          disk.write('/etc/sysctl.d/10-net.conf', 'net.ipv4.tcp_rmem = 1 2 3\n')
        },
        scores: () => [Sysctl({ key: 'net.ipv4.tcp_rmem', value: '4096 131072 7000000' })],
        tampers: { value: ({ disk }) => disk.write(file('net.ipv4.tcp_rmem'), '') },
      },
      {
        name: 'of an interface with a dot in its name',
        prepare: ({ system }) => system.tune('net.ipv4.conf.eth0/1.forwarding', '0'),
        scores: () => [Sysctl({ key: 'net.ipv4.conf.eth0/1.forwarding', value: 1 })],
      },
    ],
    hostileMayFail: 'a kernel may make another value of what it is given',
  })
  for (const check of checks) test(check.name, check.run)
})

test.each<[spec: SysctlSpec, issue: string]>([
  [{ key: 'swappiness', value: 1 }, 'must be names with dots between them'],
  [{ key: 'net/ipv4/ip_forward', value: 1 }, 'must be names with dots between them'],
  [{ key: '-net.ipv4.ip_forward', value: 1 }, 'must be names with dots between them'],
  [{ key: 'net.ipv4.conf.*.forwarding', value: 1 }, 'must be names with dots between them'],
  [{ key: 'net.//.//.etc.passwd', value: 1 }, 'has an empty name in it'],
  [{ key: 'net.ipv4/', value: 1 }, 'has an empty name in it'],
  [{ key: 'kernel.hostname', value: 'kiosk' }, 'keep it with Hostname'],
  [{ key: forward, value: '' }, 'must be words of plain text'],
  [{ key: forward, value: ' 1' }, 'must be words of plain text'],
  [{ key: forward, value: '1\nkernel.panic = 1' }, 'must be words of plain text'],
])('%j is refused', (spec, issue) => {
  expect(Sysctl(spec)['~score'].issues[0]?.message).toContain(issue)
})

test('a file that is read later and says otherwise is found, and its line is named', async () => {
  const here = new SimulatedTopology()
  const project = conduct(here, [Sysctl({ key: forward, value: 1 })])
  await project.apply()
  here.disk.write('/etc/sysctl.d/99-local.conf', '# ours\n-net/ipv4/ip_forward=0\n')
  const { entries } = await project.drift()
  expect(entries[0]?.differences).toMatchObject([
    { path: 'boot', from: '0 (/etc/sysctl.d/99-local.conf:2)', to: '1' },
  ])
  const { results } = await project.apply()
  expect(results[0]?.error).toMatchObject({
    code: 'not-converged',
    message: expect.stringContaining(
      'at the next start /etc/sysctl.d/99-local.conf:2 sets net.ipv4.ip_forward to 0',
    ),
  })
})

test('a File that says the same, or an old file that nobody reads, is no difference', async () => {
  const here = new SimulatedTopology({
    files: { '/usr/lib/systemd/systemd-sysctl': '', '/etc/sysctl.conf': `${forward}=0\n` },
  })
  const scores = [
    Directory({ path: '/etc/sysctl.d' }),
    File({ path: '/etc/sysctl.d/99-more.conf', content: `${forward} =   1\n` }),
    Sysctl({ key: forward, value: 1 }),
  ]
  expect((await conduct(here, scores).apply()).outcomes.failure).toBe(0)
  expect((await conduct(here, scores).apply()).changed).toBe(0)
})

test('the old file counts where it is linked among the others, as on a Debian', async () => {
  const here = new SimulatedTopology({
    files: {
      '/usr/lib/systemd/systemd-sysctl': '',
      '/etc/sysctl.conf': `${forward}=0\n`,
      '/etc/sysctl.d/99-sysctl.conf': { target: '../sysctl.conf' },
    },
  })
  const { steps } = await conduct(here, [Sysctl({ key: forward, value: 1 })]).plan()
  expect(steps[0]?.differences).toContainEqual(
    expect.objectContaining({ path: 'boot', from: '0 (/etc/sysctl.d/99-sysctl.conf:1)' }),
  )
})

test('a setting that is not there is refused when planning, with what may have been meant', async () => {
  const { failures } = await conduct(new SimulatedTopology(), [
    Sysctl({ key: 'net.bridge.bridge-nf-call-iptables', value: 1 }),
  ]).plan()
  expect(failures).toMatchObject([
    {
      code: 'refused',
      message: 'there is no kernel setting net.bridge.bridge-nf-call-iptables on this host',
      hint: expect.stringContaining('br_netfilter'),
    },
  ])
})

test('a setting that nobody can change is refused, unless it is as wanted', async () => {
  const here = new SimulatedTopology()
  here.system.tune('kernel.version', '7')
  here.system.forbid('kernel.version')
  const plan = (value: number) => conduct(here, [Sysctl({ key: 'kernel.version', value })]).plan()
  expect((await plan(8)).failures).toMatchObject([{ code: 'refused' }])
  expect((await plan(7)).failures).toEqual([])
})

test('one that went with its interface is removed all the same', async () => {
  const here = new SimulatedTopology()
  const key = 'net.ipv4.conf.wg0.forwarding'
  here.system.tune(key, '0')
  const project = conduct(here, [Sysctl({ key, value: 1 })])
  await project.apply()
  here.system.untune(key)
  expect((await project.destroy()).outcomes.failure).toBe(0)
  expect(here.system.tuned(key)).toBeUndefined()
  expect(here.disk.exists(file(key))).toBe(false)
})

test('that of an interface comes after those that change all of them', async () => {
  const here = new SimulatedTopology()
  here.system.tune('net.ipv4.conf.eth0.rp_filter', '0')
  const { steps } = await conduct(here, [
    Sysctl({ key: 'net.ipv4.conf.eth0.rp_filter', value: 2 }),
    Sysctl({ key: 'net.ipv4.conf.all.rp_filter', value: 1 }),
    Sysctl({ key: forward, value: 1 }),
  ]).plan()
  expect(steps.map(({ address }) => address)).toEqual([
    `Sysctl:${forward}`,
    'Sysctl:net.ipv4.conf.all.rp_filter',
    'Sysctl:net.ipv4.conf.eth0.rp_filter',
  ])
})
