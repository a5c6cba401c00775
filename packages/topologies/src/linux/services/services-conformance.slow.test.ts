/**
 * The kinds of unit on a real systemd: the same contract as in memory. Kills are played on one case each: every one
 * is several passes on a real machine.
 */

import type { FileSystem, ServiceManager } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { Faults, MemoryHome, type Snapshot, type Stage, scoreConformance } from '@harmony-iac/core/testing'
import { SystemdService, SystemdTimer } from '@harmony-iac/scores'
import { afterAll, beforeAll, test } from 'vitest'
import { containerHost } from '../../../../../scripts/testing/container-host.ts'
import { dockerEngine } from '../../../../../scripts/testing/engine.ts'
import { type LinuxHost, startLinuxHost } from '../../../../../scripts/testing/linux-host.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { affordable } from '../../../test/affordable.ts'
import { linuxFiles } from '../files.ts'
import { linuxServices } from './services.ts'

const install = '\n[Install]\nWantedBy=multi-user.target\n'
const endless = `[Service]\nExecStart=/bin/sleep infinity\n${install}`
const other = `[Service]\nExecStart=/bin/sleep 1000\n${install}`
const file = '/etc/systemd/system/kit.service'

const look = `
find /etc/systemd/system \\( -type f -printf '%p\\tfile %m %u %s\\n' -o -printf '%p\\t%y %m %u %l\\n' \\)
systemctl show --property=Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload kit.service kit.timer kitvendor.service |
  awk -F= '/^Id=/ { id = $2 } /^(Load|Active|UnitFile|Need)/ { print id " " $1 "\\t" $2 }'
`
const clear = `
systemctl unmask kitvendor.service
systemctl disable --now kit.timer kit.service kitvendor.service
rm -rf /etc/systemd/system/kit* /run/harmony-verify /var/tmp/kept
systemctl daemon-reload
systemctl reset-failed
true
`

const filesWrites = [
  'writeFile',
  'makeDirectory',
  'makeSymlink',
  'setAttributes',
  'remove',
  'keep',
  'putBack',
  'cleanUp',
] as const
const servicesWrites = [
  'start',
  'stop',
  'restart',
  'reloadOrRestart',
  'enable',
  'disable',
  'mask',
  'unmask',
  'resetFailed',
  'reloadManager',
  'cleanUp',
] as const

interface ContainerStage extends Stage {
  readonly files: FileSystem
  readonly services: ServiceManager
}

describeWith(dockerEngine, 'the contract on a real systemd', () => {
  let container: LinuxHost
  let host: Host
  const sh = async (script: string) => (await container.exec(['sh', '-c', script])).stdout
  const write = (path: string, content: string) => async () => {
    await container.exec(['sh', '-c', 'printf %s "$2" >"$1"', 'sh', path, content])
  }
  const run = (script: string) => async () => {
    await sh(script)
  }

  beforeAll(async () => {
    container = await startLinuxHost()
    host = await containerHost(container.containerId)
    await write('/usr/lib/systemd/system/kitvendor.service', endless)()
  })
  afterAll(async () => {
    await host?.close()
    await container?.[Symbol.asyncDispose]()
  })

  async function stage(): Promise<ContainerStage> {
    await sh(clear)
    const faults = new Faults()
    const services = linuxServices(host)
    const home = new MemoryHome({ name: 'container', faults })
    const files = linuxFiles(host, {
      async keepFolder() {
        await sh('install -d -m 0700 /var/tmp/kept')
        return '/var/tmp/kept'
      },
    })
    return {
      name: 'container',
      home,
      faults,
      files: faults.port('files', files, filesWrites),
      services: faults.port('services', services, servicesWrites),
      async snapshot(): Promise<Snapshot> {
        const lines = (await sh(look)).trim().split('\n')
        return Object.fromEntries(lines.map((line) => line.split('\t', 2)) as [string, string][])
      },
      async residue() {
        const kept = await sh('ls /var/tmp/kept 2>/dev/null; ls -d /run/harmony-verify 2>/dev/null')
        return [...home.stored.keys(), ...kept.split('\n').filter(Boolean)]
      },
      dispose: () => services.close(),
    }
  }

  const checks = [
    ...scoreConformance({
      factory: SystemdService,
      topology: stage,
      cases: [
        {
          name: 'with its file as text',
          scores: () => [
            SystemdService({
              name: 'kit',
              unit: endless,
              dropIns: { nice: '[Service]\nNice=3\n' },
              enabled: true,
              active: true,
              restartOnChange: true,
            }),
          ],
          updated: () => [
            SystemdService({ name: 'kit', unit: other, enabled: false, restartOnChange: true }),
          ],
          occupied: async () => {
            await write(file, other)()
            await sh('systemctl daemon-reload; systemctl enable --now kit')
          },
          tampers: {
            '': run(`rm ${file}`),
            'unit.Service': write(file, other),
            enabled: run('systemctl disable kit'),
            active: run('systemctl stop kit'),
            dropIns: run(`rm -r ${file}.d`),
            restartOnChange: run(`sleep 0.1; touch ${file}; systemctl daemon-reload`),
          },
        },
        {
          name: "a package's own",
          scores: () => [SystemdService({ name: 'kitvendor', masked: true, active: false })],
          updated: () => [SystemdService({ name: 'kitvendor', masked: false, enabled: true, active: true })],
          tampers: { masked: run('systemctl unmask kitvendor') },
        },
      ],
    }),
    ...scoreConformance({
      factory: SystemdTimer,
      topology: stage,
      cases: [
        {
          name: 'by the calendar',
          scores: () => [
            SystemdService({ name: 'kit', unit: endless }),
            SystemdTimer({ name: 'kit', onCalendar: 'daily', enabled: true, active: true }),
          ],
          updated: () => [
            SystemdService({ name: 'kit', unit: endless }),
            SystemdTimer({ name: 'kit', onCalendar: 'weekly', active: true }),
          ],
          tampers: {
            '': run('rm /etc/systemd/system/kit.timer'),
            onCalendar: run('sed -i s/daily/hourly/ /etc/systemd/system/kit.timer'),
            active: run('systemctl stop kit.timer'),
          },
        },
      ],
    }),
  ]
  for (const check of affordable(checks, {
    kills: /text: (?:apply|adoption)/,
    without: /every field is tampered/,
  }))
    test(check.name, check.run, 600_000)
})
