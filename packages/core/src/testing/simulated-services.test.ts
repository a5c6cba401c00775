import { describe, expect, test } from 'vitest'
import { SimulatedTopology } from './index.ts'

const text = '[Service]\nExecStart=/usr/sbin/nginx\n\n[Install]\nWantedBy=multi-user.target\n'
const name = 'nginx.service'

function machine(unit = text): SimulatedTopology {
  const here = new SimulatedTopology()
  here.services.install(name, unit)
  return here
}

describe('looking', () => {
  test('a unit that does not exist is an answer', async () => {
    expect(await machine().services.look('nobody.service')).toMatchObject({ load: 'not-found', file: '' })
  })

  test.each<[title: string, unit: string, file: string]>([
    ['with an [Install] section', text, 'disabled'],
    ['without', '[Service]\nExecStart=/bin/a\n', 'static'],
  ])('%s', async (_, unit, file) => {
    expect(await machine(unit).services.look(name)).toMatchObject({
      load: 'loaded',
      file,
      active: 'inactive',
    })
  })

  test('files are read when the manager is told to, and no earlier', async () => {
    const { services, disk } = machine()
    await services.look(name)
    disk.write(`/etc/systemd/system/${name}`, text)
    expect(await services.look(name)).toMatchObject({
      needsReload: true,
      fragment: `/usr/lib/systemd/system/${name}`,
    })
    await services.reloadManager()
    expect(await services.look(name)).toMatchObject({
      needsReload: false,
      fragment: `/etc/systemd/system/${name}`,
    })
  })

  test('a service that was started before its files changed is outdated until it is started anew', async () => {
    const { services, disk } = machine()
    await services.start(name)
    disk.write(`/usr/lib/systemd/system/${name}`, text)
    expect((await services.look(name, { outdated: true })).outdated).toBe(true)
    await services.reloadManager()
    await services.restart(name)
    expect((await services.look(name, { outdated: true })).outdated).toBe(false)
  })
})

describe('time', () => {
  test('one that takes its time is activating meanwhile, and its job ends when patience does', async () => {
    const { services, clock } = machine()
    services.behave(name, { startMs: 10_000 })
    await services.start(name, { patienceMs: 1000 })
    expect([clock.now(), (await services.look(name)).active]).toEqual([1000, 'activating'])
    await clock.advance(10_000)
    expect(await services.look(name, { age: true })).toMatchObject({ active: 'active', activeMs: 1000 })
  })

  test('one that crashes is restarted until its limit', async () => {
    const { services, clock } = machine(`${text}\n[Service]\nRestart=on-failure\n`)
    services.behave(name, { endMs: 50, says: ['no licence'] })
    await services.start(name)
    await clock.advance(60)
    expect((await services.look(name)).sub).toBe('auto-restart')
    await clock.advance(150)
    expect(await services.look(name)).toMatchObject({ restarts: 1, restartsSeen: 1 })
    await clock.advance(10_000)
    expect(await services.look(name)).toMatchObject({ active: 'failed', result: 'start-limit-hit' })
    expect(await services.journal(name, 2)).toEqual(['no licence', 'no licence'])
  })

  test('a oneshot that ends badly fails its job', async () => {
    const { services } = machine('[Service]\nType=oneshot\nExecStart=/bin/a\n')
    services.behave(name, { startMs: 10, exit: 3, says: ['no disk'] })
    await expect(services.start(name)).rejects.toMatchObject({
      code: 'command-failed',
      message: `${name} failed: exit-code\nno disk`,
    })
  })
})

test.each([
  ['start', 'is masked, so it cannot be started'],
  ['enable', 'is masked, so it cannot be enabled'],
] as const)('%s of a masked one is refused', async (deed, message) => {
  const { services } = machine()
  services.operate(name, 'mask')
  await expect(services[deed](name)).rejects.toThrow(message)
})

test.each([
  ['[Service]\nNice\n', 'is neither a section nor a key'],
  ['[Service]\nExecStart=nginx\n', 'is no absolute path'],
])('what is not valid is refused: %j', async (unit, message) => {
  await expect(machine().services.verify(name, { unit })).rejects.toThrow(message)
})

test('what is not in files is part of the snapshot, and every write is counted and can be the last', async () => {
  const here = machine()
  const { services, faults } = here
  const before = here.snapshot()
  await services.enable(name)
  await services.start(name)
  expect(here.snapshot()).toEqual({ ...before, [`unit ${name}`]: 'enabled, active' })
  expect(faults.writes.map(({ method }) => method)).toEqual(['enable', 'start'])
  faults.killAt(1, 1)
  await expect(services.restart(name)).rejects.toThrow('killed')
  here.restart()
  expect((await services.look(name)).active).toBe('inactive')
})
