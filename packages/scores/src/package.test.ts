import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { File, Package, type PackageSpec, SystemdService } from './index.ts'

const unit = '[Service]\nExecStart=/usr/sbin/nginx\n[Install]\nWantedBy=multi-user.target\n'

const machine = () => {
  const here = new SimulatedTopology()
  here.disk.makeDirectory('/etc/systemd/system')
  here.packages.offer('nginx', {
    versions: ['1.24', '1.22'],
    depends: ['nginx-common'],
    files: { '/usr/lib/systemd/system/nginx.service': unit, '/var/www/html/index.html': 'Welcome\n' },
    configuration: { '/etc/nginx.conf': 'as delivered\n' },
  })
  here.packages.offer('telnet', { versions: ['0.17'] })
  here.packages.offer('nothing-like-it', { versions: [] })
  here.disk.makeDirectory('/var/www/html')
  here.disk.makeDirectory('/usr/lib/systemd/system')
  return here
}

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Package,
    topology: machine,
    cases: [
      {
        name: 'in a version, held',
        scores: () => [Package({ name: 'nginx', version: '1.22', hold: true, purge: true })],
        updated: () => [Package({ name: 'nginx', version: '1.24', hold: false, purge: true })],
        tampers: {
          '': ({ packages }) => packages.delete('nginx'),
          version: ({ packages }) => packages.set('nginx', { version: '1.24' }),
          hold: ({ packages }) => packages.set('nginx', { held: false }),
          ensure: ({ packages }) => packages.set('nginx', { status: 'broken' }),
        },
      },
      {
        name: 'in another version than the one that was there',
        prepare: ({ packages, disk }) => {
          packages.set('nginx', { version: '1.24', automatic: true })
          packages.set('nginx-common', { automatic: true })
          disk.write('/etc/nginx.conf', 'edited\n')
        },
        scores: () => [Package({ name: 'nginx', version: '1.22', hold: true })],
      },
      {
        name: 'in whatever version',
        scores: () => [Package({ name: 'telnet', recommends: false })],
        tampers: { ensure: ({ packages }) => packages.set('telnet', { automatic: true }) },
      },
      {
        name: 'unwanted',
        prepare: ({ packages }) => packages.set('telnet'),
        scores: () => [Package({ name: 'telnet', ensure: 'absent', purge: true })],
        tampers: {
          ensure: ({ packages }) => packages.set('telnet', { version: '0.17' }),
          purge: ({ packages }) => packages.set('telnet', { status: 'configuration', version: undefined }),
        },
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another package',
      recommends: 'says what a new package brings along, and is no property of what is there',
      configuration: 'says what a change does with configuration files, and is no property of what is there',
    },
  })
  for (const check of checks) test(check.name, check.run)
})

test.each<[spec: Partial<PackageSpec>, issue: string]>([
  [{ name: 'a;reboot' }, 'name: must be letters'],
  [{ name: '-y' }, 'name: must be letters'],
  [{ name: 'nginx-' }, 'name: must not end with -'],
  [{ name: 'nginx=1' }, 'name: must be letters'],
  [{ name: 'nginx*' }, 'name: must be letters'],
  [{ name: 'nginx/stable' }, 'name: must be letters'],
  [{ name: './x.deb' }, 'name: must be letters'],
  [{ version: '1.*' }, 'version: must be a version'],
  [{ version: '' }, 'version: must be a version'],
  [{ ensure: 'absent', version: '1' }, "version: has no meaning with ensure: 'absent'"],
  [{ ensure: 'absent', hold: true }, "hold: has no meaning with ensure: 'absent'"],
])('%j is refused', (spec, issue) => {
  const [found] = Package({ name: 'nginx', ...spec })['~score'].issues
  expect(`${found?.path.join('.')}: ${found?.message}`).toContain(issue)
})

test.each(['g++', 'libstdc++6', 'libc6:amd64', 'python3.11', '7zip'])('%s is a name', async (name) => {
  const here = machine()
  await conduct(here, [Package({ name })]).apply()
  expect(here.snapshot()).toHaveProperty([`package ${name}`])
})

