/** A package, what stands on it, and a service of its name, as a user meets them: on a real Debian over SSH. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LinuxHost, linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { makeProject } from './project.ts'

// Built on the host by its own dpkg; the archive is a folder of it.
const makeArchive = `set -e
make() { # name, control lines; the files stand in /tmp/build
  mkdir -p /tmp/build/DEBIAN
  printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Kit <kit@example.org>\\nDescription: for tests\\n%s' "$1" "$2" "$3" >/tmp/build/DEBIAN/control
  dpkg-deb --root-owner-group --build /tmp/build /opt/archive/$1_$2_all.deb >/dev/null
  rm -r /tmp/build
}
mkdir -p /opt/archive /tmp/build
make kit-common 1.0
for version in 1.0 2.0; do
  mkdir -p /tmp/build/usr/lib/systemd/system /tmp/build/opt/kit-web /tmp/build/etc /tmp/build/DEBIAN
  printf '[Service]\\nExecStart=/bin/sleep infinity\\nExecReload=/bin/sh -c "echo reloaded >>/run/kit-web"\\n[Install]\\nWantedBy=multi-user.target\\n' >/tmp/build/usr/lib/systemd/system/kit-web.service
  echo delivered >/tmp/build/etc/kit-web.conf
  echo /etc/kit-web.conf >/tmp/build/DEBIAN/conffiles
  make kit-web $version 'Depends: kit-common
'
done
cd /opt/archive
for deb in *.deb; do
  dpkg-deb -f $deb
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $deb "$(stat -c %s $deb)" "$(sha256sum $deb | cut -d' ' -f1)"
done >Packages
rm -f /etc/apt/sources.list.d/* /etc/apt/sources.list
rm -rf /var/lib/apt/lists/*`

const source = `import { PiTopology, ssh } from '@harmony-iac/topologies'
import { Package, SystemdService } from '@harmony-iac/scores'
const kiosk = new PiTopology({ host: ssh('kiosk', { configFile: import.meta.dirname + '/ssh_config' }) })
const page = File({ path: '/opt/kit-web/page', content: process.env.PAGE ?? 'one' })
export default defineProject({ name: 'kiosk', deployments: [deploy(kiosk, process.env.NONE ? [] : [
  Package({ name: 'kit-web', version: process.env.VERSION ?? '1.0', purge: true }),
  File({ path: '/etc/kit-web.conf', content: 'ours\\n', adopt: true }),
  page,
  SystemdService({ name: 'kit-web', enabled: true, active: true, reloadOn: [page] }),
  File({ path: '/etc/apt/sources.list.d/kit.list', content: 'deb [trusted=yes] file:/opt/archive ./\\n' }),
])] })`

describeWith(linuxHosts, 'packages over SSH', () => {
  let host: LinuxHost
  beforeAll(async () => {
    host = await startLinuxHost()
    expect(await host.exec(['sh', '-c', makeArchive])).toMatchObject({ exitCode: 0 })
  }, 300_000)
  afterAll(async () => await host?.[Symbol.asyncDispose]())

  test('a package with what stands on it is applied, unchanged, repaired, changed, and gone without a trace', async () => {
    using project = makeProject()
    const key = host.hostKey.split(' ').slice(1).join(' ')
    project.write({
      ssh_config: `Host kiosk\nHostName 127.0.0.1\nPort ${host.port}\nUser root\nIdentityFile ${host.keyFile}\nUserKnownHostsFile ${project.folder}/known_hosts\nHostKeyAlias kiosk\n`,
      known_hosts: `kiosk ${key}\n`,
    })
    project.source(source)
    const sh = async (script: string) => (await host.exec(['sh', '-c', script])).stdout
    const look = () =>
      sh(`dpkg -l; apt-mark showauto; apt-mark showhold; find /opt/kit-web /etc -newer /opt/archive/Packages -type f ! -name '*.cache' ! -name 'machine-id' | sort;
        systemctl is-enabled kit-web; ls -A /opt /etc/apt/sources.list.d /var/lib/harmony 2>&1; true`)
    const before = await look()

    const planned = await project.run('plan')
    expect(planned).toMatchObject({ status: 2 })
    expect(await look()).toBe(before)
    const applied = await project.run('apply --yes')
    expect(applied, applied.out).toMatchObject({ status: 0 })
    expect(await sh('systemctl is-active kit-web; cat /etc/kit-web.conf /opt/kit-web/page')).toBe(
      'active\nours\none',
    )
    expect((await project.run('apply --yes')).out).toContain('Nothing to do: 5 Scores are as wanted.')

    const changed = await project.run('apply --yes', { PAGE: 'two', VERSION: '2.0' })
    expect(changed, changed.out).toMatchObject({ status: 0 })
    expect(await sh('dpkg-query -W kit-web; cat /run/kit-web /etc/kit-web.conf')).toBe(
      'kit-web\t2.0\nreloaded\nours\n',
    )

    const now = { PAGE: 'two', VERSION: '2.0' }
    for (const tamper of [
      'apt-get -qq -y --allow-downgrades install kit-web=1.0',
      'apt-get -qq -y remove kit-web',
      'apt-mark auto kit-web',
    ]) {
      expect(await host.exec(['sh', '-c', tamper]), tamper).toMatchObject({ exitCode: 0 })
      const repaired = await project.run('apply --yes', now)
      expect(repaired, `${tamper}: ${repaired.out}`).toMatchObject({ status: 0 })
      expect((await project.run('drift', now)).status, tamper).toBe(0)
    }

    const destroyed = await project.run('destroy --yes', now)
    expect(destroyed, destroyed.out).toMatchObject({ status: 0 })
    expect(await look()).toBe(before)
  })
})
