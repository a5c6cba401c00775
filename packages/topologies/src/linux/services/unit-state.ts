/** Units as systemd tells of them over D-Bus, in our words. Pure. */
import type { UnitState } from '@harmony-iac/core/capabilities'

/** Properties of `org.freedesktop.systemd1.Unit`. */
export type Properties = Readonly<Record<string, unknown>>

/** The object of a unit: every byte that is no letter or digit is written as `_` and two hex digits, a leading digit too. */
export function unitPath(name: string): string {
  const bytes = [...Buffer.from(name)]
  const escaped = bytes.map((byte, i) => {
    const char = String.fromCharCode(byte)
    return (i === 0 ? /[A-Za-z]/ : /[A-Za-z0-9]/).test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`
  })
  return `/org/freedesktop/systemd1/unit/${escaped.join('')}`
}

/** What is known of a unit besides its properties. */
export interface Facts {
  /** Of its file; empty when it has none. */
  readonly file: string
  /** Properties of `org.freedesktop.systemd1.Service`, as far as they were asked for. */
  readonly service: Properties
  readonly restartsSeen: number
  /** By the host's monotonic clock, in microseconds. */
  readonly now: number | undefined
  /** When its files were last changed, in nanoseconds since 1970. */
  readonly changedNs: bigint | undefined
}

/** A unit as it is. */
export function unitState(name: string, unit: Properties, facts: Facts): UnitState {
  const { file, service, restartsSeen, now, changedNs } = facts
  const text = (key: string) => (typeof unit[key] === 'string' ? unit[key] : '')
  const number = (of: Properties, key: string) => (typeof of[key] === 'number' ? of[key] : undefined)
  const since = number(unit, 'ActiveEnterTimestamp') ?? 0
  const sinceMonotonic = number(unit, 'ActiveEnterTimestampMonotonic') ?? 0
  const began = BigInt(number(unit, 'InactiveExitTimestamp') ?? 0)
  const running = text('ActiveState') === 'active' || text('ActiveState') === 'reloading'
  const fragment = text('FragmentPath')
  const [, complaint] = Array.isArray(unit.LoadError) ? (unit.LoadError as readonly string[]) : []
  const started = (number(unit, 'ConditionTimestampMonotonic') ?? 0) > 0
  return {
    name,
    id: text('Id'),
    load: text('LoadState'),
    loadError: complaint || undefined,
    file,
    active: text('ActiveState'),
    sub: text('SubState'),
    since: running && since > 0 ? Math.round(since / 1000) : undefined,
    activeMs:
      running && now !== undefined ? Math.max(0, Math.round((now - sinceMonotonic) / 1000)) : undefined,
    invocation: invocationOf(unit.InvocationID),
    restarts: number(service, 'NRestarts') ?? 0,
    restartsSeen,
    result: typeof service.Result === 'string' ? service.Result : 'success',
    exitStatus: number(service, 'ExecMainStatus'),
    once: service.Type === 'oneshot' && service.RemainAfterExit === false,
    unmet: started && unit.ConditionResult === false,
    fragment: fragment || undefined,
    dropIns: Array.isArray(unit.DropInPaths) ? (unit.DropInPaths as readonly string[]) : [],
    needsReload: unit.NeedDaemonReload === true,
    outdated: changedNs === undefined ? undefined : running && changedNs > began * 1000n,
  }
}

function invocationOf(id: unknown): string | undefined {
  if (!(id instanceof Uint8Array) || id.length === 0 || id.every((byte) => byte === 0)) return undefined
  return Buffer.from(id).toString('hex')
}
