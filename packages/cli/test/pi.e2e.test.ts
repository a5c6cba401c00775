/** A machine at the far end of SSH, as a user meets it: a real Debian with systemd and sshd, and nothing of ours on it. */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { startRelay } from '../../../scripts/testing/relay.ts'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { type Place, projectOn } from './pi-project.ts'
import type { Project } from './project.ts'

describeWith(linuxHosts, 'harmony over SSH', () => {
  let host: LinuxHost
  beforeAll(async () => {
    host = await startLinuxHost()
  })
  afterAll(async () => await host[Symbol.asyncDispose]())

  const projectFor = (places: Readonly<Record<string, Place>>, source: string): Project =>
    projectOn(host, places, source)

  const site = `export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), [
    Directory({ path: '/srv/site', mode: '0755' }),
    Array.from({ length: 30 }, (_, i) => File({ path: '/srv/site/f' + i, content: 'hello ' + i + '\\n', mode: '0640', owner: 'www-data' })),
    Symlink({ path: '/srv/current', target: '/srv/site' }),
  ])] })`

  const traces = async () =>
    (await host.exec(['sh', '-c', 'ls -A /srv; ls -d /var/lib/harmony 2>/dev/null; true'])).stdout

  test('applies, changes nothing the second time, sees and repairs drift, and leaves no trace', async () => {
    using project = projectFor({ kiosk: {} }, site)
    expect(await project.run('plan')).toMatchObject({ status: 2 })
    expect(await traces()).toBe('')
    const first = await project.run('apply --yes')
    expect(first).toMatchObject({ status: 0, err: '' })
    expect(first.out).toContain('kiosk: ledger kiosk:/var/lib/harmony\n')
    expect((await host.exec(['cat', '/srv/current/f7'])).stdout).toBe('hello 7\n')
    expect((await host.exec(['stat', '-c', '%U %a', '/srv/site/f7'])).stdout).toBe('www-data 640\n')
    expect((await project.run('apply --yes')).out).toContain('Nothing to do: 32 Scores are as wanted.')

    await host.exec([
      'sh',
      '-c',
      'echo tampered >/srv/site/f1; rm /srv/site/f2; chmod 600 /srv/site/f3; ln -sfn /tmp /srv/current',
    ])
    const drift = await project.run('drift')
    expect(drift.status).toBe(2)
    expect(drift.out).toContain('-hello 1')
    expect(drift.out).toContain('+tampered')
    expect((await project.run('apply --yes')).out).toContain('Done: 4 done, 28 unchanged')
    expect((await project.run('drift')).status).toBe(0)

    expect((await project.run('destroy --yes')).status).toBe(0)
    expect(await traces()).toBe('')
  })

  test('users, a key, files and a service that restarts with them: applied, unchanged, repaired part by part, gone', async () => {
    using project = projectFor(
      { kiosk: {} },
      `import { AuthorizedKey, Group, SystemdService, SystemdTimer, User } from '@harmony-iac/scores'
const page = File({ path: '/srv/site/page', content: process.env.PAGE ?? 'one', owner: 'web' })
export default defineProject({ name: 'kiosk', deployments: [deploy(at('kiosk'), [
  Group({ name: 'web', system: true }),
  User({ name: 'web', group: 'web', system: true, createHome: true, removeHome: true, shell: '/usr/sbin/nologin' }),
  AuthorizedKey({ user: 'web', key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICNRAB0za22vaGXNLwGdMaAvyXzKt+LR/NPTya+70dRY ada@laptop' }),
  Directory({ path: '/srv/site', owner: 'web' }),
  page,
  SystemdService({
    name: 'site',
    unit: { Service: { User: 'web', ExecStart: '/bin/sleep 1000' }, Install: { WantedBy: 'multi-user.target' } },
    enabled: true,
    active: true,
    restartOn: [page],
  }),
  SystemdTimer({ name: 'site', onCalendar: 'daily', active: true }),
])] })`,
    )
    const listing =
      'ls -A /srv /home /etc/systemd/system; cat /etc/passwd /etc/group; systemctl is-active site.service site.timer; true'
    const look = async () => (await host.exec(['sh', '-c', listing])).stdout
    const before = await look()
    expect(await project.run('apply --yes')).toMatchObject({ status: 0, err: '' })
    expect((await project.run('apply --yes')).out).toContain('Nothing to do: 7 Scores are as wanted.')
    const pid = async () => (await host.exec(['systemctl', 'show', '-P', 'MainPID', 'site'])).stdout.trim()
    const first = await pid()
    const changed = await project.run('apply --yes', { PAGE: 'two' })
    expect(changed.out).toContain('restartOn, because of File:/srv/site/page')
    expect(await pid()).not.toBe(first)
    const tampers = [
      'systemctl stop site',
      'systemctl disable site',
      'rm /srv/site/page',
      'usermod --shell /bin/bash web',
      ': >/home/web/.ssh/authorized_keys',
      'systemctl stop site.timer',
    ]
    for (const tamper of tampers) {
      await host.exec(['sh', '-c', tamper])
      expect((await project.run('drift', { PAGE: 'two' })).status, tamper).toBe(2)
      expect((await project.run('apply --yes', { PAGE: 'two' })).status, tamper).toBe(0)
      expect((await project.run('drift', { PAGE: 'two' })).status, tamper).toBe(0)
    }
    expect((await project.run('destroy --yes')).status).toBe(0)
    expect(await look()).toBe(before)
  })

  test('works as an ordinary user on what is theirs', async () => {
    using project = projectFor(
      { mine: { user: 'pi' } },
      `export default defineProject({ name: 'site', deployments: [deploy(at('mine'), [File({ path: '/home/pi/note', content: 'mine\\n' })])] })`,
    )
    expect((await project.run('apply --yes')).status).toBe(0)
    expect((await host.exec(['stat', '-c', '%U', '/home/pi/note'])).stdout).toBe('pi\n')
    expect((await project.run('destroy --yes')).status).toBe(0)
  })

  test('tells the facts of a host to whoever may log in there', async () => {
    using project = projectFor({ mine: { user: 'pi' } }, '')
    // A user's own configuration is read from where it is; this project has one beside it.
    mkdirSync(join(project.sandbox.folder, '.ssh'))
    copyFileSync(join(project.folder, 'ssh_config'), join(project.sandbox.folder, '.ssh/config'))
    const { status, out } = await project.run('inventory mine --json')
    expect(status).toBe(0)
    const uname = (await host.exec(['uname', '-m'])).stdout.trim()
    expect(JSON.parse(out)).toMatchObject({
      hostname: host.name,
      os: { id: 'debian', codename: expect.any(String) },
      architecture: uname,
      memory: { total: expect.any(Number) },
      fileSystems: expect.arrayContaining([expect.objectContaining({ mountPoint: '/' })]),
      interfaces: expect.arrayContaining([expect.objectContaining({ name: 'lo' })]),
      systemd: { version: expect.any(Number) },
    })
    expect((await project.run('inventory mine')).out).toContain(`${host.name}\n  system        Debian`)
    expect(await project.run('inventory nobody@127.0.0.1:1')).toMatchObject({
      status: 69,
      err: expect.stringContaining('nobody@127.0.0.1:1'),
    })
  })

  test('tells what has moved on a host, of whichever project, without any of them', async () => {
    const settings = `import { Hostname, Sysctl, Timezone } from '@harmony-iac/scores'
export default defineProject({ name: 'settings', deployments: [deploy(at('kiosk'), [
  Hostname({ name: 'kiosk', pretty: 'The kiosk' }),
  Timezone({ zone: 'Europe/Berlin' }),
  Sysctl({ key: 'net.ipv4.ip_forward', value: 1 }),
  File({ path: '/etc/kiosk.token', content: secret('token') }),
])] })`
    await host.exec([
      'sh',
      '-c',
      'mkdir -p /usr/share/zoneinfo/Europe; printf TZif2 >/usr/share/zoneinfo/Europe/Berlin',
    ])
    const listing =
      'hostname; cat /etc/hostname /etc/hosts; ls -A /etc /etc/sysctl.d; readlink /etc/localtime; cat /proc/sys/net/ipv4/ip_forward'
    const look = async () => (await host.exec(['sh', '-c', listing])).stdout
    const before = await look()
    using site_ = projectFor({ kiosk: {} }, site)
    using project = projectFor({ kiosk: {} }, settings)
    const env = { HARMONY_SECRET_TOKEN: 'hidden' }
    expect((await site_.run('apply --yes')).status).toBe(0)
    expect(await project.run('apply --yes', env)).toMatchObject({ status: 0, err: '' })
    expect((await project.run('apply --yes', env)).out).toContain('Nothing to do: 4 Scores are as wanted.')

    // From a folder without a project, as whoever is called at night.
    using nowhere = projectFor({ kiosk: {} }, '')
    rmSync(join(nowhere.folder, 'harmony.ts'))
    mkdirSync(join(nowhere.sandbox.folder, '.ssh'))
    copyFileSync(join(nowhere.folder, 'ssh_config'), join(nowhere.sandbox.folder, '.ssh/config'))
    await host.exec([
      'sh',
      '-c',
      'hostname other; echo tampered >/srv/site/f1; sysctl -qw net.ipv4.ip_forward=0',
    ])
    const seen = await look()
    const drift = await nowhere.run('drift root@kiosk')
    expect(drift).toMatchObject({ status: 2, err: '' })
    expect(drift.out).toContain('Hostname:host has changed (settings)')
    expect(drift.out).toContain("name: 'kiosk' → 'other now, kiosk at the next start'")
    expect(drift.out).toContain("value: '1' → '0'")
    expect(drift.out).toContain('File:/srv/site/f1 has changed (site)')
    expect(drift.out).toContain('+tampered')
    // Its value is known to its project only.
    expect(drift.out).toContain('File:/etc/kiosk.token cannot be told (settings)')
    expect(drift.out).toContain('Drift: 4 not as last applied, 32 as last applied.')
    expect(await look()).toBe(seen)
    const { events } = await nowhere.run('drift kiosk --json')
    expect(events.at(-1)).toMatchObject({ type: 'summary', command: 'drift', update: 4, unchanged: 32 })
    expect(await nowhere.run('drift nobody@127.0.0.1:1')).toMatchObject({ status: 69 })

    expect((await site_.run('destroy --yes')).status).toBe(0)
    expect((await project.run('destroy --yes', env)).status).toBe(0)
    expect(await look()).toBe(before)
    expect((await nowhere.run('drift kiosk')).status).toBe(0)
  })

  test('a host that allows too few sessions is no fault of Harmony, and says what to do', async () => {
    const allow = (lines: string) =>
      host.exec([
        'sh',
        '-c',
        `sed -i /MaxSessions/d /etc/ssh/sshd_config; printf '${lines}' >>/etc/ssh/sshd_config; systemctl reload ssh`,
      ])
    using project = projectFor({ kiosk: {} }, site)
    await allow('MaxSessions 1\n')
    try {
      const { status, err } = await project.run('apply --yes')
      expect(status).toBe(69)
      expect(err).toContain('kiosk opens no more sessions on this connection')
      expect(err).toContain('MaxSessions')
    } finally {
      await allow('')
    }
    expect((await project.run('destroy --yes')).status).toBe(0)
  })

  test('a host that is down fails alone', async () => {
    using project = projectFor(
      { kiosk: {}, gone: { port: 1 } },
      `const scores = () => [File({ path: '/srv/one', content: '1' })]
export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), scores()), deploy(at('gone'), scores())] })`,
    )
    const result = await project.run('apply --yes')
    expect(result.err).toContain('gone cannot be reached: nobody listens at 127.0.0.1, port 1')
    expect((await host.exec(['cat', '/srv/one'])).stdout).toBe('1')
    expect(result.status).toBe(1)
    await project.run('destroy --yes')
    await host.exec(['rm', '-rf', '/srv/one', '/var/lib/harmony'])
  })

  describe('trusts nobody without a reason', () => {
    const one = `export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), [File({ path: '/srv/one', content: '1' })])] })`

    test('a host key that has changed is refused, loudly, and nothing is done', async () => {
      using project = projectFor({ kiosk: {} }, one)
      const other = host.hostKey.split(' ')[1]
      project.write({
        known_hosts: `kiosk ${other} AAAAC3NzaC1lZDI1NTE5AAAAIBsUGcMCWxLwQ2LLvDPG2ZRFXKKKDBtnBQ1RQ4kmBqQK\n`,
      })
      const result = await project.run('apply --yes')
      expect(result.status).toBe(1)
      expect(result.err).toContain('THE HOST KEY HAS CHANGED')
      expect(result.err).toContain('ssh-keygen -f')
      expect(await traces()).toBe('')
    })

    test('a host that is new is refused, unless the configuration says to trust it', async () => {
      using project = projectFor({ kiosk: {} }, one)
      project.write({ known_hosts: '' })
      const refused = await project.run('plan')
      expect(refused.status).toBe(1)
      expect(refused.err).toContain('kiosk: nobody has vouched for its host key ssh-ed25519 SHA256:')
      project.write({
        ssh_config: `StrictHostKeyChecking accept-new\n${readFileSync(join(project.folder, 'ssh_config'), 'utf8')}`,
      })
      expect((await project.run('plan')).status).toBe(2)
      expect(readFileSync(join(project.folder, 'known_hosts'), 'utf8')).toContain(host.hostKey.split(' ')[2])
    })
  })

  test('goes through another host', async () => {
    const address = await host.address()
    using project = projectFor(
      { jump: {}, kiosk: { lines: ['ProxyJump jump'] } },
      `export default defineProject({ name: 'site', deployments: [deploy(at('kiosk'), [File({ path: '/srv/one', content: '1' })])] })`,
    )
    const config = readFileSync(join(project.folder, 'ssh_config'), 'utf8')
    const [jump = '', kiosk = ''] = config.split(/(?=Host kiosk)/)
    project.write({
      ssh_config: jump + kiosk.replace('127.0.0.1', address).replace(`Port ${host.port}`, 'Port 22'),
    })
    expect((await project.run('apply --yes')).status).toBe(0)
    expect((await host.exec(['cat', '/srv/one'])).stdout).toBe('1')
    expect((await project.run('destroy --yes')).status).toBe(0)
  })

  test('a connection that breaks in the middle leaves nothing that the next apply does not finish', async () => {
    await using relay = await startRelay({ to: host.port })
    using project = projectFor({ kiosk: { port: relay.port } }, site)
    let broken = 0
    for (const bytes of [20_000, 40_000, 60_000, 90_000, 130_000]) {
      relay.dropAfter(bytes)
      const result = await project.run('apply --yes')
      if (result.status === 0) continue
      broken++
      expect(`${result.err}${result.out}`).toMatch(/the connection to kiosk was lost|cannot be reached/)
    }
    expect(broken).toBeGreaterThan(1)
    relay.dropAfter(Number.MAX_SAFE_INTEGER)
    expect((await project.run('apply --yes')).status).toBe(0)
    expect((await project.run('apply --yes')).out).toContain('Nothing to do: 32 Scores are as wanted.')
    const listed = await host.exec(['sh', '-c', 'ls -A /srv/site | wc -l'])
    expect(listed.stdout.trim()).toBe('30')
    expect((await project.run('destroy --yes')).status).toBe(0)
    expect(await traces()).toBe('')
  })

  test('two operators at once: one waits, and says for whom', async () => {
    using project = projectFor({ kiosk: {} }, site)
    await project.run('apply --yes')
    await host.exec(['sh', '-c', 'rm /srv/site/f*'])
    const [a, b] = await Promise.all([project.run('apply --yes'), project.run('apply --yes')])
    expect([a.status, b.status]).toEqual([0, 0])
    expect((await project.run('destroy --yes')).status).toBe(0)
  })
})
