/** The kiosk of the examples on a host as it comes: applied, unchanged, repaired part by part, and gone without a trace. */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Archive, debianArchive, startArchive } from './testing/archive.ts'
import { containerImages, importBusybox } from './testing/busybox-image.ts'
import { engine } from './testing/engine.ts'
import { type LinuxHost, linuxHosts, startLinuxHost } from './testing/linux-host.ts'
import { describeWith, type Part } from './testing/require-part.ts'
import { makeSandbox, type Sandbox } from './testing/sandbox.ts'

const launcher = join(import.meta.dirname, '../packages/cli/bin/harmony.js')
const image = 'busybox:1.36'
const scores = 10

const parts: Part = {
  name: [linuxHosts, containerImages, debianArchive].map(({ name }) => name).join(', '),
  get: [linuxHosts, containerImages, debianArchive].map(({ get }) => get).join('; '),
  present: [linuxHosts, containerImages, debianArchive].every(({ present }) => present),
}

/**
 * Everything of the host, but what it writes for itself: logs, caches, lists of packages, the notes that dpkg, adduser and
 * systemd keep of what they have done, and `/var/www`, which Debian's nginx leaves behind when it is purged.
 */
const look = `
find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/cache \\
  -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/backups -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/www \\) -prune -o \\
  -type f ! -name '*-' -printf '%p %m %u %g ' -exec sha256sum '{}' ';' -o \\
  ! -type f -printf '%p %y %m %u %g %l\\n' | grep -v ' /etc/ld.so.cache$' | sort
dpkg-query --show --showformat '\${binary:Package} \${Version} \${db:Status-Abbrev}\\n'
apt-mark showauto
systemctl list-unit-files --no-legend --no-pager | sort
`

describeWith(parts, 'the kiosk', () => {
  let archive: Archive
  let host: LinuxHost
  let sandbox: Sandbox
  beforeAll(async () => {
    archive = await startArchive()
    host = await startLinuxHost({ users: ['pi'], withEngine: true })
    await clearEngine()
    await importBusybox(image)
    await sh(
      'printf %s "$1" >/etc/apt/apt.conf.d/99archive; printf %s "$2" >/etc/apt/sources.list',
      archive.aptConf,
      archive.sourcesList,
    )
    sandbox = makeSandbox(join(import.meta.dirname, '../examples/kiosk'))
    mkdirSync(join(sandbox.folder, '.ssh'), { mode: 0o700 })
    writeFileSync(join(sandbox.folder, '.ssh/known_hosts'), `${host.hostKey}\n`)
    writeFileSync(
      join(sandbox.folder, '.ssh/config'),
      `Host kiosk\n  HostName 127.0.0.1\n  Port ${host.port}\n  User pi\n  IdentityFile ${host.keyFile}\n  UserKnownHostsFile ${sandbox.folder}/.ssh/known_hosts\n`,
    )
  })
  afterAll(async () => {
    sandbox?.[Symbol.dispose]()
    await host?.[Symbol.asyncDispose]()
    await archive?.[Symbol.asyncDispose]()
    await clearEngine()
  })

  /** The engine goes on after a test, and after one that failed. */
  async function clearEngine(): Promise<void> {
    const docker = await engine()
    for (const thing of [docker.getContainer('player'), docker.getNetwork('kiosk'), docker.getImage(image)])
      await thing.remove({ force: true }).catch((error: { readonly statusCode?: number }) => {
        if (error.statusCode !== 404) throw error
      })
  }

  const sh = async (script: string, ...args: readonly string[]) =>
    (await host.exec(['sh', '-c', script, 'sh', ...args])).stdout

  /** What the command prints, once it has ended like this. Not waited for by blocking: the archive is in this process. */
  async function harmony(status: number, line: string, env: Readonly<Record<string, string>> = {}) {
    const ended = await new Promise<{ readonly status: unknown; readonly text: string }>((resolve) => {
      execFile(
        process.execPath,
        [launcher, ...line.split(' ')],
        { cwd: sandbox.project, env: { ...sandbox.env, KIOSK: 'kiosk', ...env } },
        (error, out, err) => resolve({ status: error ? error.code : 0, text: out + err }),
      )
    })
    expect(ended.status, ended.text).toBe(status)
    return ended.text
  }

  async function ofEngine(): Promise<unknown> {
    const docker = await engine()
    return {
      containers: (await docker.listContainers({ all: true }))
        .flatMap(({ Names }) => Names)
        .filter((name) => name === '/player'),
      networks: (await docker.listNetworks()).map(({ Name }) => Name).filter((name) => name === 'kiosk'),
    }
  }

  test('is applied, unchanged, reloaded, repaired part by part, and gone without a trace', async () => {
    const before = await sh(look)
    const engineBefore = await ofEngine()
    await harmony(2, 'plan')
    expect(await sh(look)).toBe(before)

    await harmony(0, 'apply --yes')
    expect(await harmony(0, 'apply --yes')).toContain(`Nothing to do: ${scores} Scores are as wanted.`)
    await harmony(0, 'drift')

    // What was running before the site came has it now.
    const served = () =>
      sh(
        `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET $1 HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3' sh "$1"`,
        '/',
      )
    expect(await served()).toContain('<h1>Welcome</h1>')

    const pid = async () => (await sh('systemctl show -P MainPID nginx')).trim()
    const first = await pid()
    const changed = { TITLE: 'Hello' }
    expect(await harmony(0, 'apply --yes', changed)).toContain(
      'reloadOn, because of File:/etc/nginx/conf.d/kiosk.conf',
    )
    expect(await pid()).toBe(first)

    const docker = await engine()
    const player = docker.getContainer('player')
    const tampers: Readonly<Record<string, () => Promise<unknown>>> = {
      'the package is removed': () => sh('DEBIAN_FRONTEND=noninteractive apt-get remove -y -qq nginx'),
      'the site is edited': () => sh('echo "# mine" >>/etc/nginx/conf.d/kiosk.conf'),
      'the page is deleted': () => sh('rm /srv/kiosk/index.html'),
      'the folder is closed': () => sh('chmod 700 /srv/kiosk'),
      'the service is stopped': () => sh('systemctl stop nginx'),
      'the service is disabled': () => sh('systemctl disable nginx'),
      'the container is killed': () => player.kill(),
      'the container is removed': () => player.remove({ force: true }),
      'the container is taken out of its network': () =>
        docker.getNetwork('kiosk').disconnect({ Container: 'player', Force: true }),
      'the user gets another shell': () => sh('usermod --shell /bin/sh keeper'),
      'the user is put out of the group': () => sh('gpasswd --delete keeper keepers'),
      'the key is deleted': () => sh(': >/home/keeper/.ssh/authorized_keys'),
    }
    for (const [what, tamper] of Object.entries(tampers)) {
      await tamper()
      expect(await harmony(2, 'drift'), what).not.toBe('')
      expect(await harmony(0, 'apply --yes', changed), what).toContain('Done: ')
      await harmony(0, 'drift')
    }

    await harmony(0, 'destroy --yes')
    expect(await ofEngine()).toEqual(engineBefore)
    expect(await sh(look)).toBe(before)
  }, 300_000)
})
