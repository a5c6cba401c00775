/** What becomes of an apply over SSH when the host, its disk or the way to it fails in the middle, and of the next one. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { startRelay } from '../../../scripts/testing/relay.ts'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { projectOn } from './pi-project.ts'

const everything = `import { Group, SystemdService, User } from '@harmony-iac/scores'
const pages = Array.from({ length: 8 }, (_, i) => File({ path: '/srv/site/f' + i, content: 'page ' + i + '\\n', owner: 'web' }))
export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), [
  Group({ name: 'web', system: true }),
  User({ name: 'web', group: 'web', system: true }),
  Directory({ path: '/srv/site', owner: 'web' }),
  pages,
  SystemdService({
    name: 'site',
    unit: { Service: { ExecStart: '/bin/sleep infinity' }, Install: { WantedBy: 'multi-user.target' } },
    enabled: true,
    active: true,
    restartOn: pages,
  }),
])] })`
const scores = 12

describeWith(linuxHosts, 'when something fails in the middle', () => {
  let host: LinuxHost
  beforeAll(async () => {
    host = await startLinuxHost()
  })
  afterAll(async () => await host[Symbol.asyncDispose]())

  const sh = async (script: string) => (await host.exec(['sh', '-c', script])).stdout
  const look = () =>
    sh(
      'find /srv /etc/systemd/system -printf "%p %y %m %u\\n" | sort; cat /etc/passwd /etc/group; ls -d /var/lib/harmony 2>&1',
    )
  const nothingHalfDone = () => sh('find / -xdev -name "*.harmony-*" -not -path "/proc/*"')

  test('the connection, at any step: the next apply finishes, and nothing is left of the one before', async () => {
    await using relay = await startRelay({ to: host.port })
    using project = projectOn(host, { kiosk: { port: relay.port } }, everything)
    const before = await look()
    const passed = () => relay.counters.bytesUp + relay.counters.bytesDown
    const start = passed()
    expect((await project.run('apply --yes')).status).toBe(0)
    const all = passed() - start
    const applied = await look()
    expect((await project.run('destroy --yes')).status).toBe(0)
    expect(await look()).toBe(before)
    let broken = 0
    for (let part = 1; part <= 12; part++) {
      relay.dropAfter(Math.round((all * part) / 13))
      const cut = await project.run('apply --yes')
      relay.dropAfter(Number.POSITIVE_INFINITY)
      if (cut.status !== 0) {
        broken++
        expect(`${cut.err}${cut.out}`).toMatch(/the connection to kiosk was lost|cannot be reached/)
      }
      expect(await project.run('apply --yes'), `cut at ${part} of 13`).toMatchObject({ status: 0 })
      expect(await look()).toBe(applied)
      expect(await nothingHalfDone()).toBe('')
      expect((await project.run('apply --yes')).out).toContain(
        `Nothing to do: ${scores} Scores are as wanted.`,
      )
      expect((await project.run('destroy --yes')).status).toBe(0)
      expect(await look()).toBe(before)
    }
    expect(broken).toBeGreaterThan(8)
  })

  test('the power of the host: it is told, and the next apply finishes', async () => {
    using project = projectOn(host, { kiosk: {} }, everything)
    const before = await look()
    let told = 0
    for (const afterMs of [600, 900, 1300]) {
      const running = project.run('apply --yes')
      await pause(afterMs)
      await host.kill()
      const cut = await running
      if (cut.status !== 0) {
        told++
        expect(`${cut.err}${cut.out}`).toMatch(/the connection to kiosk was lost|cannot be reached/)
      }
      expect((await project.run('apply --yes')).status).toBe(69)
      await host.start()
      expect(await project.run('apply --yes')).toMatchObject({ status: 0 })
      expect((await project.run('apply --yes')).out).toContain(
        `Nothing to do: ${scores} Scores are as wanted.`,
      )
      expect(await nothingHalfDone()).toBe('')
      expect((await project.run('destroy --yes')).status).toBe(0)
      expect(await look()).toBe(before)
    }
    expect(told).toBeGreaterThan(0)
  })

  test('the host falls silent: it is given up after a while, and named', async () => {
    using project = projectOn(
      host,
      { kiosk: { lines: ['ServerAliveInterval 1', 'ServerAliveCountMax 2', 'ConnectTimeout 5'] } },
      everything,
    )
    await host.pause()
    const silent = await project.run('apply --yes')
    await host.unpause()
    expect(silent.status).toBe(69)
    expect(silent.err).toContain('kiosk cannot be reached')
    expect((await project.run('apply --yes')).status).toBe(0)
    expect((await project.run('destroy --yes')).status).toBe(0)
  })

  test('a disk is full: the file that does not fit is named, the old one stays whole, and room is all that is needed', async () => {
    await sh('mkdir /srv/small && mount -t tmpfs -o size=128k tmpfs /srv/small')
    try {
      const source = `export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), [
  File({ path: '/srv/small/a', content: 'a'.repeat(Number(process.env.SIZE)) }),
  File({ path: '/srv/small/b', content: 'b' }),
])] })`
      using project = projectOn(host, { kiosk: {} }, source)
      expect((await project.run('apply --yes', { SIZE: '1000' })).status).toBe(0)
      const full = await project.run('apply --yes', { SIZE: '200000' })
      expect(full.status).toBe(1)
      expect(full.err + full.out).toMatch(/\/srv\/small\/a.*(ENOSPC|no space)/is)
      expect((await sh('wc -c </srv/small/a; ls -A /srv/small')).split(/\s+/)).toEqual(['1000', 'a', 'b', ''])
      await sh('mount -o remount,size=1m /srv/small')
      expect((await project.run('apply --yes', { SIZE: '200000' })).status).toBe(0)
      expect((await sh('wc -c </srv/small/a')).trim()).toBe('200000')
      expect((await project.run('destroy --yes')).status).toBe(0)
      expect(await sh('ls -A /srv/small')).toBe('')
    } finally {
      await sh('umount /srv/small; rmdir /srv/small')
    }
  })

  test('the disk of the ledger is full: nothing is begun that it could not hold', async () => {
    await sh('mkdir -p /var/lib/harmony && mount -t tmpfs -o size=16k,mode=0700 tmpfs /var/lib/harmony')
    try {
      using project = projectOn(
        host,
        { kiosk: {} },
        `export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), [
  Array.from({ length: 60 }, (_, i) => File({ path: '/srv/f' + i, content: 'page ' + i + '\\n'.repeat(500) })),
])] })`,
      )
      const full = await project.run('apply --yes')
      expect(full.status).toBe(1)
      expect(full.err + full.out).toMatch(/\/var\/lib\/harmony.*(ENOSPC|no space)/is)
      await sh('mount -o remount,size=4m /var/lib/harmony')
      expect(await project.run('apply --yes')).toMatchObject({ status: 0 })
      expect((await project.run('apply --yes')).out).toContain('Nothing to do: 60 Scores are as wanted.')
      expect((await project.run('destroy --yes')).status).toBe(0)
      expect(await sh('ls -A /srv')).toBe('')
    } finally {
      await sh('umount /var/lib/harmony; rmdir /var/lib/harmony')
    }
  })
})
