/** `harmony doctor` on machines with things taken away: real ones, in containers. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { type PlainContainer, startPlainContainer } from '../../../scripts/testing/plain-container.ts'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { commandEvents } from '../src/schemas.ts'
import { makeProject, type Project, type Result } from './project.ts'

/** Every line is valid; what is not ok, by concern. */
function lacksOf({ events }: Result) {
  for (const event of events) {
    const { error } = commandEvents[String(event.type)]?.safeParse(event) ?? {}
    expect(error, JSON.stringify(event)).toBeUndefined()
  }
  return Object.fromEntries(
    events
      .filter(({ type, status }) => type === 'finding' && status !== 'ok')
      .map(({ concern, status, problems }) => [
        concern,
        [status, ...(problems as readonly { readonly code: string }[]).map(({ code }) => code)],
      ]),
  )
}

test('without a project and a word it is this machine that is examined', async () => {
  using project = makeProject()
  const result = await project.run('doctor --json')
  expect(result.events[0]).toMatchObject({ type: 'examined', means: 'this-machine', uid: process.getuid?.() })
  expect(result.events.at(-1)).toMatchObject({ type: 'summary', command: 'doctor', unreachable: 0 })
  lacksOf(result)
})

test('a project is examined for what its Scores need, and its names come before all others', async () => {
  using project = makeProject()
  project.source(
    `export default defineProject({ name: 'site', deployments: [
  deploy(new LocalTopology({ name: 'kiosk' }), [File({ path: root + '/f', content: 'x' })]),
  deploy(new SimulatedTopology({ name: 'dream' }), [File({ path: '/f', content: 'x' })]),
] })`,
  )
  const all = await project.run('doctor')
  expect(all).toMatchObject({ status: 0, err: expect.stringContaining('dream is not a Linux machine') })
  expect(all.out).toContain('kiosk, a topology of the project site')
  expect(all.out).toMatch(/files +(ok|limited) +needed/)
  expect(all.out).not.toMatch(/(services|containers|agent).*needed/)
  expect(all.out).toContain('All that the project needs is there.')
  expect((await project.run('doctor kiosk')).out).toContain('kiosk, a topology of the project site')
  expect((await project.run('doctor localhost')).out).toContain('this machine')
  expect(await project.run('doctor nobody@127.0.0.1:1')).toMatchObject({
    status: 69,
    out: expect.stringContaining('1 host cannot be reached'),
    err: expect.stringContaining('nobody listens'),
  })
  expect(await project.run('doctor -p . other')).toMatchObject({
    status: 64,
    err: expect.stringContaining('it has: kiosk, dream'),
  })
})

