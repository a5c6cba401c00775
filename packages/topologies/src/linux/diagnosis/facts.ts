/** What a host told about what it has and lacks, as plain data. It is not trusted: what is not as expected is left out. */

/** How root can be become there. */
export type Sudo = 'passwordless' | 'password' | 'absent'

/** Room on a file system, in bytes or in files. */
export interface Room {
  readonly mountPoint: string
  readonly size: number
  readonly available: number
}

/** What the script prints. */
export interface ToldFacts {
  /** Seconds since 1970. */
  readonly time: number | undefined
  readonly user: string
  /** As `uname -m` has it. */
  readonly architecture: string
  /** Of programs: a 64-bit kernel may run a 32-bit system. */
  readonly bits: number | undefined
  readonly programs: ReadonlySet<string>
  /** The name of the first process. */
  readonly init: string | undefined
  /** Whether systemd runs the machine. */
  readonly systemd: boolean
  /** Whether the socket of the system bus is there. */
  readonly bus: boolean
  readonly engine: 'absent' | 'denied' | 'allowed'
  /** The group of the engine's socket. */
  readonly engineGroup: string | undefined
  /** `undefined` as root. */
  readonly sudo: Sudo | undefined
  /** The folder where the ledger would be made, if it may not be written. */
  readonly unwritable: string | undefined
  readonly space: readonly Room[]
  readonly inodes: readonly Room[]
  /** Mount points of the system, and of where the ledger would be, that are read-only. */
  readonly readOnly: readonly string[]
}

/** `undefined` when the end is missing. */
export function parseFacts(text: string): ToldFacts | undefined {
  const lines = text
    .replaceAll('\0', '')
    .split('\n')
    .map((line) => line.split('\t'))
  if (!lines.some(([word]) => word === 'end')) return undefined
  const all = (wanted: string) => lines.filter(([word]) => word === wanted).map(([, ...fields]) => fields)
  const words = (wanted: string) => all(wanted).map(([value = '']) => value)
  const one = (wanted: string) => words(wanted)[0] || undefined
  const sudo = one('sudo')
  const engine = words('engine')
  // What is mounted last over a folder is what is seen there.
  const mounts = new Map(
    lines.flatMap(([word, mountPoint = '']) =>
      word === 'readonly' || word === 'writable' ? [[mountPoint, word] as const] : [],
    ),
  )
  return {
    time: wholeNumber(one('time')),
    user: one('user') ?? 'an unknown user',
    architecture: one('architecture') ?? 'unknown',
    bits: wholeNumber(one('bits')),
    programs: new Set(words('program')),
    init: one('init'),
    systemd: one('systemd') === 'running',
    bus: one('bus') === 'there',
    engine: engine.includes('allowed') ? 'allowed' : engine.includes('there') ? 'denied' : 'absent',
    engineGroup: one('group'),
    sudo: sudo === 'passwordless' || sudo === 'password' || sudo === 'absent' ? sudo : undefined,
    unwritable: one('unwritable'),
    space: rooms(all('space'), 1024),
    inodes: rooms(all('inodes'), 1),
    readOnly: [...mounts].filter(([, word]) => word === 'readonly').map(([mountPoint]) => mountPoint),
  }
}

function rooms(lines: readonly (readonly string[])[], unit: number): readonly Room[] {
  const byPlace = new Map<string, Room>()
  for (const [total, left, mountPoint] of lines) {
    const size = wholeNumber(total)
    const available = wholeNumber(left)
    if (mountPoint?.startsWith('/') && size && available !== undefined)
      byPlace.set(mountPoint, { mountPoint, size: size * unit, available: available * unit })
  }
  return [...byPlace.values()]
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined
}
