import { expect, test } from 'vitest'
import { type Facts, type Properties, unitPath, unitState } from './unit-state.ts'

test.each([
  ['nginx.service', 'nginx_2eservice'],
  ['getty@tty1.service', 'getty_40tty1_2eservice'],
  ['7zip.service', '_37zip_2eservice'],
  ['dev-disk\\x2duuid.service', 'dev_2ddisk_5cx2duuid_2eservice'],
])('the object of %s', (name, object) => {
  expect(unitPath(name)).toBe(`/org/freedesktop/systemd1/unit/${object}`)
})

const facts: Facts = { file: 'enabled', service: {}, restartsSeen: 0, now: undefined, changedNs: undefined }
const running: Properties = {
  Id: 'a.service',
  LoadState: 'loaded',
  ActiveState: 'active',
  SubState: 'running',
  ActiveEnterTimestamp: 1_700_000_000_000_000,
  ActiveEnterTimestampMonotonic: 5_000_000,
  InactiveExitTimestamp: 1_700_000_000_000_000,
  InvocationID: Buffer.from('2b09d61c68e941c58de4a7e23da47982', 'hex'),
}

test.each<[title: string, unit: Properties, more: Partial<Facts>, state: Record<string, unknown>]>([
  ['times in milliseconds', {}, { now: 7_500_000 }, { since: 1_700_000_000_000, activeMs: 2500 }],
  ['not since when it is not running', { ActiveState: 'failed' }, {}, { since: undefined }],
  ['an invocation', {}, {}, { invocation: '2b09d61c68e941c58de4a7e23da47982' }],
  ['no invocation', { InvocationID: Buffer.alloc(16) }, {}, { invocation: undefined }],
  ['no invocation at all', { InvocationID: Buffer.alloc(0) }, {}, { invocation: undefined }],
  ['changed before its start', {}, { changedNs: 1_699_999_999_999_999_999n }, { outdated: false }],
  ['changed after its start', {}, { changedNs: 1_700_000_000_000_000_001n }, { outdated: true }],
  ['outdated, not asked for', {}, {}, { outdated: undefined }],
  [
    'changed, but not running',
    { ActiveState: 'inactive' },
    { changedNs: 1_800_000_000_000_000_000n },
    { outdated: false },
  ],
  ['a oneshot', {}, { service: { Type: 'oneshot', RemainAfterExit: false } }, { once: true }],
  ['a oneshot that stays', {}, { service: { Type: 'oneshot', RemainAfterExit: true } }, { once: false }],
  ['a complaint', { LoadError: ['x.BadUnitSetting', 'no ExecStart='] }, {}, { loadError: 'no ExecStart=' }],
  ['no complaint', { LoadError: ['', ''] }, {}, { loadError: undefined }],
  [
    'a condition that does not hold',
    { ConditionResult: false, ConditionTimestampMonotonic: 1 },
    {},
    { unmet: true },
  ],
  [
    'one that was never tried',
    { ConditionResult: false, ConditionTimestampMonotonic: 0 },
    {},
    { unmet: false },
  ],
])('%s', (_, unit, more, state) => {
  expect(unitState('a.service', { ...running, ...unit }, { ...facts, ...more })).toMatchObject(state)
})
