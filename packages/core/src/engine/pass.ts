/**
 * What the steps of one pass share: the ledger's view of each Score, the intents that were written, and what became of
 * whom.
 */
import type { Json } from '../canonical.ts'
import { HarmonyError } from '../errors.ts'
import { changedMembers, type LedgerRecord } from '../ledger/record.ts'
import type { Graph } from '../plan/graph.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { Plan, Step } from '../plan/plan.ts'
import type { KindDefinition } from '../score.ts'
import { readOutput } from './classify.ts'
import { type Context, ownId } from './context.ts'
import { observe } from './observe.ts'
import type { Cause } from './reactions.ts'
import { type Outputs, resolveSpec } from './resolve.ts'

/** A pass under way. */
export class Pass {
  readonly context: Context
  readonly abort: AbortSignal
  /** States of what is done in this pass, for outputs. */
  readonly states = new Map<string, { readonly definition: KindDefinition; readonly state: unknown }>()
  readonly #leaves: ReadonlyMap<string, Leaf>
  readonly #steps: ReadonlyMap<string, Step>
  /** Intents that were written: the record as it was before, to go back to when nothing was done. */
  readonly #intents = new Map<string, LedgerRecord | undefined>()
  readonly #begun = new Set<string>()
  readonly #changed = new Set<string>()

  constructor(context: Context, graph: Graph, plan: Plan, abort: AbortSignal) {
    this.context = context
    this.abort = abort
    this.#leaves = graph.leaves
    this.#steps = new Map(plan.steps.map((step) => [step.address, step]))
  }

  get leaves(): Iterable<Leaf> {
    return this.#leaves.values()
  }

  leaf(address: string): Leaf | undefined {
    return this.#leaves.get(address)
  }

  dependenciesOf(address: string): readonly string[] {
    return this.#leaves.get(address)?.after ?? []
  }

  ownerOf(address: string): Pick<LedgerRecord, 'project' | 'lineage' | 'topology' | 'address'> {
    const { owner, topology } = this.context
    return { project: owner.project, lineage: owner.lineage ?? '', topology: topology.name, address }
  }

  /** The record of an address as it is now. */
  current(address: string): LedgerRecord | undefined {
    return this.context.ledger.records.get(ownId(this.context, address))
  }

