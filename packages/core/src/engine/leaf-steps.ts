/** The steps of the leaves: what each does, why, and what stands against it. Decided from verdicts and records alone. */
import { describeClaim } from '../claims.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import { ClaimIndex, type Graph } from '../plan/graph.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { Action, Conflict, PlanFailure, Step } from '../plan/plan.ts'
import { matcher } from '../plan/select.ts'
import type { StoredOptions } from '../score.ts'
import { isChanging, type Verdicts } from './classify.ts'
import { type Context, foreignRecords } from './context.ts'
import type { PlanRequest } from './contract.ts'
import { placeOf, preconditionOf, show } from './observe.ts'
import { type Cause, dueReactions } from './reactions.ts'

const none: readonly never[] = Object.freeze([])

/** What makes a step necessary besides its differences. */
interface Circumstances {
  readonly renamedFrom: string | undefined
  /** The earlier Score stands for another thing on the host. */
  readonly moved: boolean
  readonly forced: boolean
  /** Removals that make room for it. */
  readonly first: readonly string[]
  readonly adopts: boolean
  readonly unchanged: boolean
}

/** Collects the steps of the leaves, one after the other in the order of the graph. */
export class LeafSteps {
  readonly steps: Step[] = []
  readonly #byPlace: Step[] = []
  readonly conflicts: Conflict[] = []
  readonly failures: PlanFailure[] = []
  readonly #context: Context
  readonly #graph: Graph
  readonly #verdicts: Verdicts
  readonly #request: PlanRequest
  readonly #replaced: readonly ((address: string) => boolean)[]
  /** For each leaf the removals that must come first, because they claim the same. */
  readonly #before: ReadonlyMap<string, readonly string[]>
  readonly #foreign: ClaimIndex<LedgerRecord> | undefined

  constructor(
    context: Context,
    graph: Graph,
    verdicts: Verdicts,
    before: ReadonlyMap<string, readonly string[]>,
    request: PlanRequest,
  ) {
    this.#context = context
    this.#graph = graph
    this.#verdicts = verdicts
    this.#before = before
    this.#request = request
    this.#replaced = (request.replace ?? none).map(matcher)
    const foreign = foreignRecords(context)
    if (foreign.length === 0) return
    this.#foreign = new ClaimIndex()
    for (const record of foreign) this.#foreign.add(record)
  }

