/** Keeps a systemd timer as wanted: when it elapses, what it starts, whether it is enabled and waiting. */
import { claim, defineScore, type Needs, type ScoreFactory } from '@harmony-iac/core'
import { Files, Services } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { word } from './argv.ts'
import { standsOn } from './entries.ts'
import { once } from './once.ts'
import { claimsOf, unitPath } from './unit-files.ts'
import { fullName, hasSection, unitFile, unitName, unitText } from './unit-text.ts'
import {
  compareUnit,
  convergeUnit,
  explainUnit,
  keepUnit,
  observeUnit,
  reactUnit,
  recoverUnit,
  removeUnit,
  statusOf,
  type UnitFound,
  type UnitStatus,
  type UnitWish,
} from './units.ts'

/**
 * What a {@link SystemdTimer} is made from. With `unit`, or with any of the fields that say when, the timer's file is
 * ours; without, the one of a package is used. What is left out stays as it is.
 */
export interface SystemdTimerSpec {
  /** Of the timer: `backup` or `backup.timer`. */
  readonly name: string
  /** When, by the calendar: `'daily'`, `'Mon..Fri 22:30'`; several as a list. See systemd.time(7). */
  readonly onCalendar?: string | readonly string[] | undefined
  /** So long after boot: `'10min'`, or a number of seconds. */
  readonly onBootSec?: string | number | undefined
  /** So long after the timer was started. */
  readonly onActiveSec?: string | number | undefined
  /** So long after the service was last started. */
  readonly onUnitActiveSec?: string | number | undefined
  /** So long after the service has last ended. */
  readonly onUnitInactiveSec?: string | number | undefined
  /** Makes up for what was missed while the machine was off; with `onCalendar` only. Default false. */
  readonly persistent?: boolean | undefined
  /** Elapses at random within so long, so that not all machines do at once. */
  readonly randomizedDelaySec?: string | number | undefined
  /** May elapse so much later, to save power. systemd's default is a minute. */
  readonly accuracySec?: string | number | undefined
  /** One line about what it is for. */
  readonly description?: string | undefined
  /** The service that it starts. Default: the one of the same name. */
  readonly service?: string | undefined
  /** The whole file as text, in place of the fields that say when. */
  readonly unit?: string | undefined
  /** Whether it is started at boot. */
  readonly enabled?: boolean | undefined
  /** Whether it is waiting now. */
  readonly active?: boolean | undefined
  /** Whether it is made impossible to start. */
  readonly masked?: boolean | undefined
}

/** What other Scores may take from a {@link SystemdTimer}. */
export interface SystemdTimerOutputs {
  /** With its type: `backup.timer`. */
  readonly unit: string
}

const line = () =>
  word
    .min(1, 'is empty')
    .regex(/^[^\r\n]*$/, 'contains a line break')
    .regex(/^\S(?:.*[^\s\\])?$/u, 'begins or ends with a space, or ends with a backslash')
const span = once(() =>
  z.union([line().regex(/^[\w .µμ]+$/u, "is no time span, such as '10min'"), z.number().min(0)]),
)
const calendar = () => line().regex(/^[\w *,./:~+-]+$/u, "is no calendar event, such as 'Mon..Fri 22:30'")

const fields = () =>
  ({
    name: unitName('timer'),
    onCalendar: z.union([calendar(), z.array(calendar()).min(1, 'is empty').readonly()]).optional(),
    onBootSec: span().optional(),
    onActiveSec: span().optional(),
    onUnitActiveSec: span().optional(),
    onUnitInactiveSec: span().optional(),
    persistent: z.boolean().optional(),
    randomizedDelaySec: span().optional(),
    accuracySec: span().optional(),
    description: line().optional(),
    service: unitName('service').optional(),
    unit: unitFile()
      .refine((text) => hasSection(text, 'Timer'), 'has no [Timer] section')
      .optional(),
    enabled: z.boolean().optional(),
    active: z.boolean().optional(),
    masked: z.boolean().optional(),
  }) satisfies { readonly [K in keyof Required<SystemdTimerSpec>]: z.ZodType }

const when = ['onCalendar', 'onBootSec', 'onActiveSec', 'onUnitActiveSec', 'onUnitInactiveSec'] as const
const described = [
  ...when,
  'persistent',
  'randomizedDelaySec',
  'accuracySec',
  'description',
  'service',
] as const

