/** The services of a real systemd, in a container. */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Topology } from '@harmony-iac/core'
import type { FileSystem, ServiceManager } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { conduct, MemoryHome } from '@harmony-iac/core/testing'
import { File, SystemdService, type SystemdServiceSpec, SystemdTimer } from '@harmony-iac/scores'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ContainerHostOptions, containerHost } from '../../../../../scripts/testing/container-host.ts'
import { dockerEngine } from '../../../../../scripts/testing/engine.ts'
import { type LinuxHost, startLinuxHost } from '../../../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { linuxFiles } from '../files.ts'
import { type LinuxServices, linuxServices } from './services.ts'

interface Place extends Topology {
  readonly files: FileSystem
  readonly services: ServiceManager
}

const install = '\n[Install]\nWantedBy=multi-user.target\n'
const text = (service: string) => `[Service]\n${service}\n${install}`
const endless = text('ExecStart=/bin/sleep infinity')

describeWith(dockerEngine, 'services of a real systemd', () => {
  let container: LinuxHost
  let host: Host
  let services: LinuxServices
  const open: LinuxServices[] = []
  const hosts: Host[] = []

  async function hostOf(options?: ContainerHostOptions): Promise<Host> {
    const made = await containerHost(container.containerId, options)
    hosts.push(made)
    return made
  }

  /** A topology with a ledger of its own; `wrapped` stands in for the host. */
  function place(wrapped: Host = host): Place {
    const own = linuxServices(wrapped)
    open.push(own)
    const files = linuxFiles(wrapped, { keepFolder: async () => '/var/tmp' })
    return { name: 'container', files, services: own, home: new MemoryHome() }
  }
  const systemctl = async (...words: readonly string[]) => {
    const { stdout, stderr } = await container.exec(['systemctl', ...words])
    return (stdout + stderr).trim()
  }
  const write = async (path: string, content: string) =>
    await container.exec(['sh', '-c', 'printf %s "$2" >"$1"', 'sh', path, content])
  const isThere = async (path: string) => (await container.exec(['test', '-e', path])).exitCode === 0
  const demo = (more: Partial<Parameters<typeof SystemdService>[0]> = {}) =>
    SystemdService({ name: 'demo', unit: endless, enabled: true, active: true, ...more })

  beforeAll(async () => {
    container = await startLinuxHost()
    host = await hostOf()
    services = linuxServices(host)
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })
  afterAll(async () => {
    await services?.close()
    for (const each of hosts) await each.close()
    await container?.[Symbol.asyncDispose]()
  })

  test('a service is made, kept as wanted whatever is tampered with, and leaves no trace', async () => {
    const project = conduct(place(), [demo({ dropIns: { nice: '[Service]\nNice=3\n' } })])
    await project.apply()
    expect(await systemctl('is-active', 'demo')).toBe('active')
    expect(await systemctl('is-enabled', 'demo')).toBe('enabled')
    expect(await systemctl('show', '--property=Nice', '--value', 'demo')).toBe('3')
    expect((await project.apply()).changed).toBe(0)
    for (const tamper of [
      () => systemctl('stop', 'demo'),
      () => systemctl('disable', 'demo'),
      () => write('/etc/systemd/system/demo.service', text('ExecStart=/bin/sleep 1000')),
      () => container.exec(['rm', '/etc/systemd/system/demo.service']),
      () => container.exec(['rm', '-r', '/etc/systemd/system/demo.service.d']),
      () => systemctl('kill', '--signal=KILL', 'demo'),
    ]) {
      await tamper()
      const { results, changed } = await project.apply()
      expect(results.map(({ error }) => error)).toEqual([undefined])
      expect(changed).toBe(1)
      expect((await project.apply()).changed).toBe(0)
      expect(await systemctl('is-active', 'demo')).toBe('active')
      expect(await systemctl('show', '--property=NeedDaemonReload', '--value', 'demo')).toBe('no')
    }
    await project.destroy()
    expect(await systemctl('show', '--property=LoadState,ActiveState', '--value', 'demo')).toBe(
      'not-found\ninactive',
    )
    expect(await isThere('/etc/systemd/system/demo.service.d')).toBe(false)
    expect(await isThere('/etc/systemd/system/multi-user.target.wants/demo.service')).toBe(false)
  })

  test.each<[title: string, service: string, more: Partial<SystemdServiceSpec>, said: string]>([
    [
      'a oneshot that fails',
      "Type=oneshot\nExecStart=/bin/sh -c 'echo no such device >&2; exit 3'",
      {},
      'no such device',
    ],
    [
      'one that dies soon after its start',
      "ExecStart=/bin/sh -c 'sleep 0.5; echo cannot bind >&2; exit 1'",
      { stableForMs: 2000 },
      'cannot bind',
    ],
    [
      'a crash loop',
      "Restart=always\nRestartSec=100ms\nExecStart=/bin/sh -c 'sleep 0.3; echo out of memory >&2; exit 1'",
      { stableForMs: 1500 },
      'out of memory',
    ],
    [
      'one that hits its start limit',
      "Restart=always\nRestartSec=10ms\nExecStart=/bin/sh -c 'echo no licence >&2; exit 1'",
      { stableForMs: 1500 },
      'no licence',
    ],
    [
      'one that is longer in starting than it may',
      "ExecStartPre=/bin/sh -c 'echo waiting for the disk; sleep 60'\nExecStart=/bin/sleep infinity",
      { startTimeoutMs: 3000 },
      'waiting for the disk',
    ],
  ])('%s is a failure that shows what it said, and can be destroyed', async (_, service, more, said) => {
    const project = conduct(place(), [demo({ unit: text(service), ...more })])
    const { results } = await project.apply()
    expect(results).toMatchObject([{ outcome: 'failure' }])
    expect(results[0]?.error?.message).toContain(said)
    await project.destroy()
    expect(await systemctl('is-failed', 'demo')).toBe('inactive')
  })

  test('one that takes longer than a job is waited for is settled', async () => {
    const unit = text('ExecStartPre=/bin/sleep 4\nExecStart=/bin/sleep infinity')
    const project = conduct(place(), [demo({ unit })])
    const { results, events } = await project.apply()
    expect(results).toMatchObject([{ outcome: 'success' }])
    expect(events.some(({ type }) => type === 'settling')).toBe(true)
    await project.destroy()
  })

  test('oneshots are understood, with RemainAfterExit and without', async () => {
    const here = place()
    const once = (name: string, more = '') =>
      SystemdService({
        name,
        unit: `[Service]\nType=oneshot\n${more}ExecStart=/bin/sh -c 'echo ran >>/tmp/${name}'\n`,
        active: true,
      })
    const project = conduct(here, [once('ends'), once('stays', 'RemainAfterExit=yes\n')])
    await project.apply()
    expect((await project.apply()).changed).toBe(0)
    expect((await container.exec(['cat', '/tmp/ends', '/tmp/stays'])).stdout).toBe('ran\nran\n')
    await project.destroy()
  })

  test('reactions: a reload keeps the process, a restart does not, and neither comes twice', async () => {
    const here = place()
    const unit = text("ExecReload=/bin/sh -c 'echo reloaded >>/tmp/demo'\nExecStart=/bin/sleep infinity")
    const project = (content: string, how: 'reloadOn' | 'restartOn') => {
      const config = File({ path: '/etc/demo.conf', content })
      return conduct(here, [config, SystemdService({ name: 'demo', unit, active: true, [how]: [config] })])
    }
    const invocation = async () => (await services.look('demo.service')).invocation
    await project('1', 'reloadOn').apply()
    const first = await invocation()
    await project('2', 'reloadOn').apply()
    expect(await invocation()).toBe(first)
    expect((await container.exec(['cat', '/tmp/demo'])).stdout).toBe('reloaded\n')
    await project('2', 'restartOn').apply()
    const second = await invocation()
    await project('3', 'restartOn').apply()
    const third = await invocation()
    expect(third).not.toBe(second)
    expect((await project('3', 'restartOn').apply()).changed).toBe(0)
    await project('3', 'restartOn').destroy()
  })

  test('a changed file restarts only if asked to', async () => {
    const here = place()
    await conduct(here, [demo()]).apply()
    const { invocation } = await services.look('demo.service')
    await conduct(here, [demo({ unit: text('ExecStart=/bin/sleep 1000') })]).apply()
    expect((await services.look('demo.service')).invocation).toBe(invocation)
    // What was changed before is made up for as well.
    const project = conduct(here, [demo({ unit: text('ExecStart=/bin/sleep 1000'), restartOnChange: true })])
    expect((await project.apply()).changed).toBe(1)
    expect((await services.look('demo.service')).invocation).not.toBe(invocation)
    expect((await project.apply()).changed).toBe(0)
    await project.destroy()
  })

  test('a file that is not valid is refused, and what was there stays', async () => {
    const here = place()
    await conduct(here, [demo()]).apply()
    const { results } = await conduct(here, [demo({ unit: text('ExecStart=sleep-not') })]).apply()
    expect(results).toMatchObject([{ outcome: 'failure', error: { code: 'refused' } }])
    expect(results[0]?.error?.message).toContain('sleep-not')
    expect((await container.exec(['cat', '/etc/systemd/system/demo.service'])).stdout).toBe(endless)
    expect(await isThere('/run/harmony-verify')).toBe(false)
    await conduct(here, [demo()]).destroy()
  })

  describe("a package's own service", () => {
    beforeAll(async () => {
      await write('/usr/lib/systemd/system/vendor.service', endless)
      await systemctl('daemon-reload')
      await systemctl('enable', '--now', 'vendor')
    })

    test('gets its former state back', async () => {
      const project = conduct(place(), [SystemdService({ name: 'vendor', enabled: false, active: false })])
      await project.apply()
      expect(await systemctl('is-active', 'vendor')).toBe('inactive')
      await project.destroy()
      expect(await systemctl('is-active', 'vendor')).toBe('active')
      expect(await systemctl('is-enabled', 'vendor')).toBe('enabled')
    })

    test('is masked, and unmasked again', async () => {
      const project = conduct(place(), [SystemdService({ name: 'vendor', masked: true, active: false })])
      await project.apply()
      expect(await systemctl('is-enabled', 'vendor')).toBe('masked')
      expect((await project.apply()).changed).toBe(0)
      await project.destroy()
      expect(await systemctl('is-active', 'vendor')).toBe('active')
      expect(await systemctl('is-enabled', 'vendor')).toBe('enabled')
    })

    test.each<[title: string, spec: SystemdServiceSpec, message: string]>([
      ['an alias', { name: 'sshd', active: true }, 'is an alias of ssh.service'],
      ['a static one', { name: 'systemd-journald', enabled: true }, 'it is static'],
      ['one that does not exist', { name: 'nobody-knows', active: true }, 'does not exist'],
    ])('%s is refused in clear words', async (_, spec, message) => {
      const { failures } = await conduct(place(), [SystemdService(spec)]).plan()
      expect(failures).toMatchObject([{ code: 'refused', message: expect.stringContaining(message) }])
    })
  })

  test('a timer waits for its time, and goes by a new one at once', async () => {
    const here = place()
    const work = SystemdService({ name: 'work', unit: '[Service]\nType=oneshot\nExecStart=/bin/true\n' })
    const timer = (onCalendar: string) =>
      SystemdTimer({ name: 'work', onCalendar, persistent: true, enabled: true, active: true })
    await conduct(here, [work, timer('*-12-24 18:00')]).apply()
    expect(await systemctl('list-timers', '--no-legend', 'work.timer')).toContain('-12-24 18:00')
    const project = conduct(here, [work, timer('*-12-31 23:59')])
    await project.apply()
    expect(await systemctl('list-timers', '--no-legend', 'work.timer')).toContain('-12-31 23:59')
    expect((await project.apply()).changed).toBe(0)
    await project.destroy()
    expect(await systemctl('list-unit-files', '--no-legend', 'work.*')).toBe('')
  })

  test('ten services: one reload of the manager', async () => {
    const reloads = async () =>
      Number((await container.exec(['sh', '-c', "journalctl -b _PID=1 | grep -c 'Reloading\\.'"])).stdout)
    const before = await reloads()
    const project = conduct(
      place(),
      Array.from({ length: 10 }, (_, i) =>
        SystemdService({ name: `many${i}`, unit: endless, enabled: true, active: true }),
      ),
    )
    await project.apply()
    expect((await reloads()) - before).toBe(1)
    expect((await project.apply()).changed).toBe(0)
    expect((await reloads()) - before).toBe(1)
    await project.destroy()
  })

  test('all of it through systemd-stdio-bridge, as with sudo', async () => {
    const project = conduct(place(await hostOf({ bridge: true })), [demo()])
    await project.apply()
    expect((await project.apply()).changed).toBe(0)
    await project.destroy()
  })

  test('instances of templates, and names that have to be escaped', async () => {
    await write('/usr/lib/systemd/system/worker@.service', text("ExecStart=/bin/sh -c 'exec sleep 1000' %i"))
    await systemctl('daemon-reload')
    const here = place()
    const project = conduct(here, [
      SystemdService({ name: 'worker@1', enabled: true, active: true }),
      SystemdService({ name: 'worker@a\\x2db', active: true, dropIns: { x: '[Service]\nNice=4\n' } }),
      SystemdService({ name: 'own\\x2dname', unit: endless, enabled: true, active: true }),
    ])
    const { results } = await project.apply()
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined, undefined])
    expect((await project.apply()).changed).toBe(0)
    expect(await systemctl('is-enabled', 'worker@1', 'own\\x2dname')).toBe('enabled\nenabled')
    await project.destroy()
    expect(await systemctl('is-active', 'worker@1', 'worker@a\\x2db', 'own\\x2dname')).toBe(
      'inactive\ninactive\ninactive',
    )
  })

  test('a condition that does not hold is told', async () => {
    const unit = `[Unit]\nConditionPathExists=/nowhere\n\n${endless}`
    const project = conduct(place(), [demo({ unit })])
    const { results } = await project.apply()
    expect(results[0]?.error?.message).toContain('one of its conditions does not hold')
    await project.destroy()
  })

  test('one that another one needs, and that fails, is told', async () => {
    const broken = SystemdService({ name: 'broken', unit: text('Type=oneshot\nExecStart=/bin/false') })
    const needs = SystemdService({
      name: 'needs',
      unit: `[Unit]\nRequires=broken.service\nAfter=broken.service\n\n${endless}`,
      active: true,
      after: [broken],
    })
    const project = conduct(place(), [broken, needs])
    const { results } = await project.apply()
    expect(results.find(({ outcome }) => outcome === 'failure')?.error?.message).toContain(
      'a unit that it requires has failed',
    )
    await project.destroy()
  })

  test('new units that need each other are verified together', async () => {
    const a = SystemdService({ name: 'a', unit: `[Unit]\nRequires=b.service\n\n${endless}`, active: true })
    const b = SystemdService({ name: 'b', unit: `[Unit]\nBefore=a.service\n\n${endless}`, active: true })
    const project = conduct(place(), [a, b])
    const { results } = await project.apply()
    expect(results.map(({ outcome }) => outcome)).toEqual(['success', 'success'])
    await project.destroy()
  })

  test('what was somebody else’s unit file is adopted, and put back', async () => {
    const theirs = text('ExecStart=/bin/sleep 4711')
    await write('/etc/systemd/system/demo.service', theirs)
    await systemctl('daemon-reload')
    await systemctl('enable', '--now', 'demo')
    const here = place()
    const { conflicts } = await conduct(here, [demo({ restartOnChange: true })]).plan()
    expect(conflicts).toMatchObject([{ type: 'exists' }])
    const project = conduct(here, [demo({ restartOnChange: true, adopt: true })])
    await project.apply()
    expect(await systemctl('show', '--property=ExecStart', 'demo')).toContain('infinity')
    await project.destroy()
    expect((await container.exec(['cat', '/etc/systemd/system/demo.service'])).stdout).toBe(theirs)
    expect(await systemctl('is-active', 'demo')).toBe('active')
    expect(await systemctl('is-enabled', 'demo')).toBe('enabled')
    await systemctl('disable', '--now', 'demo')
    await container.exec(['rm', '/etc/systemd/system/demo.service'])
    await systemctl('daemon-reload')
  })

  test('who is not root may look, and change nothing', async () => {
    const own = linuxServices(await hostOf({ bridge: true, user: 'pi' }))
    open.push(own)
    expect((await own.look('ssh.service')).active).toBe('active')
    for (const change of [
      () => own.stop('ssh.service'),
      () => own.reloadManager(),
      () => own.disable('ssh.service'),
    ])
      await expect(change()).rejects.toMatchObject({ code: 'refused', hint: expect.stringContaining('root') })
  })

  describe('what goes wrong between us and the bus', () => {
    test('a connection that is lost in the middle of a job is told, and the next use opens another', async () => {
      let stream: Duplex | undefined
      const dial = async (path: string) => {
        stream = await host.dial(path)
        return stream
      }
      const own = linuxServices({ ...host, dial })
      open.push(own)
      await write(
        '/run/systemd/system/slow.service',
        '[Service]\nExecStartPre=/bin/sleep 5\nExecStart=/bin/true\n',
      )
      await own.reloadManager()
      const job = own.start('slow.service', { patienceMs: 30_000 })
      const lost = expect(job).rejects.toMatchObject({ code: 'unreachable' })
      await pause(500)
      stream?.destroy()
      await lost
      expect((await own.look('slow.service')).active).toBe('activating')
      await own.stop('slow.service')
    })

    test('many who ask after a loss share one new connection', async () => {
      const streams: Duplex[] = []
      const dial = async (path: string) => {
        const stream = await host.dial(path)
        streams.push(stream)
        return stream
      }
      const own = linuxServices({ ...host, dial })
      open.push(own)
      await own.look('ssh.service')
      for (const stream of streams) await once(stream.destroy(), 'close')
      const all = ['ssh.service', 'dbus.service'].flatMap((name) => [
        own.look(name),
        own.verify(name, {}),
        own.resetFailed(name),
      ])
      await Promise.all(all)
      expect(streams).toHaveLength(2)
    })

    test('the bus itself may be restarted between two looks', async () => {
      await services.look('ssh.service')
      await systemctl('restart', 'dbus')
      expect((await services.look('ssh.service')).active).toBe('active')
    })

    test('no bus at the socket', async () => {
      const own = linuxServices({ ...host, dial: (path) => host.dial(`${path}-nowhere`) })
      await expect(own.look('ssh.service')).rejects.toMatchObject({
        code: 'unreachable',
        hint: expect.stringContaining('services need systemd'),
      })
    })

    test('a user whom the bus does not know as the one at the socket', async () => {
      const own = linuxServices({ ...host, facts: async () => ({ ...(await host.facts()), uid: 4711 }) })
      await expect(own.look('ssh.service')).rejects.toMatchObject({ code: 'refused' })
    })
  })
})