  /** The record of a step's Score as it was when the pass began, under its earlier address if it was renamed. */
  recordBefore(step: Step): LedgerRecord | undefined {
    if (this.#intents.has(step.address)) return this.#intents.get(step.address)
    return (
      this.current(step.address) ??
      (step.renamedFrom === undefined ? undefined : this.current(step.renamedFrom))
    )
  }

  /** Whether the intent of a step has been written and its change has begun. */
  isIntended(step: Step): boolean {
    return this.#begun.has(step.address)
  }

  /** Writes the intent of a step that is about to be ready, so that many go to disk together. */
  announce(step: Step, leaf: Leaf): void {
    if (!this.#intents.has(step.address)) this.#enterIntent(step, leaf, this.recordBefore(step)?.previous)
  }

  /**
   * Makes the intent of a step durable. After this the change may begin. What was kept of an adopted thing stands in
   * the same line as the intent: a record that is torn off between the two would make the thing ours without it.
   */
  async intend(step: Step, leaf: Leaf, { previous }: { readonly previous: Json | undefined }): Promise<void> {
    const announced = this.#intents.has(step.address)
    if (!announced || previous !== this.#intents.get(step.address)?.previous)
      this.#enterIntent(step, leaf, previous)
    await this.context.ledger.flush()
    this.#begun.add(step.address)
  }

  #enterIntent(step: Step, leaf: Leaf, previous: Json | undefined): void {
    const before = this.recordBefore(step)
    this.#intents.set(step.address, before)
    this.context.ledger.write({ put: this.#intentRecord(step, leaf, before, previous) })
  }

  /** Nothing came of a step that had begun: its intent may be withdrawn. */
  neverBegan(step: Step): void {
    this.#begun.delete(step.address)
  }

  /** Writes the intent to remove something. */
  async intendRemoval(step: Step): Promise<void> {
    const of = ownId(this.context, step.address)
    this.context.ledger.write({ of, patch: { unfinished: { step: 'remove' } } })
    await this.context.ledger.flush()
  }

  /** Enters the result of a step; it becomes durable with the next flush. */
  finish(step: Step, record: LedgerRecord): void {
    if (step.renamedFrom !== undefined)
      this.context.ledger.write({ drop: ownId(this.context, step.renamedFrom) })
    const current = this.current(step.address)
    this.context.ledger.write(
      current
        ? { of: ownId(this.context, step.address), patch: changedMembers(current, record) }
        : { put: record },
    )
    this.#intents.delete(step.address)
  }

  /** The thing is gone, or no longer ours. */
  drop(address: string): void {
    this.context.ledger.write({ drop: ownId(this.context, address) })
  }

  /** Takes back the intents of steps that never began, so that the ledger claims nothing that is not there. */
  withdraw(address?: string): void {
    for (const [each, before] of this.#intents) {
      if ((address !== undefined && each !== address) || this.#begun.has(each)) continue
      this.#intents.delete(each)
      if (before && before.address === each) this.context.ledger.write({ put: before })
      else this.context.ledger.write({ drop: ownId(this.context, each) })
    }
  }

  markChanged(address: string): void {
    this.#changed.add(address)
  }

  /** Whether something that this step comes after, near or far, was changed in this pass. */
  changedBefore(step: Step): boolean {
    const seen = new Set<string>()
    const before = (address: string) => this.#leaves.get(address)?.follows ?? []
    const open = [...step.after, ...before(step.address)]
    for (let address = open.pop(); address !== undefined; address = open.pop()) {
      if (seen.has(address)) continue
      seen.add(address)
      if (this.#changed.has(address)) return true
      open.push(...(this.#steps.get(address)?.after ?? []), ...before(address))
    }
    return false
  }

  /** A cause of a reaction, as it is at this moment of the pass. */
  readonly causeOf = (address: string): Cause | undefined => {
    const step = this.#steps.get(address)
    const record = this.current(address)
    const digest = step?.spec ?? record?.digest
    if (digest === undefined) return undefined
    return { address, digest, revision: record?.revision ?? 0, changing: false }
  }

  /** Outputs of Scores of this pass: of those that are done as they are now, of the others as they are found. */
  readonly outputOf: Outputs = async (address, output) => {
    let known = this.states.get(address)
    if (!known) {
      const leaf = this.#leaves.get(address)
      if (!leaf) throw new HarmonyError('unresolved-reference', `${address} is not part of this deployment`)
      const { definition, score } = leaf
      const resolved = await resolveSpec(score, this.context.sources, this.outputOf)
      const look = {
        address,
        digest: this.#steps.get(address)?.spec ?? '',
        memory: this.current(address)?.memory,
        signal: this.abort,
      }
      const { state } = await observe(definition, resolved, this.context.topology, look)
      known = { definition, state }
      this.states.set(address, known)
    }
    return readOutput(known.definition, known.state, address, output)
  }

  #intentRecord(
    step: Step,
    leaf: Leaf,
    before: LedgerRecord | undefined,
    previous: Json | undefined,
  ): LedgerRecord {
    const { score, options, claims, parent } = leaf
    return {
      ...this.ownerOf(leaf.address),
      kind: score.kind,
      version: score.version,
      // The old spec stays until the new one is there: drift and removal must know what really was applied.
      spec: before && before.address === leaf.address ? before.spec : score.spec,
      digest: before && before.address === leaf.address ? before.digest : step.spec,
      options,
      claims,
      // So does what the old one stands on: removed before it, a group would still be somebody's.
      after: [...new Set([...this.dependenciesOf(leaf.address), ...(before?.after ?? [])])],
      parent,
      revision: (before?.revision ?? 0) + 1,
      reactions: before?.reactions ?? {},
      assets: before?.assets,
      previous,
      memory: before && before.address === leaf.address ? before.memory : undefined,
      unfinished: { step: 'converge' },
    }
  }
}
