/** Keeps a software package as wanted: there or not, in which version, held back from upgrades. */
import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  isHarmonyError,
  missing,
  type Needs,
  type ScoreFactory,
} from '@harmony-iac/core'
import { type PackageManager, type PackageState, Packages } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { once } from './once.ts'

/** What a {@link Package} is made from. */
export interface PackageSpec {
  /** As the host's package manager calls it: `nginx`; for one of another architecture `libc6:armhf`. */
  readonly name: string
  /** Whether it is to be there. Default `present`. */
  readonly ensure?: 'present' | 'absent' | undefined
  /**
   * Exactly this version, as the package manager writes it: `1.22.1-9+deb12u1`. An older one than what is there is
   * installed too. Default: what is there stays, however old; a new one comes in the version that the host prefers.
   */
  readonly version?: string | undefined
  /** Whether it is kept as it is when the host is upgraded. Default: what is there stays. */
  readonly hold?: boolean | undefined
  /**
   * Whether its configuration and its data go too, wherever it is removed: with `ensure: 'absent'`, and when this Score
   * goes. Databases count as data. Default false.
   */
  readonly purge?: boolean | undefined
  /** Whether packages come along that it recommends but can do without. Default: as the host is configured. */
  readonly recommends?: boolean | undefined
  /**
   * What becomes of a configuration file that was edited on the host and that a new version changes too: `keep` the
   * edited one, or `replace` it. Default `keep`.
   */
  readonly configuration?: 'keep' | 'replace' | undefined
}

/** Details of a {@link Package} as it is. */
export interface PackageStatus {
  /** The package manager's word: `installed`, `not-installed`, `half-configured`. */
  readonly state: string
  /** Absent when nothing is there. */
  readonly version: string | undefined
  /** Whether it is kept as it is when the host is upgraded. */
  readonly held: boolean
}

/** What other Scores may take from a {@link Package}. */
export interface PackageOutputs {
  /** The version that is there. */
  readonly version: string
}

const fields = () =>
  ({
    name: z
      .string()
      .max(200, 'is longer than 200 characters')
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9+._-]*(:[a-z0-9][a-z0-9-]*)?$/,
        'must be letters, digits, + . _ and -, such as nginx, or libc6:armhf',
      )
      // Some package managers read that as "remove it".
      .refine((name) => !name.endsWith('-'), 'must not end with -'),
    ensure: z.enum(['present', 'absent'], { error: "must be 'present' or 'absent'" }).default('present'),
    version: z
      .string()
      .max(200, 'is longer than 200 characters')
      .regex(/^[0-9A-Za-z][0-9A-Za-z.+:~_-]*$/, 'must be a version such as 1.22.1-9+deb12u1')
      .optional(),
    hold: z.boolean().optional(),
    purge: z.boolean().optional(),
    recommends: z.boolean().optional(),
    configuration: z.enum(['keep', 'replace'], { error: "must be 'keep' or 'replace'" }).optional(),
  }) satisfies { readonly [K in keyof Required<PackageSpec>]: z.ZodType }

const schema = () =>
  z.strictObject(fields()).superRefine(({ ensure, version, hold, recommends, configuration }, context) => {
    if (ensure === 'present') return
    for (const [field, value] of Object.entries({ version, hold, recommends, configuration }))
      if (value !== undefined)
        context.addIssue({ code: 'custom', path: [field], message: "has no meaning with ensure: 'absent'" })
  })

// Where package managers are told what to get from whom: what others put there comes first.
const sources = [
  '/etc/apt',
  '/etc/dpkg',
  '/etc/apk',
  '/etc/dnf',
  '/etc/yum.repos.d',
  '/etc/pki/rpm-gpg',
  '/usr/share/keyrings',
].map(claim.tree)

type Wanted = z.output<ReturnType<typeof schema>>

const previousSchema = once(() =>
  z.strictObject({
    status: z.enum(['absent', 'configuration', 'broken', 'installed']),
    version: z.string().nullable(),
    held: z.boolean(),
    automatic: z.boolean(),
  }),
)
type Previous = z.output<ReturnType<typeof previousSchema>>

/**
 * A package: `Package({ name: 'nginx' })`, `Package({ name: 'docker-ce', version: '5:24.0.7-1', hold: true })`,
 * `Package({ name: 'snapd', ensure: 'absent', purge: true })`.
 *
 * All packages of a pass go into one transaction. One that is there already is taken over as it is, and stays when the
 * Score goes; one that was there in another version, held, or unwanted, is put back. What was installed is removed again,
 * with what came along and nothing needs any more. Nothing else is ever removed or put back to an older version: a plan
 * that would need that fails, and says what is in the way. A service of the same name comes after it, and what is listed
 * after it in the project waits for it.
 *
 * Fails with `refused` (no such package or version, a name that others provide, a package that is held, others that would
 * go), `locked` when somebody else changes packages for too long, `command-failed` with the package manager's words.
 */
export const Package: ScoreFactory<
  'Package',
  PackageSpec,
  Needs<[typeof Packages]>,
  PackageStatus,
  PackageOutputs
