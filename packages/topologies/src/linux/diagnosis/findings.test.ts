import { describe, expect, test } from 'vitest'
import { type Concern, concerns, diagnose, type Facts, type Problem } from './findings.ts'

const programs =
  'flock apt-get dpkg-query sysctl useradd usermod userdel groupadd groupmod groupdel gpasswd chpasswd systemd-analyze'

/** A machine that lacks nothing, with root at work. */
const whole: Facts = {
  time: 1_763_625_600,
  user: 'root',
  uid: 0,
  architecture: 'aarch64',
  bits: 64,
  programs: new Set(programs.split(' ')),
  init: 'systemd',
  systemd: true,
  bus: true,
  busRefusal: undefined,
  engine: 'allowed',
  engineGroup: 'docker',
  engineVersion: { apiVersion: '1.41' },
  engineRefusal: undefined,
  sudo: undefined,
  unwritable: undefined,
  space: [{ mountPoint: '/', size: 32e9, available: 20e9 }],
  inodes: [{ mountPoint: '/', size: 2e6, available: 1e6 }],
  readOnly: [],
  files: undefined,
  clock: { offsetSeconds: 0.4, uncertaintySeconds: 1.1 },
}

const without = (...names: readonly string[]) => ({
  programs: new Set(programs.split(' ').filter((name) => !names.includes(name))),
})

type Told = Partial<Record<Concern, readonly [status: string, ...codes: Problem['code'][]]>>

/** All that is not ok. */
function told(change: Partial<Facts>): Told {
  const findings = diagnose({ ...whole, ...change })
  expect(findings.map(({ concern }) => concern)).toEqual(concerns)
  return Object.fromEntries(
    findings
      .filter(({ status, problems }) => status !== 'ok' || problems.length > 0)
      .map(({ concern, status, problems }) => [concern, [status, ...problems.map(({ code }) => code)]]),
  )
}

const pi = { uid: 1000, user: 'pi', sudo: 'password' } as const
const root = (room: { size: number; available: number }) => [{ mountPoint: '/', ...room }]

