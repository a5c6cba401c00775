/** All that a host offers at once, by sudo over one connection, on which sshd allows ten sessions. */
import { expect, test } from 'vitest'
import { containerImages, importBusybox } from '../../../scripts/testing/busybox-image.ts'
import { engine } from '../../../scripts/testing/engine.ts'
import { linuxHosts, startLinuxHost } from '../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { projectOn } from './pi-project.ts'

const image = 'harmony-sessions:1'
const source = `import { Container, ContainerVolume, Hostname, Sysctl, SystemdService, User } from '@harmony-iac/scores'
void at
const there = new PiTopology({ host: ssh('kiosk', { configFile: import.meta.dirname + '/ssh_config', sudo: true }) })
export default defineProject({ name: 'sessions', deployments: [deploy(there, [
  Hostname({ name: process.env.NAME ?? 'kiosk-one' }),
  User({ name: 'web', system: true }),
  Sysctl({ key: 'net.ipv4.ip_forward', value: 1 }),
  SystemdService({ name: 'sessions', unit: { Service: { ExecStart: '/bin/sleep infinity' } }, active: true }),
  ContainerVolume({ name: 'harmony-sessions' }),
  ['a', 'b', 'c', 'd', 'e'].map((name) =>
    Container({ name: 'harmony-sessions-' + name, image: '${image}', command: ['sleep', process.env.SECONDS ?? '1000'], stopTimeoutMs: 1000 }),
  ),
])] })`

describeWith({ ...linuxHosts, present: linuxHosts.present && containerImages.present }, 'by sudo', () => {
  // A connection that had too few sessions for two buses, an engine and programs took a minute for each container, and
  // a host that did not find itself by its new name as long for each program.
  test('nobody waits for a session, or for a name server, that does not come', async () => {
    await using host = await startLinuxHost({ users: ['pi'], withEngine: true })
    await importBusybox(image)
    try {
      using project = projectOn(host, { kiosk: { user: 'pi' } }, source)
      expect(await project.run('apply --yes')).toMatchObject({ status: 0 })
      expect((await project.run('apply --yes')).out).toContain('Nothing to do: 10 Scores are as wanted.')
      const changed = { SECONDS: '1001', NAME: 'kiosk-two' }
      expect((await project.run('apply --yes', changed)).out).toContain('Done: 6 done, 4 unchanged')
      expect(await project.run('destroy --yes')).toMatchObject({ status: 0 })
    } finally {
      await (await engine()).getImage(image).remove({ force: true })
    }
  }, 90_000)
})
