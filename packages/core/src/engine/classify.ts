/**
 * What is to be done about each leaf, decided from its observation and its record alone. Reads, never writes.
 */
import { HarmonyError, toHarmonyError } from '../errors.ts'
import { type Difference, isCreation } from '../interpret.ts'
import { isHalfPutBack, type LedgerRecord, reliableMemory } from '../ledger/record.ts'
import type { OwnedRecords } from '../ledger/records.ts'
import type { Graph } from '../plan/graph.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { Action } from '../plan/plan.ts'
import type { KindDefinition, StoredOptions } from '../score.ts'
import type { Context } from './context.ts'
import { type Observation, observe, verbsOf } from './observe.ts'
import {
  alsoTainted,
  digestOfSpec,
  NotYetKnown,
  nothingResolved,
  type ResolvedSpec,
  resolveSpec,
} from './resolve.ts'
import { inWaves } from './waves.ts'

/** What was found out about one leaf. */
export type Verdict =
  | {
      readonly type: 'seen'
      readonly definition: KindDefinition
      readonly action: Exclude<Action, 'react' | 'remove' | 'forget' | 'purge' | 'deferred'>
      readonly digest: string
      readonly resolved: ResolvedSpec
      readonly state: unknown
      readonly differences: readonly Difference[]
      readonly record: LedgerRecord | undefined
      readonly renamedFrom: string | undefined
    }
  /** As wanted, and declared as it was when it was last applied: as nearly all of thousands are. */
  | { readonly type: 'idle'; readonly digest: string; readonly revision: number }
  /** Cannot be told before what it depends on is done. */
  | {
      readonly type: 'deferred'
      readonly digest: string
      readonly reason: string
      readonly record: LedgerRecord | undefined
      readonly renamedFrom: string | undefined
    }
  | { readonly type: 'failed'; readonly digest: string; readonly error: HarmonyError }

/** By {@link Leaf.place}; of a leaf that was not chosen there is none. */
export type Verdicts = readonly (Verdict | undefined)[]

// So many are looked at before others get their turn.
const breath = 64
const none: readonly never[] = Object.freeze([])

/** Classifies every leaf that is chosen. */
export async function classifyAll(
  about: Circumstances,
  chosen: (address: string) => boolean,
): Promise<Verdicts> {
  const classifier = new Classifier(about)
  const wanted = about.graph.order.filter((leaf) => chosen(leaf.address))
  const verdicts = new Array<Verdict | undefined>(about.graph.leaves.size).fill(undefined)
  let next = 0
  let { onChange } = about
  // In the order of the graph, so that whatever a leaf waits for has been started before it.
  const worker = async (): Promise<void> => {
    while (next < wanted.length) {
      about.signal.throwIfAborted()
      const leaf = wanted[next++] as Leaf
      const verdict = classifier.classify(leaf)
      const settled = verdict instanceof Promise ? await verdict : verdict
      verdicts[leaf.place] = settled
      // What was begun for another leaf may go on.
      if (next % breath === 0) await Promise.resolve()
      if (!onChange || !isChanging(settled)) continue
      const tell = onChange
      onChange = undefined
      await tell()
    }
  }
  await inWaves(worker, () => next < wanted.length)
  return verdicts
}

/** Whether the thing will be another one after the plan, so that what is read from it now says nothing. */
export function isChanging(verdict: Verdict | undefined): boolean {
  return verdict?.type === 'deferred' || (verdict?.type === 'seen' && verdict.action !== 'unchanged')
}

/** What all leaves of one plan are classified by. */
export interface Circumstances {
  readonly context: Context
  readonly graph: Graph
  /** The owner's records. */
  readonly own: OwnedRecords
  /** Records of Scores that had another address, by the new one. */
  readonly renames: ReadonlyMap<string, LedgerRecord>
  /** Whether nothing but its state can be a reason to do something about a leaf. */
  isUsual(leaf: Leaf): boolean
  readonly signal: AbortSignal
  /** Called for the first leaf that is not as wanted. */
  readonly onChange: (() => Promise<void>) | undefined
}

const neverAsked = () => Promise.reject(new HarmonyError('internal', 'nothing late was to be resolved'))
class Classifier {
  readonly #context: Context
  readonly #graph: Graph
  readonly #own: OwnedRecords
  readonly #isUsual: (leaf: Leaf) => boolean
  readonly #renames: ReadonlyMap<string, LedgerRecord>
  readonly #signal: AbortSignal
  /** Verdicts that others may ask for. */
  readonly #started = new Map<string, Verdict | Promise<Verdict>>()

  constructor({ context, graph, own, renames, isUsual, signal }: Circumstances) {
    this.#context = context
    this.#graph = graph
    this.#own = own
    this.#renames = renames
    this.#isUsual = isUsual
    this.#signal = signal
  }

  classify(leaf: Leaf): Verdict | Promise<Verdict> {
    const started = this.#started.get(leaf.address)
    if (started) return started
    const verdict = this.#atOnce(leaf)
    if (leaf.isAwaited) this.#started.set(leaf.address, verdict)
    return verdict
  }