test.each<[string, Partial<Facts>, Told]>([
  ['a whole machine', {}, {}],
  [
    'an ordinary user',
    pi,
    {
      files: ['limited', 'not-root'],
      services: ['missing', 'not-root'],
      users: ['missing', 'not-root'],
      packages: ['missing', 'not-root'],
      system: ['missing', 'not-root'],
      agent: ['missing', 'not-root'],
    },
  ],
  [
    'no SFTP',
    { files: { said: 'offers no SFTP', advice: 'enable it' } },
    { ledger: ['missing', 'no-files'], files: ['missing', 'no-files'] },
  ],
  ['no flock', without('flock'), { ledger: ['missing', 'no-flock'] }],
  [
    'no systemd',
    { systemd: false, init: 'sshd', bus: false },
    {
      services: ['missing', 'no-systemd'],
      system: ['missing', 'no-systemd'],
      agent: ['missing', 'no-systemd'],
    },
  ],
  [
    'a bus that cannot be reached',
    { busRefusal: 'refused' },
    { services: ['missing', 'no-bus'], system: ['missing', 'no-bus'], agent: ['missing', 'no-bus'] },
  ],
  ['no engine', { engine: 'absent', engineVersion: undefined }, { containers: ['missing', 'no-engine'] }],
  [
    'an engine that may not be used',
    { engine: 'denied', engineVersion: undefined },
    { containers: ['missing', 'engine-denied'] },
  ],
  [
    'an engine that does not answer',
    { engineVersion: undefined, engineRefusal: 'nobody answers' },
    { containers: ['missing', 'engine-silent'] },
  ],
  ['an old engine', { engineVersion: { apiVersion: '1.39' } }, { containers: ['missing', 'engine-old'] }],
  ['a newer engine', { engineVersion: { apiVersion: '1.100' } }, {}],
  ['an engine of another age', { engineVersion: { apiVersion: '2.0' } }, {}],
  ['no apt', without('apt-get'), { packages: ['missing', 'no-apt'] }],
  ['no sysctl', without('sysctl'), { system: ['missing', 'no-programs'] }],
  ['no useradd', without('useradd', 'gpasswd'), { users: ['missing', 'no-programs'] }],
  [
    'a disk that is nearly full',
    { space: root({ size: 32e9, available: 5e8 }) },
    {
      ledger: ['limited', 'disk-full'],
      files: ['limited', 'disk-full'],
      users: ['limited', 'disk-full'],
      packages: ['limited', 'disk-full'],
      containers: ['limited', 'disk-full'],
    },
  ],
  [
    'a disk that holds no more files',
    { inodes: root({ size: 2e6, available: 0 }) },
    {
      ledger: ['missing', 'disk-full'],
      files: ['missing', 'disk-full'],
      users: ['missing', 'disk-full'],
      packages: ['missing', 'disk-full'],
      containers: ['missing', 'disk-full'],
    },
  ],
  [
    'a root that is read-only',
    { readOnly: ['/'], unwritable: '/var/lib' },
    {
      ledger: ['missing', 'read-only'],
      files: ['limited', 'read-only'],
      services: ['limited', 'read-only'],
      users: ['limited', 'read-only'],
      packages: ['limited', 'read-only'],
      system: ['limited', 'read-only'],
    },
  ],
  [
    'no place for the ledger, beside a read-only /usr',
    { readOnly: ['/usr'], unwritable: '/home/pi' },
    {
      ledger: ['missing', 'unwritable'],
      files: ['limited', 'read-only'],
      services: ['limited', 'read-only'],
      users: ['limited', 'read-only'],
      packages: ['limited', 'read-only'],
      system: ['limited', 'read-only'],
    },
  ],
  [
    'a clock that is far off',
    { clock: { offsetSeconds: -86_400, uncertaintySeconds: 2 } },
    { packages: ['limited', 'clock'], containers: ['limited', 'clock'], agent: ['limited', 'clock'] },
  ],
  ['a clock that may be right', { clock: { offsetSeconds: 65, uncertaintySeconds: 6 } }, {}],
  ['no clock', { clock: undefined }, {}],
  ['32-bit ARM', { architecture: 'armv7l', bits: 32 }, { agent: ['missing', 'architecture'] }],
  ['a 32-bit system on a 64-bit kernel', { bits: 32 }, { agent: ['missing', 'architecture'] }],
  ['an architecture without getconf', { architecture: 'x86_64', bits: undefined }, {}],
])('%s', (_, change, expected) => {
  expect(told(change)).toEqual(expected)
})

describe('a problem tells what it is about', () => {
  const problemOf = (concern: Concern, change: Partial<Facts>) =>
    diagnose({ ...whole, ...change }).find((finding) => finding.concern === concern)?.problems[0]

  test.each<[Concern, Partial<Facts>, Problem]>([
    [
      'users',
      without('useradd', 'gpasswd'),
      { code: 'no-programs', programs: ['useradd', 'gpasswd'], package: 'passwd' },
    ],
    ['services', pi, { code: 'not-root', user: 'pi', sudo: 'password' }],
    [
      'containers',
      { ...pi, engine: 'denied', engineVersion: undefined },
      { code: 'engine-denied', user: 'pi', group: 'docker' },
    ],
    [
      'files',
      { space: root({ size: 1e9, available: 0 }) },
      { code: 'disk-full', of: 'bytes', mountPoint: '/', size: 1e9, available: 0 },
    ],
    [
      'packages',
      { clock: { offsetSeconds: 3600.4, uncertaintySeconds: 1 } },
      { code: 'clock', offsetSeconds: 3600 },
    ],
    ['services', { systemd: false, init: 'sh' }, { code: 'no-systemd', init: 'sh' }],
  ])('%s', (concern, change, problem) => {
    expect(problemOf(concern, change)).toEqual(problem)
  })
})
