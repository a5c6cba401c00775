import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { SystemdService, SystemdTimer, type SystemdTimerSpec } from './index.ts'

const file = '/etc/systemd/system/backup.timer'
const machine = () => new SimulatedTopology({ files: { '/etc/systemd/system': { directory: true } } })
const work = SystemdService({
  name: 'backup',
  unit: '[Service]\nType=oneshot\nExecStart=/usr/bin/backup\n',
})
const all: SystemdTimerSpec = {
  name: 'backup',
  onCalendar: ['Mon..Fri 22:30', 'Sat *-*-1..7 18:00:00'],
  onBootSec: '10min',
  onActiveSec: 30,
  onUnitActiveSec: '1h 30min',
  onUnitInactiveSec: '1d',
  persistent: true,
  randomizedDelaySec: '5min',
  accuracySec: 1,
  description: '100% of the files',
  service: 'backup',
}
/** Writes another value of a key behind Harmony's back. */
const tampered =
  (key: string) =>
  ({ disk }: SimulatedTopology) =>
    disk.write(file, (disk.read(file) ?? '').replace(new RegExp(`^${key}=.*$`, 'm'), `${key}=1`))

describe('the contract', () => {
  const checks = scoreConformance({
    factory: SystemdTimer,
    topology: () => {
      const here = machine()
      here.services.install(
        'logrotate.timer',
        '[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n',
      )
      return here
    },
    cases: [
      {
        name: 'with every time there is',
        scores: () => [work, SystemdTimer({ ...all, enabled: true, active: true })],
        updated: () => [
          work,
          SystemdTimer({ name: 'backup.timer', onCalendar: 'daily', enabled: false, active: false }),
        ],
        occupied: ({ disk }) => disk.write(file, '[Timer]\nOnCalendar=hourly\n'),
        tampers: {
          '': ({ disk }) => disk.remove(file),
          onCalendar: tampered('OnCalendar'),
          onBootSec: tampered('OnBootSec'),
          onActiveSec: tampered('OnActiveSec'),
          onUnitActiveSec: tampered('OnUnitActiveSec'),
          onUnitInactiveSec: tampered('OnUnitInactiveSec'),
          persistent: tampered('Persistent'),
          randomizedDelaySec: tampered('RandomizedDelaySec'),
          accuracySec: ({ disk }) => disk.write(file, disk.read(file)?.replace('Sec=1\n', 'Sec=2\n') ?? ''),
          description: tampered('Description'),
          service: tampered('Unit'),
          enabled: ({ services }) => services.operate('backup.timer', 'disable'),
          active: ({ services }) => services.operate('backup.timer', 'stop'),
        },
      },
      {
        name: 'as text',
        scores: () => [
          SystemdTimer({
            name: 'other',
            unit: '[Timer]\nOnBootSec=1min\n\n[Install]\nWantedBy=timers.target\n',
            enabled: true,
          }),
        ],
        tampers: {
          unit: ({ disk }) => disk.write('/etc/systemd/system/other.timer', '[Timer]\nOnBootSec=2min\n'),
        },
      },
      {
        name: "a package's own",
        scores: () => [SystemdTimer({ name: 'logrotate', masked: false, enabled: true, active: true })],
        updated: () => [SystemdTimer({ name: 'logrotate', masked: true, active: false })],
      },
      {
        name: "a package's own, masked",
        scores: () => [SystemdTimer({ name: 'logrotate', masked: true })],
        tampers: { masked: ({ services }) => services.operate('logrotate.timer', 'unmask') },
      },
    ],
    exempt: { name: 'is the identity: under another name it is another timer' },
  })
  for (const check of checks) test(check.name, check.run)

  test('the interface and the schema have the same fields', () => {
    expectTypeOf<keyof Required<SystemdTimerSpec>>().toEqualTypeOf<
      keyof typeof all | 'unit' | 'enabled' | 'active' | 'masked'
    >()
  })
})

test('what it writes', async () => {
  const here = machine()
  await conduct(here, [work, SystemdTimer(all)]).apply()
  expect(here.disk.read(file)).toBe(`[Unit]
Description=100%% of the files

[Timer]
OnCalendar=Mon..Fri 22:30
OnCalendar=Sat *-*-1..7 18:00:00
OnBootSec=10min
OnActiveSec=30
OnUnitActiveSec=1h 30min
OnUnitInactiveSec=1d
Persistent=yes
RandomizedDelaySec=5min
AccuracySec=1
Unit=backup.service

[Install]
WantedBy=timers.target
`)
})

test('a running timer goes by its new times at once', async () => {
  const here = machine()
  const timer = (onCalendar: string) => SystemdTimer({ name: 'backup', onCalendar, active: true })
  await conduct(here, [work, timer('daily')]).apply()
  const { invocation } = await here.services.look('backup.timer')
  const project = conduct(here, [work, timer('weekly')])
  await project.apply()
  expect((await here.services.look('backup.timer')).invocation).not.toBe(invocation)
  expect((await project.apply()).changed).toBe(0)
})

test.each<[spec: Partial<Record<keyof SystemdTimerSpec, unknown>>, field: string, message: string]>([
  [{ name: 'nginx.service' }, 'name', 'is a unit of another type than timer'],
  [{ onCalendar: 'daily\nUnit=evil.service' }, 'onCalendar', 'contains a line break'],
  [{ onCalendar: [] }, 'onCalendar', 'is empty'],
  [{ onBootSec: '$(id)' }, 'onBootSec', "is no time span, such as '10min'"],
  [{ persistent: true, onBootSec: 1 }, 'persistent', 'needs onCalendar'],
  [{ accuracySec: 1 }, 'accuracySec', 'has no effect without a time'],
  [{ unit: '[Timer]\n', onBootSec: 1 }, 'onBootSec', 'cannot be had with unit'],
  [{ unit: '[Timer]\n', enabled: true }, 'enabled', 'has no effect without an [Install] section'],
  [{ masked: true, onBootSec: 1 }, 'masked', 'cannot be had with a file of ours'],
  [{ masked: true, active: true }, 'active', 'what is masked cannot be started'],
])('refused: %j', (spec, field, message) => {
  const issues = SystemdTimer({ name: 'backup', ...spec } as SystemdTimerSpec)['~score'].issues.map(
    (issue) => `${issue.path.join('.')}: ${issue.message}`,
  )
  expect(issues.join('\n')).toContain(`${field}: `)
  expect(issues.join('\n')).toContain(message)
})
