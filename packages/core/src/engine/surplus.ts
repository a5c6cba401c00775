/**
 * What is in a folder that is to be kept pure, although nobody wants it: listed by the kind, reduced by what any ledger
 * on the host or any Score of the deployment claims.
 */
import { type Claim, claimKey, describeClaim, folderOf } from '../claims.ts'
import { toHarmonyError } from '../errors.ts'
import type { Surplus } from '../interpret.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import type { Claimant, Graph } from '../plan/graph.ts'
import type { Conflict, PlanFailure, ShownDifference, Step } from '../plan/plan.ts'
import type { Verdicts } from './classify.ts'
import { type Context, ownId } from './context.ts'

const none: readonly never[] = Object.freeze([])

/** Tells whether a path belongs to somebody, seen from one folder that is kept pure. */
export class Belongings {
  /** Claimed paths, and every folder above them. */
  readonly #needed = new Set<string>()
  readonly #claimed = new Map<string, Claimant>()
  readonly #trees = new Set<string>()

  constructor(claimants: Iterable<Claimant>) {
    for (const claimant of claimants)
      for (const claim of claimant.claims) {
        if (claim.type === 'name') continue
        if (claim.type === 'tree') this.#trees.add(claim.path)
        this.#claimed.set(claim.path, claimant)
        for (let at = claim.path; !this.#needed.has(at); at = folderOf(at)) this.#needed.add(at)
      }
  }

  /** Of what a folder's kind listed, what nobody wants: not claimed, and not below what somebody else claims. */
  unwanted(surplus: readonly Surplus[], folder: Claimant): readonly Surplus[] {
    return surplus.filter(({ claim }) => claim.type !== 'name' && !this.#isWanted(claim, folder))
  }

  #isWanted(claim: Exclude<Claim, { type: 'name' }>, folder: Claimant): boolean {
    if (this.#needed.has(claim.path)) return true
    // The nearest claim above decides: what is below another managed folder is that folder's business.
    for (let at = folderOf(claim.path); ; at = folderOf(at)) {
      const owner = this.#claimed.get(at)
      if (owner) return owner.address !== folder.address || this.#trees.has(at)
      if (at === '/') return false
    }
  }
}

/** What is to be purged, and what stands against it. */
export interface Purges {
  readonly steps: readonly Step[]
  readonly conflicts: readonly Conflict[]
  readonly failures: readonly PlanFailure[]
}

/** Steps that delete what nobody wants in folders that are kept pure; last in each folder. */
export async function planPurges(
  context: Context,
  graph: Graph,
  verdicts: Verdicts,
  removals: readonly Step[],
  { adopt = false, signal }: { readonly adopt: boolean | undefined; readonly signal: AbortSignal },
): Promise<Purges> {
  const steps: Step[] = []
  const conflicts: Conflict[] = []
  const failures: PlanFailure[] = []
  let belongings: Belongings | undefined
  for (const leaf of graph.order) {
    const verdict = verdicts[leaf.place]
    const surplusOf = leaf.definition.interpret?.surplus
    if (!surplusOf || verdict?.type !== 'seen' || verdict.action === 'create') continue
    const look = { address: leaf.address, digest: verdict.digest, memory: verdict.record?.memory, signal }
    let found: readonly Surplus[]
    try {
      found = await surplusOf(verdict.resolved.spec, context.topology, look)
    } catch (thrown) {
      const { code, message, hint } = toHarmonyError(thrown)
      failures.push({ address: leaf.address, code, message, hint })
      continue
    }
    if (found.length === 0) continue
    for (const step of removals)
      if (step.action === 'forget' && found.some(({ claim }) => isOf(claim, recordOf(context, step.address))))
        conflicts.push({
          type: 'exists',
          address: step.address,
          message: `is retained, but ${leaf.address} keeps its folder pure and would delete it in the next apply`,
          hint: `exclude it from ${leaf.address}, or give up retain`,
          differences: none,
        })
    belongings ??= new Belongings([...graph.order, ...context.ledger.records.values()])
    const unwanted = belongings.unwanted(found, leaf)
    if (unwanted.length === 0) continue
    // A folder that was there before may hold anything: photographs, a home. Nothing of that comes back.
    if (!verdict.record && !adopt && !leaf.options.adopt)
      conflicts.push({
        type: 'exists',
        address: leaf.address,
        message: `was there before this project, and ${unwanted.length === 1 ? 'one thing' : `${unwanted.length} things`} in it would be deleted for good`,
        hint: 'leave purge off, exclude what is to stay, or say adopt: true (or --adopt) if all of it may go',
        differences: unwanted.slice(0, 10).map(deletion),
      })
    const folder = leaf.claims[0]
    const inside = folder && folder.type !== 'name' ? `${folder.path === '/' ? '' : folder.path}/` : undefined
    const within = (claims: readonly { type: string; path?: string }[]) =>
      inside !== undefined && claims.some((claim) => claim.path?.startsWith(inside))
    steps.push({
      address: `${leaf.address}#surplus`,
      kind: leaf.score.kind,
      action: 'purge',
      differences: none,
      reasons: [`nobody on this host claims ${unwanted.length === 1 ? 'this' : 'these'}`],
      reactions: none,
      after: [
        leaf.address,
        ...graph.order
          .filter((other) => verdicts[other.place] && other !== leaf && within(other.claims))
          .map((other) => other.address),
        ...removals
          .filter((step) => within(recordOf(context, step.address)?.claims ?? none))
          .map((step) => step.address),
      ],
      precondition: undefined,
      spec: verdict.digest,
      parent: leaf.parent,
      renamedFrom: undefined,
      adopts: false,
      forced: false,
      records: false,
      surplus: unwanted,
    })
  }
  return { steps, conflicts, failures }
}

function recordOf(context: Context, address: string): LedgerRecord | undefined {
  return context.ledger.records.get(ownId(context, address))
}

function isOf(claim: Claim, record: LedgerRecord | undefined): boolean {
  return record?.claims.some((own) => claimKey(own) === claimKey(claim)) === true
}

function deletion({ claim }: Surplus): ShownDifference {
  return {
    path: describeClaim(claim),
    from: 'not wanted',
    to: null,
    settling: false,
    replaces: false,
    masked: false,
  }
}