test('one that was there before stays when its Score goes, and says so', async () => {
  const here = machine()
  here.packages.set('telnet')
  const before = here.snapshot()
  const { changed } = await conduct(here, [Package({ name: 'telnet' })]).apply()
  expect(changed).toBe(0)
  const { events } = await conduct(here, [Package({ name: 'telnet' })]).apply({ destroy: true })
  expect(here.snapshot()).toEqual(before)
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'note', message: 'left telnet in place: it was there before' }),
  )
})

test('one that was there before and was upgraded by somebody since keeps its version when its Score goes', async () => {
  const here = machine()
  here.packages.offer('curl', { versions: ['1', '2'] })
  here.packages.set('curl', { version: '1' })
  await conduct(here, [Package({ name: 'curl' })]).apply()
  here.packages.set('curl', { version: '2' })
  const upgraded = here.snapshot()
  await conduct(here, [Package({ name: 'curl' })]).apply({ destroy: true })
  expect(here.snapshot()).toEqual(upgraded)
})

test('what came along goes with whoever needed it last', async () => {
  const here = machine()
  here.packages.offer('nginx-extras', { versions: ['1'], depends: ['nginx-common'] })
  const [nginx, extras] = [Package({ name: 'nginx', purge: true }), Package({ name: 'nginx-extras' })]
  await conduct(here, [nginx]).apply()
  await conduct(here, [nginx, extras]).apply()
  await conduct(here, [extras]).apply({ allowRemoval: true })
  expect(here.packages.snapshot()).toEqual({
    'package nginx-common': 'installed 1.0 automatic',
    'package nginx-extras': 'installed 1',
  })
  await conduct(here, [extras]).apply({ destroy: true })
  expect(here.packages.snapshot()).toEqual({})
  expect(here.residue()).toEqual([])
})

test('one that is unwanted by now takes along what it had brought', async () => {
  const here = machine()
  await conduct(here, [Package({ name: 'nginx' })]).apply()
  const scores = [Package({ name: 'nginx', ensure: 'absent', purge: true })]
  await conduct(here, scores).apply()
  expect(here.packages.snapshot()).toEqual({})
  await conduct(here, scores).apply({ destroy: true })
  expect(here.packages.snapshot()).toEqual({})
  expect(here.residue()).toEqual([])
})

test('what is unneeded but was there before stays', async () => {
  const here = machine()
  here.packages.set('nginx-common', { automatic: true })
  await conduct(here, [Package({ name: 'nginx', purge: true })]).apply()
  await conduct(here, []).apply({ destroy: true })
  expect(here.packages.snapshot()).toEqual({ 'package nginx-common': 'installed 1.0 automatic' })
})

test('a package that somebody holds is not changed by the way', async () => {
  const here = machine()
  here.packages.set('nginx', { version: '1.22', held: true })
  const plan = await conduct(here, [Package({ name: 'nginx', version: '1.24' })]).plan()
  expect(plan.failures).toMatchObject([
    { code: 'refused', message: 'nginx is held as it is, and would have to be changed' },
  ])
  await conduct(here, [Package({ name: 'nginx', version: '1.24', hold: true })]).apply()
  expect(here.packages.snapshot()).toMatchObject({ 'package nginx': 'installed 1.24 held' })
})

test('the page and the service that are listed after a package come after it, and the service reloads', async () => {
  const here = machine()
  const page = (content: string) => File({ path: '/var/www/html/index.html', content, adopt: true })
  const scores = (content: string) => {
    const shown = page(content)
    return [
      Package({ name: 'nginx', purge: true }),
      shown,
      SystemdService({ name: 'nginx', enabled: true, active: true, reloadOn: [shown] }),
    ]
  }
  const first = await conduct(here, scores('hello\n')).apply()
  expect(first.results.map(({ address, outcome }) => [address, outcome])).toEqual([
    ['Package:nginx', 'success'],
    ['File:/var/www/html/index.html', 'success'],
    ['SystemdService:nginx.service', 'success'],
  ])
  expect(here.disk.read('/var/www/html/index.html')).toBe('hello\n')
  const second = await conduct(here, scores('hello again\n')).apply()
  expect(second.changed).toBe(2)
})

