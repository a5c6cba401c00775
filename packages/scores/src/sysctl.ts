/** Keeps a setting of the kernel as wanted. */
import {
  claim,
  type Difference,
  defineScore,
  type Needs,
  type ScoreFactory,
  sysctlFile,
  sysctlsBefore,
} from '@harmony-iac/core'
import { type KernelSetting, System } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { putBackSetting } from './system.ts'

/** What a {@link Sysctl} is made from. */
export interface SysctlSpec {
  /** With dots; a slash stands for a dot within a name: `net.ipv4.conf.eth0/1.forwarding` is one of the interface `eth0.1`. */
  readonly key: string
  /** A number, or text: words in a row are separated by one space, as in `4096 131072 6291456`. */
  readonly value: string | number
}

/** Details of a {@link Sysctl} as it is. */
export interface SysctlStatus {
  readonly live: string
  /** What it will be at the next start, as far as files say. */
  readonly boot?: string | undefined
}

/** What other Scores may take from a {@link Sysctl}. */
export interface SysctlOutputs {
  /** As the kernel shows it. */
  readonly value: string
}

const space = 'kernel setting'
// A page is what the kernel takes at once.
const longest = 4000

const fields = () =>
  ({
    key: z
      .string({ error: 'must be the name of a setting' })
      .max(200, 'is longer than 200 characters')
      .regex(/^[a-z0-9][a-z0-9_-]*(?:\.[A-Za-z0-9_@:+/-]+)+$/, {
        error: 'must be names with dots between them, such as net.ipv4.ip_forward',
      })
      .refine(
        // Nothing that leads out of the kernel's folder.
        (key) => key.split('.').every((name) => name.split('/').every((part) => part !== '')),
        'has an empty name in it: a slash stands for a dot within a name, such as eth0/1',
      )
      .refine(
        (key) => key !== 'kernel.hostname',
        'is the name of the host: keep it with Hostname, which knows of its files too',
      ),
    value: z.union([
      z.int('must be a whole number, or text'),
      z
        .string()
        .max(longest, `is longer than ${longest} characters`)
        .regex(/^[!-~]+(?: [!-~]+)*$/, {
          error: 'must be words of plain text, with one space between them and none around them',
        }),
    ]),
  }) satisfies { readonly [K in keyof Required<SysctlSpec>]: z.ZodType }

/**
 * A setting of the kernel: `Sysctl({ key: 'net.ipv4.ip_forward', value: 1 })`.
 *
 * Set for now, and for every start by a file of its own in `/etc/sysctl.d`; that of an interface after those that change
 * all interfaces. A file that is read later at the start and
 * says otherwise is a difference that this Score cannot make go away: it fails, and names the line. A setting belongs to
 * a module or an interface, and goes with it; one that is not there is refused. On removal it gets back the value that it
 * had.
 *
 * Fails with `refused` (a setting that does not exist, or that nobody can change; a value that the kernel does not take)
 * and `not-converged`.
 */
export const Sysctl: ScoreFactory<
  'Sysctl',
  SysctlSpec,
  Needs<[typeof System]>,
  SysctlStatus,
  SysctlOutputs
> = defineScore({
  kind: 'Sysctl',
  version: 1,
  spec: () => z.strictObject(fields()),
  needs: [System],
  identity: ({ key }) => key,
  claims: ({ key }) => [claim.name(space, key), claim.path(sysctlFile(key))],
  uses: ({ key }) => [
    claim.path('/etc/sysctl.d'),
    ...sysctlsBefore(key).map((each) => claim.name(space, each)),
  ],
  standing: () => true,
  interpret: {
    observe: (spec, { system }, { signal }): Promise<KernelSetting> =>
      system.kernel.look(wishOf(spec), { signal }),

    compare(spec, { live, kept, boot }) {
      const found: Difference[] = []
      const { value } = wishOf(spec)
      if (live !== value) found.push({ path: 'value', from: live, to: value })
      if (boot && boot.value !== value)
        found.push({ path: 'boot', from: `${boot.value} (${boot.at})`, to: value })
      else if (!kept) found.push({ path: 'boot', from: boot?.at ?? null, to: value })
      return found
    },

    converge: (spec, { system }, { signal }) => system.kernel.set(wishOf(spec), { signal }),
    keep: (spec, { system }) => system.kernel.keep(wishOf(spec)),
    remove: ({ spec, previous }, { system }, { signal }) =>
      putBackSetting(system.kernel, wishOf(spec), previous, { signal }),
    recover: (spec, { system }) => system.kernel.cleanUp(wishOf(spec)),

    async explain(spec, _, { live, boot }) {
      const { key, value } = wishOf(spec)
      const lines: string[] = []
      if (live !== value) lines.push(`the kernel was given ${value} for ${key}, and makes ${live} of it`)
      if (boot && boot.value !== value)
        lines.push(
          `at the next start ${boot.at} sets ${key} to ${boot.value}, after the file of this Score: change or remove that line`,
        )
      return lines
    },

    outputs: ({ live }): SysctlOutputs => ({ value: live }),
    status: ({ live, boot }): SysctlStatus => ({ live, boot: boot?.value }),
  },
})

function wishOf({ key, value }: SysctlSpec): { readonly key: string; readonly value: string } {
  return { key, value: String(value) }
}