describeWith(linuxHosts, 'harmony doctor', () => {
  let host: LinuxHost
  let project: Project
  beforeAll(async () => {
    host = await startLinuxHost({ withEngine: true })
    project = makeProject()
    const places = { kiosk: 'root', mine: 'pi', asked: 'admin' }
    project.write({
      ssh_config: Object.entries(places)
        .map(
          ([name, user]) => `Host ${name}
  HostName 127.0.0.1
  Port ${host.port}
  User ${user}
  IdentityFile ${host.keyFile}
  ConnectTimeout 60
  UserKnownHostsFile ${project.folder}/known_hosts
  HostKeyAlias kiosk
`,
        )
        .join(''),
      known_hosts: `kiosk ${host.hostKey.split(' ').slice(1).join(' ')}\n`,
    })
    mkdirSync(join(project.sandbox.folder, '.ssh'))
    copyFileSync(join(project.folder, 'ssh_config'), join(project.sandbox.folder, '.ssh/config'))
  })
  afterAll(async () => {
    project?.[Symbol.dispose]()
    await host?.[Symbol.asyncDispose]()
  })
  const sh = async (script: string) => {
    const { exitCode, stderr } = await host.exec(['sh', '-ec', script])
    expect(exitCode, stderr).toBe(0)
  }
  const sshdAgain = 'systemctl restart ssh'
  const lacks = async (name: string, env?: Readonly<Record<string, string>>) =>
    lacksOf(await project.run(`doctor ${name} --json`, env))

  test('a whole machine lacks nothing', async () => {
    const result = await project.run('doctor kiosk')
    expect(result).toMatchObject({ status: 0, err: '' })
    expect(result.out).toContain('kiosk, over SSH, as root\n')
    expect(await lacks('kiosk')).toEqual({})
  })

  test('an ordinary user lacks what only root may do, and hears about sudo', async () => {
    const notRoot = ['missing', 'not-root']
    const found = {
      files: ['limited', 'not-root'],
      services: notRoot,
      users: notRoot,
      packages: notRoot,
      system: notRoot,
      agent: notRoot,
      containers: ['missing', 'engine-denied'],
    }
    expect(await lacks('mine')).toEqual(found)
    expect(await lacks('asked')).toEqual(found)
    const mine = await project.run('doctor mine')
    expect(mine.status).toBe(1)
    expect(mine.out).toContain('sudo, which asks for no password here')
    expect((await project.run('doctor asked')).out).toContain('it asks for one here')
  })

  test('without SFTP no files are reached, and everything else is told', async () => {
    await sh(`cp /etc/ssh/sshd_config /root/kept; sed -i '/^Subsystem/d' /etc/ssh/sshd_config; ${sshdAgain}`)
    expect(await lacks('kiosk')).toEqual({
      ledger: ['missing', 'no-files'],
      files: ['missing', 'no-files'],
    })
    expect((await project.run('doctor kiosk')).out).toContain('Subsystem sftp internal-sftp')
    await sh(`mv /root/kept /etc/ssh/sshd_config; ${sshdAgain}`)
    expect(await lacks('kiosk')).toEqual({})
  })

  test('where sshd forwards no sockets, neither the bus nor the engine is reached', async () => {
    await sh(`echo 'AllowStreamLocalForwarding no' >/etc/ssh/sshd_config.d/no.conf; ${sshdAgain}`)
    expect(await lacks('kiosk')).toMatchObject({
      services: ['missing', 'no-bus'],
      containers: ['missing', 'engine-silent'],
    })
    await sh(`rm /etc/ssh/sshd_config.d/no.conf; ${sshdAgain}`)
  })

  test.each([
    ['flock', { ledger: ['missing', 'no-flock'] }],
    ['useradd', { users: ['missing', 'no-programs'] }],
    ['apt-get', { packages: ['missing', 'no-apt'] }],
  ])('without %s it says for what that is', async (program, expected) => {
    const path = (await host.exec(['sh', '-c', `command -v ${program}`])).stdout.trim()
    await sh(`mv ${path} ${path}.away`)
    expect(await lacks('kiosk')).toEqual(expected)
    await sh(`mv ${path}.away ${path}`)
  })

  // Without a bus a login may wait for it for 25 s (pam_systemd): hence the patience above.
  test('a bus that does not run, and a full disk', async () => {
    await sh('systemctl stop dbus.socket dbus.service')
    expect(await lacks('kiosk')).toMatchObject({ services: ['missing', 'no-bus'] })
    await sh('systemctl start dbus.socket')
    await sh('mkdir -p /var/lib/harmony && mount -t tmpfs -o size=1m tmpfs /var/lib/harmony')
    expect(await lacks('kiosk')).toMatchObject({ ledger: ['limited', 'disk-full'] })
    await sh('mount -o remount,ro /var/lib/harmony')
    expect(await lacks('kiosk')).toMatchObject({ ledger: ['missing', 'read-only', 'disk-full'] })
    await sh('umount /var/lib/harmony && rmdir /var/lib/harmony')
  })

  describe('a container', () => {
    let plain: PlainContainer
    beforeAll(async () => {
      plain = await startPlainContainer('debian', { shared: false })
    })
    afterAll(async () => await plain?.[Symbol.asyncDispose]())
    /** Done as the engine does it, without Harmony; what is printed. */
    const behind = async (argv: readonly string[]) => {
      const exec = await plain.container.exec({ Cmd: [...argv], AttachStdout: true, Tty: true })
      return await text(await exec.start({ Tty: true }))
    }

    test('has no systemd and no engine, and everything else', async () => {
      const env = { DOCKER_HOST: `unix://${plain.socket}` }
      const result = await project.run(`doctor container:${plain.name}`, env)
      expect(result, result.err).toMatchObject({ status: 1, err: '' })
      expect(result.out).toContain(`the container ${plain.name}, as root`)
      expect(result.out).toContain('missing: services, containers, system.')
      const facts = await project.run(`inventory container:${plain.name} --json`, env)
      expect(JSON.parse(facts.out)).toMatchObject({ os: { id: 'debian' } })
      expect(await lacks(`container:${plain.name}`, env)).toEqual({
        services: ['missing', 'no-systemd'],
        system: ['missing', 'no-systemd'],
        agent: ['missing', 'no-systemd'],
        containers: ['missing', 'no-engine'],
      })
    })

    test('that is not there is told, and is not reachable', async () => {
      const env = { DOCKER_HOST: `unix://${plain.socket}` }
      expect(await project.run('doctor container:nobody', env)).toMatchObject({
        status: 69,
        err: expect.stringContaining('there is no such container'),
      })
    })

    test('of another machine is reached through that machine', async () => {
      project.source(`import { inContainer, PiTopology, ssh } from '@harmony-iac/topologies'
const kiosk = ssh('kiosk', { configFile: import.meta.dirname + '/ssh_config' })
const player = new PiTopology({ name: 'player', host: inContainer('${plain.name}', { on: kiosk }) })
export default defineProject({ name: 'players', deployments: [deploy(player, [
  File({ path: '/srv/far', content: 'far '.repeat(100_000) }),
])] })`)
      expect(await project.run('apply --yes')).toMatchObject({ status: 0, err: '' })
      expect(await behind(['wc', '-c', '/srv/far'])).toBe('400000 /srv/far\r\n')
      expect((await project.run('doctor player')).out).toContain('All that the project needs is there.')
      expect((await project.run('destroy --yes')).status).toBe(0)
    })

    test('is applied to like any host: again is nothing to do, and nothing is left', async () => {
      using site = makeProject()
      site.source(`import { inContainer, PiTopology } from '@harmony-iac/topologies'
import { User } from '@harmony-iac/scores'
const kiosk = new PiTopology({ name: 'kiosk', host: inContainer('${plain.name}', { socket: '${plain.socket}' }) })
export default defineProject({ name: 'site', deployments: [deploy(kiosk, [
  User({ name: 'web', system: true }),
  Directory({ path: '/srv/site', mode: '0755', owner: 'web' }),
  Array.from({ length: 30 }, (_, i) => File({ path: '/srv/site/f' + i, content: 'hello ' + i + '\\n', owner: 'web' })),
  Symlink({ path: '/srv/current', target: '/srv/site' }),
])] })`)
      const doctor = await site.run('doctor')
      expect(doctor).toMatchObject({ status: 0, out: expect.stringContaining('All that the project needs') })
      expect(await site.run('apply --yes')).toMatchObject({ status: 0, err: '' })
      expect((await site.run('apply --yes')).out).toContain('Nothing to do: 33 Scores are as wanted.')
      await behind(['sh', '-c', 'echo no >/srv/site/f1; rm /srv/site/f2'])
      expect((await site.run('drift')).status).toBe(2)
      expect((await site.run('apply --yes')).out).toContain('Done: 2 done, 31 unchanged')
      expect((await site.run('destroy --yes')).status).toBe(0)
      expect(
        await behind([
          'sh',
          '-c',
          'ls -A /srv; ls -d /var/lib/harmony 2>/dev/null; grep web /etc/passwd; true',
        ]),
      ).toBe('')
    })
  })
})
