/** From the facts of a host to what it lacks for what: a pure decision. What is said of it is made elsewhere. */
import type { Room, Sudo, ToldFacts } from './facts.ts'

/** What a host is examined for: where the ledger is kept, and what a topology on it can offer. */
export const concerns = [
  'ledger',
  'files',
  'services',
  'users',
  'packages',
  'containers',
  'system',
  'agent',
] as const

/** One of {@link concerns}: `ledger`, a capability, or `agent`. */
export type Concern = (typeof concerns)[number]

/** Something that a host lacks. */
export type Problem =
  /** No files can be read or written: the SSH server offers no SFTP. */
  | { readonly code: 'no-files'; readonly said: string; readonly advice: string | undefined }
  | { readonly code: 'not-root'; readonly user: string; readonly sudo: Sudo }
  | { readonly code: 'no-flock' }
  | { readonly code: 'unwritable'; readonly path: string; readonly user: string }
  | { readonly code: 'read-only'; readonly paths: readonly string[] }
  | {
      readonly code: 'disk-full'
      readonly mountPoint: string
      /** What is used up: bytes, or files that there may be. */
      readonly of: 'bytes' | 'files'
      readonly available: number
      readonly size: number
    }
  | { readonly code: 'no-systemd'; readonly init: string | undefined }
  | { readonly code: 'no-bus'; readonly said: string | undefined }
  | { readonly code: 'no-programs'; readonly programs: readonly string[]; readonly package: string }
  | { readonly code: 'no-engine' }
  | { readonly code: 'engine-denied'; readonly user: string; readonly group: string | undefined }
  | { readonly code: 'engine-silent'; readonly said: string | undefined }
  | { readonly code: 'engine-old'; readonly apiVersion: string; readonly least: string }
  | { readonly code: 'no-apt' }
  /** Positive: the host is ahead. */
  | { readonly code: 'clock'; readonly offsetSeconds: number }
  | { readonly code: 'architecture'; readonly architecture: string; readonly bits: number | undefined }

/** What a host can do about one concern. */
export interface Finding {
  readonly concern: Concern
  /** `limited`: some of it works. `missing`: what needs it fails. */
  readonly status: 'ok' | 'limited' | 'missing'
  readonly problems: readonly Problem[]
}

/** All that is known of a host. */
export interface Facts extends ToldFacts {
  readonly uid: number
  /** Why its files cannot be reached, if they cannot. */
  readonly files: { readonly said: string; readonly advice: string | undefined } | undefined
  /** Why the system bus does not take connections, although its socket is there. */
  readonly busRefusal: string | undefined
  readonly engineVersion: { readonly apiVersion: string } | undefined
  readonly engineRefusal: string | undefined
  /** What is known of the difference between its clock and ours. */
  readonly clock: { readonly offsetSeconds: number; readonly uncertaintySeconds: number } | undefined
}

/** The Docker Engine API of Docker 20.10. */
const leastEngineApi = '1.41'

const clockToleranceSeconds = 60
const mebibyte = 1 << 20
const accountPrograms = [
  'useradd',
  'usermod',
  'userdel',
  'groupadd',
  'groupmod',
  'groupdel',
  'gpasswd',
  'chpasswd',
]

type Weighed = readonly [Finding['status'], Problem]

/** What a host lacks, concern by concern, in their order. */
export function diagnose(facts: Facts): readonly Finding[] {
  const checks: Readonly<Record<Concern, readonly Weighed[]>> = {
    ledger: [
      ...unreachableFiles(facts),
      ...(facts.programs.has('flock') ? [] : [['missing', { code: 'no-flock' }] as const]),
      ...unwritable(facts),
      ...storage(facts),
    ],
    files: [...unreachableFiles(facts), ...notRoot(facts, 'limited'), ...readOnly(facts), ...storage(facts)],
    services: [...systemd(facts), ...notRoot(facts, 'missing'), ...readOnly(facts)],
    users: [
      ...lacking(facts, accountPrograms, 'passwd'),
      ...notRoot(facts, 'missing'),
      ...readOnly(facts),
      ...storage(facts),
    ],
    packages: [
      ...(facts.programs.has('apt-get') && facts.programs.has('dpkg-query')
        ? []
        : [['missing', { code: 'no-apt' }] as const]),
      ...notRoot(facts, 'missing'),
      ...readOnly(facts),
      ...storage(facts),
      ...clock(facts),
    ],
    containers: [...engine(facts), ...storage(facts), ...clock(facts)],
    system: [
      ...systemd(facts),
      ...lacking(facts, ['sysctl'], 'procps'),
      ...notRoot(facts, 'missing'),
      ...readOnly(facts),
    ],
    agent: [...architecture(facts), ...systemd(facts), ...notRoot(facts, 'missing'), ...clock(facts)],
  }
  return concerns.map((concern) => {
    const found = checks[concern]
    const status = found.some(([weight]) => weight === 'missing')
      ? 'missing'
      : found.length > 0
        ? 'limited'
        : 'ok'
    return { concern, status, problems: found.map(([, problem]) => problem) }
  })
}

