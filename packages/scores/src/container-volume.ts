/** Keeps a volume: a place for the data of containers that outlives them. */
import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  missing,
  type Needs,
  type ScoreFactory,
} from '@harmony-iac/core'
import {
  Containers,
  madeByHarmony,
  type VolumeSettings,
  type VolumeState,
} from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { othersMadeIt, ours } from './accounts.ts'
import { labelNames, objectName } from './container-fields.ts'

/** What a {@link ContainerVolume} is made from. */
export interface ContainerVolumeSpec {
  /** Unique on its host. */
  readonly name: string
  /** How it is kept. Default `local`: in a folder of the host. */
  readonly driver?: string | undefined
  /** Of its driver: `{ type: 'nfs', o: 'addr=nas,rw', device: ':/media' }`. */
  readonly options?: Readonly<Record<string, string>> | undefined
  /** For people and programs. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /**
   * Make it anew where its driver, options or labels differ, which none of them can be changed otherwise: **all that is
   * in it is lost**. Default false: that is refused.
   */
  readonly discardData?: boolean | undefined
}

/** Details of a {@link ContainerVolume} as it is. */
export interface ContainerVolumeStatus {
  readonly exists: boolean
  readonly driver?: string | undefined
}

/** What other Scores may take from a {@link ContainerVolume}. */
export interface ContainerVolumeOutputs {
  readonly name: string
}

const text = () =>
  z.string().refine((each) => each.isWellFormed() && !each.includes('\0'), 'is not text that can be kept')

const fields = () =>
  ({
    name: objectName('volume'),
    driver: z
      .string()
      .regex(/^[a-z][a-z0-9_./:-]*$/, 'is no name of a driver')
      .optional(),
    options: z
      .record(z.string().regex(/^[a-z][a-zA-Z0-9_.-]*$/), text())
      .readonly()
      .optional(),
    labels: labelNames(text()).optional(),
    discardData: z.boolean().optional(),
  }) satisfies { readonly [K in keyof Required<ContainerVolumeSpec>]: z.ZodType }

const schema = () => z.strictObject(fields())
type Wanted = z.output<ReturnType<typeof schema>>

interface VolumeFound {
  readonly volume: VolumeState | undefined
  /** Made by Harmony, or taken over with a word. */
  readonly ours: boolean
}

/**
 * A volume: `ContainerVolume({ name: 'database', retain: true })`.
 *
 * On removal it goes **with all that is in it**, unless it says `retain: true`; one that was there before stays. Because of
 * that a volume that is there and was not made by Harmony is never taken over without `adopt: true`, also when it is as
 * wanted. It cannot be changed: where it differs, that is refused, unless `discardData` says that nothing in it is needed.
 *
 * Fails with `refused` (it differs; a container stands on it still), `unreachable`.
 */
export const ContainerVolume: ScoreFactory<
  'ContainerVolume',
  ContainerVolumeSpec,
  Needs<[typeof Containers]>,
  ContainerVolumeStatus,
  ContainerVolumeOutputs
> = defineScore({
  kind: 'ContainerVolume',
  version: 1,
  spec: schema,
  needs: [Containers],
  lost: 'all that is in it is lost',
  identity: (spec) => spec.name,
  claims: ({ name }) => [claim.name('container-volume', name)],
  uses: ({ options }) =>
    // A folder of the host under another name.
    options?.type === 'none' && options.device?.startsWith('/') ? [claim.path(options.device)] : [],
  interpret: {
    async observe(spec, { containers }, { memory, signal }): Promise<VolumeFound> {
      const volume = await containers.volume(spec.name, signal)
      const isOurs = memory === ours || volume?.settings.labels[madeByHarmony] !== undefined
      const differing = volume ? differencesOf(spec, volume.settings) : []
      if (differing.length > 0 && !spec.discardData)
        throw new HarmonyError(
          'refused',
          `${spec.name} is there with another ${differing.map(({ path }) => path).join(', ')}, and a volume cannot be changed`,
          {
            hint: 'keep the data: give another name, and copy them. Or say discardData: true, and all that is in it is lost',
            data: { volume: spec.name },
          },
        )
      return { volume, ours: isOurs }
    },

    compare(spec, { volume, ours }) {
      if (!volume) return [missing('volume')]
      const found: Difference[] = ours ? [] : [{ path: '', from: othersMadeIt, to: 'volume' }]
      return [...found, ...differencesOf(spec, volume.settings)]
    },

    async converge(spec, { containers }, { state, remember }) {
      const { name } = spec
      const differs = state.volume && differencesOf(spec, state.volume.settings).length > 0
      if (differs) await containers.removeVolume(name)
      if (differs || !state.volume) await containers.makeVolume(name, settingsOf(spec))
      remember(ours)
    },

    keep: async (_, __, { volume }) => (volume ? 'theirs' : null),

    async remove({ spec: { name }, previous }, { containers }, { note }) {
      const volume = await containers.volume(name)
      if (!volume) return
      if (previous === 'theirs') return note(`left the volume ${name} in place, which was there before`)
      await containers.removeVolume(name)
    },

    outputs: ({ volume }): ContainerVolumeOutputs =>
      volume ? { name: volume.name } : ({} as ContainerVolumeOutputs),
    status: ({ volume }): ContainerVolumeStatus =>
      volume ? { exists: true, driver: volume.settings.driver } : { exists: false },
  },
})

function settingsOf({ name, driver = 'local', options = {}, labels = {} }: Wanted): VolumeSettings {
  return { driver, options, labels: { ...labels, [madeByHarmony]: name } }
}

function differencesOf(spec: Wanted, found: VolumeSettings): readonly Difference[] {
  const wanted = settingsOf(spec)
  const list: Difference[] = []
  if (found.driver !== wanted.driver)
    list.push({ path: 'driver', from: found.driver, to: wanted.driver, replaces: true })
  for (const field of ['options', 'labels'] as const)
    for (const key of new Set([...Object.keys(found[field]), ...Object.keys(wanted[field])])) {
      const [from = null, to = null] = [found[field][key], wanted[field][key]]
      if (key !== madeByHarmony && from !== to)
        list.push({ path: `${field}.${key}`, from, to, replaces: true })
    }
  return list
}
