/** Keeps a systemd service as wanted: its unit file and drop-ins, whether it is enabled, masked and running. */
import { claim, defineScore, type Needs, type ScoreFactory } from '@harmony-iac/core'
import { Files, Services } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { standsOn } from './entries.ts'
import { claimsOf, unitPath } from './unit-files.ts'
import {
  fullName,
  hasSection,
  type ServiceDescription,
  section,
  standsOnNamed,
  unitFile,
  unitName,
  unitText,
} from './unit-text.ts'
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

/** What a {@link SystemdService} is made from. What is left out stays as it is. */
export interface SystemdServiceSpec {
  /** Of the unit: `nginx`, `nginx.service`, or an instance such as `getty@tty1`. Not an alias. */
  readonly name: string
  /**
   * Its unit file, `/etc/systemd/system/NAME.service`: text, or sections and keys. It is checked by
   * `systemd-analyze verify` before it goes live. Default: the one that is there, from a package say.
   */
  readonly unit?: string | ServiceDescription | undefined
  /**
   * Texts that are added to the unit, by name: `{ '10-limits': '[Service]\nLimitNOFILE=65536\n' }` stands in
   * `NAME.service.d/10-limits.harmony.conf`. Checked as the unit file is; one that leaves this list is removed.
   */
  readonly dropIns?: Readonly<Record<string, string>> | undefined
  /** Whether it is started at boot, or whenever its `[Install]` section says. */
  readonly enabled?: boolean | undefined
  /**
   * Whether it is running now. One that runs to its end (`Type=oneshot` without `RemainAfterExit`) is as wanted once it
   * has ended well.
   */
  readonly active?: boolean | undefined
  /** Whether it is made impossible to start. */
  readonly masked?: boolean | undefined
  /**
   * Restart it when its unit file or a drop-in has changed since it was started. Default false: systemd reads the files
   * again, and what is running goes on as it was started. For other files there is `restartOn`.
   */
  readonly restartOnChange?: boolean | undefined
  /**
   * How long it must have been running before it counts as running, in milliseconds: a service that starts well and
   * dies a second later is then found out. Default: not at all.
   */
  readonly stableForMs?: number | undefined
  /** How long starting and stopping may take, in milliseconds. Default 90000. */
  readonly startTimeoutMs?: number | undefined
}

/** What other Scores may take from a {@link SystemdService}. */
export interface SystemdServiceOutputs {
  /** With its type: `nginx.service`. */
  readonly unit: string
}

const milliseconds = () => z.int('must be a whole number of milliseconds').min(1, 'must be positive')

const fields = () =>
  ({
    name: unitName('service'),
    unit: z
      .union([
        unitFile().refine((text) => hasSection(text, 'Service'), 'has no [Service] section'),
        z.strictObject({ Unit: section().optional(), Service: section(), Install: section().optional() }),
      ])
      .optional(),
    dropIns: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'must be letters, digits and _ . -, such as 10-limits')
          .refine((name) => !name.endsWith('.conf'), 'is written without .conf'),
        unitFile(),
      )
      .readonly()
      .optional(),
    enabled: z.boolean().optional(),
    active: z.boolean().optional(),
    masked: z.boolean().optional(),
    restartOnChange: z.boolean().optional(),
    stableForMs: milliseconds().max(3_600_000, 'must be at most an hour').optional(),
    startTimeoutMs: milliseconds().max(86_400_000, 'must be at most a day').default(90_000),
  }) satisfies { readonly [K in keyof Required<SystemdServiceSpec>]: z.ZodType }

const schema = () =>
  z.strictObject(fields()).superRefine((spec, context) => {
    const { unit, masked, enabled, active } = spec
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (masked && unit !== undefined)
      issue('masked', 'cannot be had with unit: a mask stands where the unit file would. Leave out unit')
    if (masked && enabled) issue('enabled', 'what is masked cannot be enabled')
    if (masked && active) issue('active', 'what is masked cannot be started')
    if (spec.stableForMs !== undefined && active !== true)
      issue('stableForMs', 'says how long it must have been running, so it needs active: true')
    if (!enabled || unit === undefined) return
    const texts = [textOf(unit) ?? '', ...Object.values(spec.dropIns ?? {})]
    if (!texts.some((text) => hasSection(text, 'Install')))
      issue(
        'enabled',
        'has no effect without an [Install] section in unit, such as WantedBy=multi-user.target',
      )
  })

/**
 * A service: `SystemdService({ name: 'nginx', enabled: true, active: true, reloadOn: [config] })`.
 *
 * Of a package's own service only what is named is changed, and put back on removal. With `unit` the service is ours:
 * on removal it is stopped, disabled and deleted; it comes after the Scores that make its programs, its folders and its
 * user, as its text names them. A service that is starting is waited for; one that fails, or is
 * restarted again and again, is a failure that shows the last lines of its journal. `restartOn` and `reloadOn` have a
 * running service start anew, or read its configuration again, after those Scores have changed.
 *
 * Fails with `refused` (a unit that does not exist, is masked, static or an alias; a unit file that is not valid; a
 * right that is missing), `command-failed`, `not-converged`, `plan-stale`, `unreachable`.
 */
export const SystemdService: ScoreFactory<
  'SystemdService',
  SystemdServiceSpec,
  Needs<[typeof Files, typeof Services]>,
  UnitStatus,
  SystemdServiceOutputs,
  'restartOn' | 'reloadOn'
> = defineScore({
  kind: 'SystemdService',
  version: 1,
  spec: schema,
  needs: [Files, Services],
  identity: (spec) => fullName(spec.name, 'service'),
  claims: (spec) => claimsOf(wishOf(spec)),
  uses: (spec) => [
    ...standsOn(unitPath(fullName(spec.name, 'service')), {}),
    ...standsOnNamed([textOf(spec.unit) ?? '', ...Object.values(spec.dropIns ?? {})]),
    // Most packages are called as their service is: it comes after them without a word.
    ...(spec.unit === undefined ? [claim.name('package', packageOf(spec.name))] : []),
  ],
  standing: (spec) => spec.unit === undefined,
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
    outputs: ({ unit }): SystemdServiceOutputs => ({ unit: unit.name }),
    place: ({ entry }) => ({ folder: entry?.folder ?? null }),
    status: (found): UnitStatus => statusOf(found),
  },
  reactions: {
    restartOn: (spec, on, run) => reactUnit(wishOf(spec), on, run, 'restart'),
    reloadOn: (spec, on, run) => reactUnit(wishOf(spec), on, run, 'reload'),
  },
})

function textOf(unit: string | ServiceDescription | undefined): string | undefined {
  if (unit === undefined || typeof unit === 'string') return unit
  const { Unit, Service, Install } = unit
  return unitText({ Unit, Service, Install })
}

function wishOf(spec: SystemdServiceSpec & { readonly startTimeoutMs: number }): UnitWish {
  return {
    name: fullName(spec.name, 'service'),
    text: textOf(spec.unit),
    field: 'unit',
    dropIns: spec.dropIns ?? {},
    enabled: spec.enabled,
    active: spec.active,
    masked: spec.masked,
    restartOnChange: spec.restartOnChange ? 'restartOnChange' : undefined,
    stableForMs: spec.stableForMs,
    startTimeoutMs: spec.startTimeoutMs,
  }
}

function packageOf(name: string): string {
  return fullName(name, 'service').replace(/(?:@.*)?\.service$/, '')
}