test('a file may belong to a user that a package listed before it makes', async () => {
  const here = machine()
  here.packages.offer('postgresql', { versions: ['15'], users: ['postgres'] })
  const file = File({ path: '/srv/dump', content: '', owner: 'postgres' })
  const plan = await conduct(here, [Package({ name: 'postgresql' }), file]).plan()
  expect(plan.failures).toEqual([])
  expect(plan.steps.map(({ address, action }) => [address, action])).toEqual([
    ['Package:postgresql', 'create'],
    ['File:/srv/dump', 'deferred'],
  ])
  await conduct(here, [Package({ name: 'postgresql' }), file]).apply()
  expect(here.disk.read('/srv/dump')).toBe('')
  const without = machine()
  expect((await conduct(without, [file, Package({ name: 'postgresql' })]).plan()).failures).toMatchObject([
    { code: 'no-such-user' },
  ])
})

test('what follows a package that fails is done all the same, and what depends on it is not', async () => {
  const here = machine()
  const failing = Package({ name: 'nothing-like-it' })
  const { results } = await conduct(here, [
    failing,
    File({ path: '/srv/a', content: '' }),
    File({ path: '/srv/b', content: '', after: [failing] }),
  ]).apply()
  expect(results.map(({ address, outcome }) => [address, outcome])).toEqual([
    ['Package:nothing-like-it', 'failure'],
    ['File:/srv/b', 'blocked'],
    ['File:/srv/a', 'success'],
  ])
})

test('a file that a package brings is taken over if its Score says so, and is a conflict otherwise', async () => {
  const conf = (adopt: boolean) => [
    Package({ name: 'nginx', purge: true }),
    File({ path: '/etc/nginx.conf', content: 'ours\n', adopt }),
  ]
  const here = machine()
  const { results } = await conduct(here, conf(false)).apply()
  expect(results.at(-1)).toMatchObject({ outcome: 'failure', error: { code: 'plan-conflict' } })
  const there = machine()
  const before = there.snapshot()
  await conduct(there, conf(true)).apply()
  expect(there.disk.read('/etc/nginx.conf')).toBe('ours\n')
  await conduct(there, []).apply({ destroy: true })
  expect(there.snapshot()).toEqual(before)
})

test('a source of packages comes before them, wherever it is listed', async () => {
  const here = machine()
  here.disk.makeDirectory('/etc/apt/sources.list.d')
  const { results } = await conduct(here, [
    Package({ name: 'telnet' }),
    File({ path: '/etc/apt/sources.list.d/ours.list', content: 'deb …\n' }),
  ]).apply()
  expect(results.map(({ address }) => address)).toEqual([
    'File:/etc/apt/sources.list.d/ours.list',
    'Package:telnet',
  ])
})

test('a service is restarted when its package was changed', async () => {
  const here = machine()
  const scores = (version: string) => {
    const nginx = Package({ name: 'nginx', version })
    return [nginx, SystemdService({ name: 'nginx', active: true, restartOn: [nginx] })]
  }
  await conduct(here, scores('1.22')).apply()
  const before = (await here.services.look('nginx.service')).invocation
  await conduct(here, scores('1.24')).apply()
  expect((await here.services.look('nginx.service')).invocation).not.toBe(before)
})

test('one that cannot be put back to its old version is left as it is, with a note', async () => {
  const here = machine()
  here.packages.set('nginx', { version: '1.18' })
  await conduct(here, [Package({ name: 'nginx', version: '1.24' })]).apply()
  const { events } = await conduct(here, []).apply({ destroy: true })
  expect(here.packages.snapshot()).toMatchObject({ 'package nginx': 'installed 1.24' })
  expect(events).toContainEqual(
    expect.objectContaining({ message: 'left nginx at 1.24: 1.18 cannot be had any more' }),
  )
})