const schema = () =>
  z.strictObject(fields()).superRefine((spec, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    const given = described.filter((field) => spec[field] !== undefined)
    const says = when.some((field) => spec[field] !== undefined)
    const [first] = given
    if (spec.unit !== undefined && first !== undefined)
      issue(first, 'cannot be had with unit: say it in that text')
    else if (first !== undefined && !says)
      issue(first, `has no effect without a time: give one of ${when.join(', ')}`)
    if (spec.persistent && spec.onCalendar === undefined)
      issue('persistent', 'makes up for missed calendar events, so it needs onCalendar')
    if (spec.masked && (spec.unit !== undefined || says))
      issue('masked', 'cannot be had with a file of ours: a mask stands where it would')
    if (spec.masked && spec.enabled) issue('enabled', 'what is masked cannot be enabled')
    if (spec.masked && spec.active) issue('active', 'what is masked cannot be started')
    if (spec.enabled && spec.unit !== undefined && !hasSection(spec.unit, 'Install'))
      issue('enabled', 'has no effect without an [Install] section in unit, such as WantedBy=timers.target')
  })

/**
 * A timer: `SystemdTimer({ name: 'backup', onCalendar: 'daily', persistent: true, enabled: true, active: true })`.
 *
 * It starts the service of its name, or `service`, and comes after the Score that declares it. A running timer goes by
 * its new times at once. On removal it is stopped, disabled and deleted; a package's own timer is put back as it was.
 *
 * Fails as `SystemdService` does.
 */
export const SystemdTimer: ScoreFactory<
  'SystemdTimer',
  SystemdTimerSpec,
  Needs<[typeof Files, typeof Services]>,
  UnitStatus,
  SystemdTimerOutputs,
  'restartOn'
> = defineScore({
  kind: 'SystemdTimer',
  version: 1,
  spec: schema,
  needs: [Files, Services],
  identity: (spec) => fullName(spec.name, 'timer'),
  claims: (spec) => claimsOf(wishOf(spec)),
  uses: (spec) => [
    ...standsOn(unitPath(fullName(spec.name, 'timer')), {}),
    claim.name('unit', serviceOf(spec)),
    ...(textOf(spec) === undefined ? [claim.name('package', spec.name.replace(/\.timer$/, ''))] : []),
  ],
  standing: (spec) => textOf(spec) === undefined,
  interpret: {
    light: true,
    observe: (spec, on, look): Promise<UnitFound> => observeUnit(wishOf(spec), on, look),
    compare: (spec, found) => compareUnit(wishOf(spec), found),
    converge: (spec, on, run) => convergeUnit(wishOf(spec), on, run),
    remove: ({ spec, previous, memory }, on, run) => removeUnit(wishOf(spec), { previous, memory }, on, run),
    recover: (spec, on) => recoverUnit(wishOf(spec), on),
    keep: (spec, on, found) => keepUnit(wishOf(spec), on, found),
    explain: (spec, on, found) => explainUnit(wishOf(spec), on, found),
    incarnation: ({ unit }) => unit.invocation,
    outputs: ({ unit }): SystemdTimerOutputs => ({ unit: unit.name }),
    place: ({ entry }) => ({ folder: entry?.folder ?? null }),
    status: (found): UnitStatus => statusOf(found),
  },
  reactions: { restartOn: (spec, on, run) => reactUnit(wishOf(spec), on, run, 'restart') },
})

function serviceOf({ name, service }: SystemdTimerSpec): string {
  return fullName(service ?? name.replace(/\.timer$/, ''), 'service')
}

function textOf(spec: SystemdTimerSpec): string | undefined {
  if (spec.unit !== undefined) return spec.unit
  if (when.every((field) => spec[field] === undefined)) return undefined
  const timer = {
    OnCalendar: spec.onCalendar,
    OnBootSec: spec.onBootSec,
    OnActiveSec: spec.onActiveSec,
    OnUnitActiveSec: spec.onUnitActiveSec,
    OnUnitInactiveSec: spec.onUnitInactiveSec,
    Persistent: spec.persistent,
    RandomizedDelaySec: spec.randomizedDelaySec,
    AccuracySec: spec.accuracySec,
    Unit: serviceOf(spec),
  }
  // A percent sign is a specifier in a unit file; in a sentence it is meant as it stands.
  const description = spec.description?.replaceAll('%', '%%') ?? `When ${serviceOf(spec)} is started`
  return unitText({
    Unit: { Description: description },
    Timer: Object.fromEntries(
      Object.entries(timer).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    Install: { WantedBy: 'timers.target' },
  })
}

function wishOf(spec: SystemdTimerSpec): UnitWish {
  return {
    name: fullName(spec.name, 'timer'),
    text: textOf(spec),
    field: 'unit',
    dropIns: {},
    enabled: spec.enabled,
    active: spec.active,
    masked: spec.masked,
    // Nothing is interrupted, and until then it would elapse by its former times.
    restartOnChange: textOf(spec) === undefined ? undefined : 'unit',
    stableForMs: undefined,
    startTimeoutMs: 10_000,
  }
}
