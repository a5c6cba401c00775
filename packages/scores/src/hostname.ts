/** Keeps the name of a host as wanted. */
import { claim, type Difference, defineScore, type Needs, type ScoreFactory } from '@harmony-iac/core'
import { type HostName, System } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { putBackSetting } from './system.ts'

/** What a {@link Hostname} is made from. */
export interface HostnameSpec {
  /** As RFC 1123 has it: labels of letters, digits and hyphens; with dots it includes the domain. At most 64 characters. */
  readonly name: string
  /** The name for people: `Kiosk in the lobby`. Default: it stays as it is; empty: there is none. */
  readonly pretty?: string | undefined
}

/** Details of a {@link Hostname} as it is. */
export interface HostnameStatus {
  readonly live: string
  readonly stored?: string | undefined
  readonly pretty: string
}

/** What other Scores may take from a {@link Hostname}. */
export interface HostnameOutputs {
  /** What the host calls itself. */
  readonly name: string
}

// HOST_NAME_MAX of Linux; a label is one of the name system's.
const longest = 64
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'

const fields = () =>
  ({
    name: z
      .string({ error: 'must be a name' })
      .max(longest, `is longer than ${longest} characters`)
      .regex(new RegExp(`^${label}(?:\\.${label})*$`), {
        error:
          'must be labels of letters, digits and hyphens, none of them longer than 63 or with a hyphen at an end',
      })
      .refine((name) => !/(?:^|\.)\d+$/.test(name), 'would be taken for an address: it ends in a number')
      .refine((name) => !/^localhost(?:\.|$)/i.test(name), 'is what every host calls itself'),
    pretty: z
      .string()
      .max(255, 'is longer than 255 characters')
      .refine(
        (text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text),
        'must be one line of plain text',
      )
      .refine((text) => text.trim() === text, 'begins or ends with a space')
      .optional(),
  }) satisfies { readonly [K in keyof Required<HostnameSpec>]: z.ZodType }

/**
 * The name of a host: `Hostname({ name: 'kiosk-7', pretty: 'Kiosk in the lobby' })`.
 *
 * Set for now and for every start. The host's own line in `/etc/hosts` follows, so that `sudo` need not wait for a name
 * server; a name that some line there has already is left alone. What another Score keeps in `/etc/hosts` comes first,
 * and should name the host. A host has one name: on removal it gets back the one that it had.
 *
 * Fails with `refused` where the name is given from outside, as in most containers.
 */
export const Hostname: ScoreFactory<
  'Hostname',
  HostnameSpec,
  Needs<[typeof System]>,
  HostnameStatus,
  HostnameOutputs
> = defineScore({
  kind: 'Hostname',
  version: 1,
  spec: () => z.strictObject(fields()),
  needs: [System],
  // One for each host: under another name it is the same host.
  identity: () => 'host',
  claims: () => [claim.name('setting', 'host name'), claim.path('/etc/hostname')],
  uses: () => [claim.path('/etc/hosts')],
  standing: () => true,
  interpret: {
    observe: (spec, { system }, { signal }): Promise<HostName> => system.hostName.look(spec, { signal }),

    compare({ name, pretty }, state) {
      const found: Difference[] = []
      if (state.live !== name || state.stored !== name)
        found.push({ path: 'name', from: inUse(state), to: name })
      if (!state.resolved) found.push({ path: 'hosts', from: null, to: name })
      if (pretty !== undefined && state.pretty !== pretty)
        found.push({ path: 'pretty', from: state.pretty || null, to: pretty || null })
      return found
    },

    converge: (spec, { system }, { signal }) => system.hostName.set(spec, { signal }),
    keep: (spec, { system }) => system.hostName.keep(spec),
    remove: ({ spec, previous }, { system }, { signal }) =>
      putBackSetting(system.hostName, spec, previous, { signal }),
    recover: (spec, { system }) => system.hostName.cleanUp(spec),

    outputs: ({ live }): HostnameOutputs => ({ name: live }),
    status: ({ live, stored, pretty }): HostnameStatus => ({ live, stored, pretty }),
  },
})

/** One name, or which of the two is another one. */
function inUse({ live, stored }: HostName): string {
  return live === stored ? live : `${live} now, ${stored ?? 'none'} at the next start`
}