> = defineScore({
  kind: 'Package',
  version: 1,
  spec: schema,
  needs: [Packages],
  identity: (spec) => spec.name,
  claims: (spec) => [claim.name('package', spec.name)],
  uses: () => sources,
  groundwork: true,
  // It is there, or not, whoever has installed the host.
  standing: () => true,
  interpret: {
    async observe(spec, { packages }): Promise<PackageState> {
      const state = await packages.look(spec.name)
      refuseHeld(spec, state)
      return state
    },

    compare: (spec, state) =>
      spec.ensure === 'absent' ? compareAbsent(spec, state) : comparePresent(spec, state),

    async converge(spec, { packages }, { state, signal, progress, standBy }) {
      standBy()
      const { name, ensure, version, hold, purge, recommends, configuration } = spec
      const work = { signal, progress }
      const changes = ensure === 'absent' || state.status !== 'installed' || !isVersion(spec, state)
      if (state.held && (changes || hold === false)) await packages.setHeld(name, false, work)
      if (ensure === 'absent') return await packages.remove(name, { ...work, purge })
      if (changes) await packages.install(name, { ...work, version, recommends, configuration })
      if (state.automatic) await packages.setAutomatic(name, false, work)
      if (hold && (changes || !state.held)) await packages.setHeld(name, true, work)
    },

    async remove({ spec, previous }, { packages }, { signal, progress, note, standBy }) {
      standBy()
      const { name, ensure, purge, hold } = spec
      const run = { signal, progress, note }
      if (previous !== undefined) return await putBack(packages, spec, previous, run)
      if (ensure === 'absent') return
      const gone = await packages.withdraw(name, { signal, progress, purge, held: hold })
      if (!gone && (await packages.look(name)).status === 'installed')
        note(`left ${name} in place: it was there before`)
    },

    async keep(_spec, _on, { status, version = null, held, automatic }) {
      return { status, version, held, automatic } satisfies Previous
    },

    outputs: ({ version }): PackageOutputs => (version === undefined ? ({} as PackageOutputs) : { version }),

    status: ({ word, version, held }): PackageStatus => ({ state: word, version, held }),
  },
})

function isVersion({ version }: Pick<Wanted, 'version'>, state: PackageState): boolean {
  return version === undefined || version === state.version
}

function compareAbsent({ purge }: Wanted, { status, version, word }: PackageState): readonly Difference[] {
  if (status === 'absent') return []
  if (status !== 'configuration') return [{ path: 'ensure', from: version ?? word, to: 'absent' }]
  return purge ? [{ path: 'purge', from: 'its configuration is there', to: 'purged' }] : []
}

function comparePresent(spec: Wanted, state: PackageState): readonly Difference[] {
  const { status, version = null, word, held, automatic } = state
  const found: Difference[] = []
  if (status === 'absent' || status === 'configuration') found.push(missing(spec.version ?? 'package'))
  else if (status === 'broken') found.push({ path: 'ensure', from: word, to: 'present' })
  // Whoever cleans up after others would take it away.
  else if (automatic) found.push({ path: 'ensure', from: 'only as long as others need it', to: 'present' })
  if (spec.version !== undefined && spec.version !== version)
    found.push({ path: 'version', from: version, to: spec.version })
  if (spec.hold !== undefined && spec.hold !== held)
    found.push({ path: 'hold', from: status === 'absent' ? null : held, to: spec.hold })
  return found
}

/** Who holds a package says that it is to stay as it is: that is not lifted by the way. */
function refuseHeld(spec: Wanted, state: PackageState): void {
  if (!state.held || spec.hold !== undefined) return
  const stays = spec.ensure === 'present' && state.status === 'installed' && isVersion(spec, state)
  if (stays || (spec.ensure === 'absent' && state.status === 'absent')) return
  throw new HarmonyError('refused', `${spec.name} is held as it is, and would have to be changed`, {
    hint:
      spec.ensure === 'absent'
        ? 'let it go on the host first'
        : 'say hold: true to change it and hold it again, or hold: false to let it go',
    data: { package: spec.name, version: state.version },
  })
}

interface PuttingBack {
  readonly signal: AbortSignal
  progress(message: string): void
  note(message: string): void
}

async function putBack(
  packages: PackageManager,
  { name, version: pinned }: Pick<Wanted, 'name' | 'version'>,
  previous: unknown,
  { signal, progress, note }: PuttingBack,
): Promise<void> {
  const parsed = previousSchema().safeParse(previous)
  if (!parsed.success)
    throw new HarmonyError('ledger-corrupt', 'the ledger does not say how the package was before', {
      hint: 'put it right by hand, and remove the Score with retain: true',
      cause: parsed.error,
    })
  const was = parsed.data
  const work = { signal, progress }
  const now = await packages.look(name)
  if (was.status !== 'installed' || was.version === null) {
    if (was.status === 'configuration' && now.status === 'absent')
      note(`the configuration that an earlier ${name} had left was purged, and is not put back`)
    return
  }
  const { version } = was
  // Without a version in the Score another one is not its work: an upgrade by somebody else is not taken back.
  const changes = now.status !== 'installed' || (pinned !== undefined && now.version !== version)
  if (now.held && (changes || !was.held)) await packages.setHeld(name, false, work)
  if (changes) await installAgain()
  else note(`left ${name} in place: it was there before`)
  const { automatic, held, status } = await packages.look(name)
  if (status !== 'installed') return
  if (automatic !== was.automatic) await packages.setAutomatic(name, was.automatic, work)
  if (held !== was.held) await packages.setHeld(name, was.held, work)

  /** Archives forget old versions: then the nearest that can be had, rather than a removal that never ends. */
  async function installAgain(): Promise<void> {
    try {
      return await packages.install(name, { ...work, version, putBack: true })
    } catch (error) {
      if (!isHarmonyError(error) || error.code !== 'refused') throw error
      if (now.status === 'installed')
        return note(`left ${name} at ${now.version}: ${version} cannot be had any more`)
    }
    try {
      await packages.install(name, { ...work, putBack: true })
      note(`${name} is back in another version: ${version} cannot be had any more`)
    } catch (error) {
      if (!isHarmonyError(error) || error.code !== 'refused') throw error
      note(`could not put ${name} ${version} back: ${error.message}`)
    }
  }
}
