/** Keeps the time zone of a host as wanted. */
import { claim, type Difference, defineScore, type Needs, type ScoreFactory } from '@harmony-iac/core'
import { System, type TimeZone } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { putBackSetting } from './system.ts'

/** What a {@link Timezone} is made from. */
export interface TimezoneSpec {
  /** As in the IANA database: `Europe/Berlin`, `UTC`. */
  readonly zone: string
}

/** Details of a {@link Timezone} as it is. */
export interface TimezoneStatus {
  readonly zone?: string | undefined
}

/** What other Scores may take from a {@link Timezone}. */
export interface TimezoneOutputs {
  readonly zone: string
}

const fields = () =>
  ({
    zone: z
      .string({ error: 'must be the name of a zone' })
      .max(100, 'is longer than 100 characters')
      .regex(/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/, {
        error: 'must be the name of a zone, such as Europe/Berlin or UTC',
      })
      .refine((zone) => !/^(?:posix|right)\//.test(zone), 'is written without posix/ or right/'),
  }) satisfies { readonly [K in keyof Required<TimezoneSpec>]: z.ZodType }

/**
 * The time zone of a host: `Timezone({ zone: 'Europe/Berlin' })`.
 *
 * `/etc/localtime` leads to the zone, and `/etc/timezone` names it where there is one. Programs that are running go on in
 * the zone that they were started in, many of them; to have a service start anew, say `restartOn`. A host has one time
 * zone: on removal it gets back the one that it had. Comes after the Package `tzdata`, if there is one.
 *
 * Fails with `refused` for a zone that the host does not know: small images know none without the package `tzdata`.
 */
export const Timezone: ScoreFactory<
  'Timezone',
  TimezoneSpec,
  Needs<[typeof System]>,
  TimezoneStatus,
  TimezoneOutputs
> = defineScore({
  kind: 'Timezone',
  version: 1,
  spec: () => z.strictObject(fields()),
  needs: [System],
  identity: () => 'host',
  claims: () => [
    claim.name('setting', 'time zone'),
    claim.path('/etc/localtime'),
    claim.path('/etc/timezone'),
  ],
  uses: () => [claim.name('package', 'tzdata')],
  standing: () => true,
  interpret: {
    observe: (spec, { system }, { signal }): Promise<TimeZone> => system.timeZone.look(spec, { signal }),

    compare({ zone }, state) {
      const found: Difference[] = []
      if (state.zone !== zone) found.push({ path: 'zone', from: state.zone ?? null, to: zone })
      if (state.noted !== undefined && state.noted !== zone)
        found.push({ path: '/etc/timezone', from: state.noted, to: zone })
      return found
    },

    converge: (spec, { system }, { signal }) => system.timeZone.set(spec, { signal }),
    keep: (spec, { system }) => system.timeZone.keep(spec),
    remove: ({ spec, previous }, { system }, { signal }) =>
      putBackSetting(system.timeZone, spec, previous, { signal }),
    recover: (spec, { system }) => system.timeZone.cleanUp(spec),

    outputs: ({ zone }): TimezoneOutputs => (zone === undefined ? ({} as TimezoneOutputs) : { zone }),
    status: ({ zone }): TimezoneStatus => ({ zone }),
  },
})