  add(leaf: Leaf): void {
    const verdict = this.#verdicts[leaf.place]
    if (!verdict) return
    this.#refuseForeignClaims(leaf)
    if (verdict.type === 'failed') {
      const { code, message, hint } = verdict.error
      this.failures.push({ address: leaf.address, code, message, hint })
      return
    }
    if (verdict.type === 'idle') {
      this.#push(leaf, idleStep(leaf, verdict.digest))
      return
    }
    const { record, renamedFrom, digest } = verdict
    const first = this.#before.get(leaf.address) ?? none
    const after = first.length > 0 ? [...leaf.after, ...first] : leaf.after
    const base = {
      address: leaf.address,
      kind: leaf.score.kind,
      after,
      spec: digest,
      parent: leaf.parent,
      renamedFrom,
      surplus: none,
      forced: false,
    }
    if (verdict.type === 'deferred') {
      this.#push(leaf, {
        ...base,
        action: 'deferred',
        differences: none,
        reasons: [verdict.reason],
        reactions: none,
        precondition: undefined,
        adopts: !record && this.#mayAdopt(leaf),
        records: true,
      })
      return
    }

    const forced = this.#replaces(leaf) && verdict.action !== 'create'
    const moved = renamedFrom !== undefined && record !== undefined && !claimsSame(record, leaf)
    let action: Action =
      forced || (first.length > 0 && verdict.action !== 'unchanged') ? 'replace' : verdict.action
    const differences = verdict.differences.length > 0 ? show(verdict.differences, verdict.resolved) : none
    const adopts = !record && verdict.action !== 'create' && first.length === 0
    const unchanged = verdict.action === 'unchanged'
    const reasons = this.#reasons(leaf, record, { renamedFrom, moved, forced, first, adopts, unchanged })

    if (adopts && verdict.action !== 'unchanged' && !this.#mayAdopt(leaf))
      this.conflicts.push({
        type: 'exists',
        address: leaf.address,
        message: 'exists, was not made by this project, and differs',
        hint: 'make the Score as it is there, take it over with adopt: true or --adopt (what was there is put back on removal), or remove it by hand',
        differences,
      })
    // The record's word counts as well: code that no longer says it does not lift it, and neither does the very change
    // that it is to prevent.
    const isProtected = record?.options.protect || (record && leaf.options.protect && !moved)
    if (isProtected && (action === 'replace' || moved))
      this.conflicts.push({
        type: 'protected',
        address: leaf.address,
        message: moved
          ? `is protected as ${renamedFrom}, which this change would remove`
          : 'is protected, and this change would replace it',
        hint: 'set protect: false and apply that first',
        differences,
      })
    const reactions =
      action === 'create' || Object.keys(leaf.options.reactions).length === 0
        ? none
        : dueReactions(leaf, record, (address) => this.#causeOf(address))
    if (action === 'unchanged' && reactions.length > 0) action = 'react'
    this.#push(leaf, {
      ...base,
      action,
      forced,
      differences,
      reasons,
      reactions,
      precondition:
        action === 'unchanged' || action === 'react' || first.length > 0
          ? undefined
          : preconditionOf(
              verdict.differences,
              verdict.resolved,
              this.#context.key,
              placeOf(verdict.definition, verdict.state),
            ),
      adopts,
      records:
        !record ||
        record.unfinished !== undefined ||
        renamedFrom !== undefined ||
        isOutdated(record, leaf, digest),
    })
  }

  #replaces({ address, parent }: Leaf): boolean {
    return this.#replaced.some((test) => test(address) || (parent !== undefined && test(parent)))
  }

  #mayAdopt(leaf: Leaf): boolean {
    const { definition, score, options } = leaf
    return options.adopt || this.#request.adopt === true || definition.standing?.(score.spec) === true
  }

  #push({ place }: Leaf, step: Step): void {
    this.steps.push(step)
    this.#byPlace[place] = step
  }

  #reasons(leaf: Leaf, record: LedgerRecord | undefined, at: Circumstances): readonly string[] {
    const { renamedFrom, moved, forced, first, adopts, unchanged } = at
    const reasons: string[] = []
    if (record?.unfinished) reasons.push('an earlier apply did not finish this')
    if (renamedFrom && !moved) reasons.push(`was ${renamedFrom}`)
    if (renamedFrom && moved)
      reasons.push(
        `moves from ${renamedFrom}, which ${record?.options.retain ? 'stays (retain)' : 'is removed afterwards'}`,
      )
    if (forced) reasons.push('asked for with --replace')
    for (const address of first) reasons.push(`takes the place of ${address}`)
    if (adopts)
      reasons.push(
        unchanged
          ? 'is there as wanted already: taken over'
          : 'is taken over; what is there now is put back on removal',
      )
    for (const option of ['protect', 'retain'] as const)
      if (record && record.options[option] !== leaf.options[option])
        reasons.push(`${option}: ${leaf.options[option]} from now on`)
    return reasons.length > 0 ? reasons : none
  }

  #causeOf(address: string): Cause | undefined {
    const place = this.#graph.leaves.get(address)?.place ?? -1
    const verdict = this.#verdicts[place]
    if (!verdict || verdict.type === 'failed') return undefined
    const step = this.#byPlace[place] // causes come before, so it is there
    const reacting = step?.action === 'react' || (step?.reactions.length ?? 0) > 0
    return {
      address,
      digest: verdict.digest,
      revision: (verdict.type === 'idle' ? verdict.revision : verdict.record?.revision) ?? 0,
      changing: isChanging(verdict) || reacting || step?.action === 'replace',
    }
  }

  #refuseForeignClaims(leaf: Leaf): void {
    if (!this.#foreign) return
    for (const claim of leaf.claims) {
      const rival = this.#foreign.rival(claim)
      if (!rival) continue
      const same = rival.project === this.#context.owner.project
      const owner =
        rival.topology === this.#context.topology.name
          ? `the project ${rival.project}`
          : `the project ${rival.project} (topology ${rival.topology})`
      this.conflicts.push({
        type: 'claimed',
        address: leaf.address,
        message: `claims ${describeClaim(claim)}, which ${owner} manages as ${rival.address}`,
        hint: same
          ? `if it is this very project, its harmony.lock is missing or was replaced: it had the lineage ${rival.lineage}`
          : 'remove it from one of the two projects',
        differences: none,
      })
    }
  }
}

function idleStep({ address, score, parent, after }: Leaf, digest: string): Step {
  return {
    address,
    kind: score.kind,
    action: 'unchanged',
    differences: none,
    reasons: none,
    reactions: none,
    after,
    precondition: undefined,
    spec: digest,
    parent,
    renamedFrom: undefined,
    adopts: false,
    records: false,
    forced: false,
    surplus: none,
  }
}

/** Whether the ledger must be rewritten although nothing on the host has to change. */
function isOutdated(record: LedgerRecord, leaf: Leaf, digest: string): boolean {
  return (
    record.digest !== digest ||
    !sameOptions(record.options, leaf.options) ||
    record.parent !== leaf.parent ||
    !sameList(record.after, leaf.after)
  )
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i])
}

function sameOptions(a: StoredOptions, b: StoredOptions): boolean {
  if (a === b) return true
  if (a.retain !== b.retain || a.protect !== b.protect || a.adopt !== b.adopt) return false
  return (
    sameList(a.after, b.after) &&
    sameList(a.formerly, b.formerly) &&
    JSON.stringify(a.reactions) === JSON.stringify(b.reactions)
  )
}

/** Whether a renamed Score still means the very same thing on the host. */
export function claimsSame(record: LedgerRecord, leaf: Pick<Leaf, 'claims'>): boolean {
  return JSON.stringify(record.claims) === JSON.stringify(leaf.claims)
}