  /** Most of thousands are as wanted, and known to be ours: they are told apart without a promise or a record for each. */
  #atOnce(leaf: Leaf): Verdict | Promise<Verdict> {
    const { definition, score, address, options, claims, after, parent } = leaf
    const { kind, version, spec } = score
    const isPlain = !score['~score'].late && !definition.interpret?.surplus && !leaf.isReferenced
    if (!isPlain || hasReactions(options) || !this.#isUsual(leaf)) return this.#fully(leaf, undefined)
    const standing = this.#own.standing(address, { kind, version, spec, options, claims, after, parent })
    const resolved = standing && resolveSpec(score, this.#context.sources, neverAsked)
    if (!resolved || resolved instanceof Promise) return this.#fully(leaf, undefined)
    const { digest, revision, memory } = standing
    try {
      const look = { address, digest, memory, signal: this.#signal }
      const seen = observe(definition, resolved, this.#context.topology, look)
      if (seen instanceof Promise) return this.#fully(leaf, seen)
      if (seen.differences.length === 0) return { type: 'idle', digest, revision }
    } catch {
      // Looked at again, where it is decided what an error means.
    }
    return this.#fully(leaf, undefined)
  }

  async #ask(address: string): Promise<Verdict | undefined> {
    const leaf = this.#graph.leaves.get(address)
    return leaf && (await this.classify(leaf))
  }

  /** `begun`: it is being observed already. */
  async #fully(leaf: Leaf, begun: Promise<Observation> | undefined): Promise<Verdict> {
    const { definition, score, address } = leaf
    const renamed = this.#renames.get(address)
    const record = this.#own.get(address) ?? renamed
    const renamedFrom = renamed?.address
    let digest = ''
    // Until then only the project's own things are asked for, which nothing on the host can cure.
    let looking = false
    try {
      // Most specs need no waiting, and a wait for nothing is a turn of the event queue, thousands of times.
      const digesting = digestOfSpec(score, this.#context.sources, record)
      digest = typeof digesting === 'string' ? digesting : await digesting
      const resolving = resolveSpec(score, this.#context.sources, async (from, output) => {
        const verdict = await this.#ask(from)
        if (verdict?.type !== 'seen' || isChanging(verdict)) throw new NotYetKnown(from, output)
        return readOutput(verdict.definition, verdict.state, from, output)
      })
      const resolved = alsoTainted(resolving instanceof Promise ? await resolving : resolving, record)
      const look = { address, digest, memory: reliableMemory(record), signal: this.#signal }
      looking = true
      const seen = await (begun ?? observe(definition, resolved, this.#context.topology, look))
      const theirs = isHalfPutBack(record) && seen.differences.length > 0
      const action = actionFor(seen.differences)
      // What thousands of unchanged things look like is of no further use, and would be most of what is held in memory.
      const kept = action !== 'unchanged' || definition.interpret?.surplus || leaf.isReferenced
      return {
        type: 'seen',
        definition,
        action,
        digest,
        resolved: kept ? resolved : nothingResolved,
        state: kept ? seen.state : undefined,
        differences: seen.differences,
        record: theirs ? undefined : record,
        renamedFrom,
      }
    } catch (thrown) {
      if (thrown instanceof NotYetKnown)
        return { type: 'deferred', digest, reason: thrown.message, record, renamedFrom }
      // What it stands on may be about to appear: a mount, a service, a user; but a user only if something makes users.
      const error = toHarmonyError(thrown, { address })
      for (const dependency of looking ? [...leaf.after, ...leaf.follows] : none)
        if (mayCure(error, this.#graph.leaves.get(dependency)) && isChanging(await this.#ask(dependency)))
          return {
            type: 'deferred',
            digest,
            reason: `cannot be observed before ${dependency} is done`,
            record,
            renamedFrom,
          }
      return { type: 'failed', digest, error }
    }
  }
}

/**
 * One output of an observed thing.
 * @throws HarmonyError `unresolved-reference` when its kind has no such output.
 */
export function readOutput(
  definition: KindDefinition,
  state: unknown,
  from: string,
  output: string,
): unknown {
  const outputs = verbsOf(definition).outputs?.(state) as Readonly<Record<string, unknown>> | undefined
  const value = outputs?.[output]
  if (value === undefined)
    throw new HarmonyError('unresolved-reference', `${from} has no output ${output}`, {
      hint: outputs ? `it has: ${Object.keys(outputs).join(', ')}` : 'its kind has no outputs',
    })
  return value
}

function hasReactions({ reactions }: StoredOptions): boolean {
  for (const _ in reactions) return true
  return false
}

function mayCure(error: HarmonyError, dependency: Leaf | undefined): boolean {
  if (error.code !== 'no-such-user') return true
  return (
    dependency?.claims.some(
      (claim) => claim.type === 'name' && (claim.space === 'user' || claim.space === 'group'),
    ) === true ||
    // A package makes users that its Score cannot name.
    dependency?.definition.groundwork === true
  )
}

function actionFor(differences: readonly Difference[]): 'create' | 'update' | 'replace' | 'unchanged' {
  if (differences.length === 0) return 'unchanged'
  if (isCreation(differences)) return 'create'
  return differences.some((difference) => difference.replaces) ? 'replace' : 'update'
}