function unreachableFiles({ files }: Facts): readonly Weighed[] {
  return files ? [['missing', { code: 'no-files', ...files }]] : []
}

function notRoot({ uid, user, sudo }: Facts, weight: 'limited' | 'missing'): readonly Weighed[] {
  return uid === 0 ? [] : [[weight, { code: 'not-root', user, sudo: sudo ?? 'absent' }]]
}

function unwritable({ unwritable: path, user, readOnly }: Facts): readonly Weighed[] {
  if (path === undefined) return []
  // On a read-only file system nobody may write; that is told as what it is.
  const frozen = readOnly.filter((mount) => mount === '/' || path === mount || path.startsWith(`${mount}/`))
  return [
    [
      'missing',
      frozen.length > 0 ? { code: 'read-only', paths: frozen } : { code: 'unwritable', path, user },
    ],
  ]
}

/** Where the system's own files are; the rest of the machine may be writable, as on appliances. */
function readOnly({ readOnly: mounts }: Facts): readonly Weighed[] {
  const paths = mounts.filter((mount) => ['/', '/etc', '/usr', '/var', '/var/lib'].includes(mount))
  return paths.length > 0 ? [['limited', { code: 'read-only', paths }]] : []
}

/** Full: nothing more can be written. Nearly: an image or an upgrade would not fit. */
function storage({ space, inodes }: Facts): readonly Weighed[] {
  const told = (
    of: 'bytes' | 'files',
    { mountPoint, size, available }: Room,
    weight: Finding['status'],
  ): Weighed => [weight, { code: 'disk-full', of, mountPoint, size, available }]
  return [
    ...space.flatMap((room) =>
      room.available < mebibyte
        ? [told('bytes', room, 'missing')]
        : room.available < 100 * mebibyte || room.available / room.size < 0.02
          ? [told('bytes', room, 'limited')]
          : [],
    ),
    ...inodes.flatMap((room) =>
      room.available === 0
        ? [told('files', room, 'missing')]
        : room.available / room.size < 0.02
          ? [told('files', room, 'limited')]
          : [],
    ),
  ]
}

function systemd({ systemd: runs, init, bus, busRefusal }: Facts): readonly Weighed[] {
  if (!runs) return [['missing', { code: 'no-systemd', init }]]
  return bus && busRefusal === undefined ? [] : [['missing', { code: 'no-bus', said: busRefusal }]]
}

function lacking({ programs }: Facts, wanted: readonly string[], name: string): readonly Weighed[] {
  const missing = wanted.filter((program) => !programs.has(program))
  return missing.length > 0 ? [['missing', { code: 'no-programs', programs: missing, package: name }]] : []
}

function engine({
  engine: socket,
  engineGroup: group,
  engineVersion,
  engineRefusal,
  user,
}: Facts): readonly Weighed[] {
  if (socket === 'absent') return [['missing', { code: 'no-engine' }]]
  if (socket === 'denied') return [['missing', { code: 'engine-denied', user, group }]]
  if (!engineVersion) return [['missing', { code: 'engine-silent', said: engineRefusal }]]
  const { apiVersion } = engineVersion
  return isOlder(apiVersion, leastEngineApi)
    ? [['missing', { code: 'engine-old', apiVersion, least: leastEngineApi }]]
    : []
}

function clock({ clock: known }: Facts): readonly Weighed[] {
  if (!known) return []
  const { offsetSeconds, uncertaintySeconds } = known
  return Math.abs(offsetSeconds) - uncertaintySeconds > clockToleranceSeconds
    ? [['limited', { code: 'clock', offsetSeconds: Math.round(offsetSeconds) }]]
    : []
}

function architecture({ architecture: name, bits }: Facts): readonly Weighed[] {
  const supported = ['x86_64', 'aarch64'].includes(name) && (bits ?? 64) === 64
  return supported ? [] : [['missing', { code: 'architecture', architecture: name, bits }]]
}

/** Versions of numbers between dots. */
function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((each) => each.split('.').map(Number))
  for (const [i, least] of (b ?? []).entries()) {
    const has = a?.[i] ?? 0
    if (has !== least) return has < least
  }
  return false
}
