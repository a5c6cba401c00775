/**
 * The value of `desired-state.<agent>`: one envelope for each project that ships to this agent. The names beside the
 * envelopes are not signed; they tell writers whose entry is whose, and agents which chunks to fetch. An agent believes
 * what is in the envelope only.
 */
import { HarmonyError } from '@harmony-iac/core/errors'
import * as z from 'zod'
import { type Bundle, lineagePattern } from './bundle.ts'
import type { ContentId } from './chunks.ts'
import { type Envelope, envelopeSchema } from './envelope.ts'
import { largestEnvelope, largestList } from './limits.ts'
import { type Flaw, garbled, readStrictJson, writeStrictJson } from './strict-json.ts'

/** What is shipped for one project. */
export type Shipped = Pick<Bundle, 'project' | 'lineage' | 'generation'> &
  /** The envelope; or, when the list would become too large, its bytes by their digest, in chunks. */
  ({ readonly envelope: Envelope } | { readonly stored: ContentId })

/** The list. */
export interface DesiredState {
  readonly harmony: 1
  /** One for each project, in the order of their names. */
  readonly bundles: readonly Shipped[]
}

/** What stands in no list yet. */
export const nothingShipped: DesiredState = { harmony: 1, bundles: [] }

/** The key of the list of an agent. */
export function desiredStateKey(agent: string): string {
  return `desired-state.${agent}`
}

let made: { readonly list: z.ZodType<DesiredState>; readonly shipped: z.ZodType<Shipped> } | undefined

function schemas() {
  if (made) return made
  const about = {
    project: z.string().min(1).max(63),
    lineage: z.string().regex(lineagePattern),
    generation: z.int().min(1),
  }
  const shipped = z.union([
    z.strictObject({ ...about, envelope: envelopeSchema() }),
    z.strictObject({
      ...about,
      stored: z.strictObject({
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        size: z.int().min(1).max(largestEnvelope),
      }),
    }),
  ])
  made = {
    shipped,
    list: z.strictObject({ harmony: z.literal(1), bundles: z.array(shipped).readonly() }),
  }
  return made
}

/** The schema of a {@link DesiredState}, made when it is first asked for. */
export function desiredStateSchema(): z.ZodType<DesiredState> {
  return schemas().list
}

/** A list as it was read: one bad entry does not take the others with it. */
export interface ReadDesiredState extends DesiredState {
  /** What could not be read, by its place in the list. */
  readonly flaws: readonly { readonly at: number; readonly detail: string }[]
}

/** Reads a list. */
export function readDesiredState(bytes: Uint8Array): { readonly value: ReadDesiredState } | Flaw {
  const read = readStrictJson(bytes, largestList)
  if ('flaw' in read) return read
  const list = read.value as Partial<Record<'harmony' | 'bundles', unknown>> | null
  if (list?.harmony !== 1) return garbled('it is no list of bundles, or one of a newer Harmony')
  if (!Array.isArray(list.bundles)) return garbled('bundles is not a list')
  const bundles: Shipped[] = []
  const flaws: { at: number; detail: string }[] = []
  list.bundles.forEach((each: unknown, at) => {
    const { data } = schemas().shipped.safeParse(each)
    if (!data) flaws.push({ at, detail: 'it is no entry of a list of bundles' })
    else if (bundles.some(({ project }) => project === data.project))
      flaws.push({ at, detail: `the project ${data.project} stands there twice` })
    else bundles.push(data)
  })
  return { value: { harmony: 1, bundles, flaws } }
}

/** A list as it is stored. */
export function writeDesiredState({ bundles }: DesiredState): Buffer {
  return writeStrictJson({ harmony: 1, bundles })
}

/** What is shipped for a project. */
export function shippedOf({ bundles }: DesiredState, project: string): Shipped | undefined {
  return bundles.find((each) => each.project === project)
}

/**
 * The list with this entry in place of the project's earlier one.
 * @throws HarmonyError `refused` when that is of another lineage, or not older: somebody else has shipped meanwhile.
 */
export function withShipped(list: DesiredState, entry: Shipped): DesiredState {
  const { project, lineage, generation } = entry
  const before = shippedOf(list, project)
  if (before && before.lineage !== lineage)
    throw new HarmonyError('refused', `another project with the name ${project} ships to this agent`, {
      hint: 'give one of the two another name; if this is the same project, restore its harmony.lock',
      data: { project, lineage, other: before.lineage },
    })
  if (before && before.generation >= generation)
    throw new HarmonyError(
      'refused',
      `generation ${before.generation} of ${project} is there already, and this is ${generation}`,
      {
        hint: 'somebody else has shipped meanwhile: plan again',
        data: { project, generation, there: before.generation },
      },
    )
  return sorted([...list.bundles.filter((each) => each.project !== project), entry])
}

/** The list without a project. An agent keeps what it has accepted: this takes back what is not accepted yet. */
export function withoutProject(list: DesiredState, project: string): DesiredState {
  return sorted(list.bundles.filter((each) => each.project !== project))
}

function sorted(bundles: readonly Shipped[]): DesiredState {
  return { harmony: 1, bundles: bundles.toSorted((a, b) => (a.project < b.project ? -1 : 1)) }
}
