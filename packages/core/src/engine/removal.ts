/**
 * What left the project: in which order it goes, and what forbids it.
 *
 * Dependents go before what they depended on. A removal waits for everything that is created in the same plan, since
 * that may be what replaces it; but what claims the same as something wanted (the same path, port or name) goes first.
 */
import { claimKey } from '../claims.ts'
import { kindOf } from '../kinds.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import { ClaimIndex, type Graph } from '../plan/graph.ts'
import type { Conflict, Step } from '../plan/plan.ts'
import type { PlanRequest } from './contract.ts'

/** Steps that take something away, and what they mean for the others. */
export interface Removals {
  readonly steps: readonly Step[]
  readonly conflicts: readonly Conflict[]
  readonly notes: readonly string[]
  /** For each wanted leaf the addresses of removals that must come first. */
  readonly before: ReadonlyMap<string, readonly string[]>
}

const none: readonly never[] = Object.freeze([])

/**
 * Plans the removal of records that no Score stands for any more. `owned` counts all records of the owner; `recordOf`
 * tells that of a wanted leaf.
 */
export function planRemovals(
  left: readonly LedgerRecord[],
  graph: Graph,
  owned: number,
  request: PlanRequest,
  recordOf: (address: string) => LedgerRecord | undefined,
): Removals {
  const conflicts: Conflict[] = []
  const notes: string[] = []
  const before = new Map<string, string[]>()
  const gone = new Set(left.map((record) => record.address))
  const dependents = new Map<string, string[]>()
  for (const record of left)
    for (const each of record.after) if (gone.has(each)) push(dependents, each, record.address)

  const inTheWay = new Map(
    left.map((record) => [record.address, record.options.retain ? none : rivals(record, graph)] as const),
  )
  const early = withWhatGoesBefore(inTheWay, dependents)
  const former = formerDependents(gone, graph, recordOf)

  // What makes room for something wanted at the same place is replaced, not taken away.
  let removed = 0
  const steps = sortForRemoval(left, dependents).map((record): Step => {
    const forget = record.options.retain
    const conflict = refusal(record)
    if (conflict) conflicts.push(conflict)
    const replacing = inTheWay.get(record.address) ?? none
    for (const rival of replacing) push(before, rival, record.address)
    if (!forget && replacing.length === 0) removed++
    return {
      address: record.address,
      kind: record.kind,
      action: forget ? 'forget' : 'remove',
      differences: none,
      reasons: [
        request.destroy ? 'the project is destroyed' : 'is no longer in the project',
        ...(forget ? ['retain: it stays where it is'] : none),
        ...(forget || record.previous !== undefined ? none : lossOf(record)),
        ...(record.previous !== undefined && !forget ? ['what was there before is put back'] : none),
        ...(record.unfinished ? ['an earlier apply did not finish this'] : none),
      ],
      reactions: none,
      after: [
        ...(dependents.get(record.address) ?? none),
        ...(early.has(record.address) ? none : (former.get(record.address) ?? none)),
      ],
      precondition: undefined,
      spec: record.digest,
      parent: record.parent,
      renamedFrom: undefined,
      adopts: false,
      forced: false,
      records: true,
      surplus: none,
    }
  })

  const empty = graph.order.length === 0 && owned > 0
  if (removed > 0 && !request.destroy && !request.allowRemoval && (removed * 2 > owned || empty))
    conflicts.push({
      type: 'mass-removal',
      address: '',
      message: empty
        ? `the project is empty, so all ${removed} of its things would be removed`
        : `${removed} of the ${owned} things of this project would be removed`,
      hint: 'if that is what you want, say --allow-removal (or: harmony destroy)',
      differences: none,
    })
  return { steps, conflicts, notes, before }
}

/** What may be removed, and of what left the project whatever stands on that: it would be left without its ground. */
export function withDependents(
  left: readonly LedgerRecord[],
  mayRemove: (record: LedgerRecord) => boolean,
): readonly LedgerRecord[] {
  const chosen = new Set(left.filter(mayRemove).map((record) => record.address))
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size
    for (const record of left) if (record.after.some((each) => chosen.has(each))) chosen.add(record.address)
  }
  return left.filter((record) => chosen.has(record.address))
}

function refusal(record: LedgerRecord): Conflict | undefined {
  if (record.options.protect)
    return {
      type: 'protected',
      address: record.address,
      message: 'is protected and would be removed',
      hint: 'put the Score back with protect: false, apply, and remove it then',
      differences: none,
    }
  if (!record.options.retain && !kindOf(record.kind))
    return {
      type: 'unknown-kind',
      address: record.address,
      message: `cannot be removed, since the kind ${record.kind} is not known here`,
      hint: `import the package that defines ${record.kind} in the project file`,
      differences: none,
    }
  return undefined
}

/** Removals that make room, and those that come before them: wanted leaves wait for these, so these wait for none. */
function withWhatGoesBefore(
  inTheWay: ReadonlyMap<string, readonly string[]>,
  dependents: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const early = new Set<string>()
  const open: string[] = []
  for (const [address, rivals] of inTheWay) if (rivals.length > 0) open.push(address)
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (early.has(address)) continue
    early.add(address)
    open.push(...(dependents.get(address) ?? none))
  }
  return early
}

/** For each removal the wanted leaves that stood on it when they were last applied: they let go of it first. */
function formerDependents(
  gone: ReadonlySet<string>,
  graph: Graph,
  recordOf: (address: string) => LedgerRecord | undefined,
): ReadonlyMap<string, readonly string[]> {
  const former = new Map<string, string[]>()
  // Nearly always nothing is removed, and the records of thousands need not be looked at.
  if (gone.size === 0) return former
  for (const { address } of graph.order)
    for (const each of recordOf(address)?.after ?? none) if (gone.has(each)) push(former, each, address)
  return former
}

/** Wanted leaves that claim the same as a record. */
function rivals(record: LedgerRecord, graph: Graph): readonly string[] {
  const found = new Set<string>()
  for (const claim of record.claims) {
    const rival = graph.index.rival(claim)
    if (rival) found.add(rival.address)
  }
  if (found.size > 0 || record.claims.every((claim) => claim.type !== 'tree')) return [...found]
  // A tree may collide with several.
  const mine = new ClaimIndex<{ address: string; claims: LedgerRecord['claims'] }>()
  mine.add(record)
  for (const leaf of graph.order)
    if (
      leaf.claims.some(
        (claim) => mine.rival(claim) ?? record.claims.some((own) => claimKey(own) === claimKey(claim)),
      )
    )
      found.add(leaf.address)
  return [...found]
}

/** Dependents first. Records form no cycle, but a damaged ledger must not make this hang: each is entered once. */
function sortForRemoval(
  left: readonly LedgerRecord[],
  dependents: ReadonlyMap<string, readonly string[]>,
): readonly LedgerRecord[] {
  const byAddress = new Map(left.map((record) => [record.address, record]))
  const entered = new Set<string>()
  const order: LedgerRecord[] = []
  for (const start of [...left].reverse()) {
    if (entered.has(start.address)) continue
    entered.add(start.address)
    const stack = [{ record: start, next: 0 }]
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const dependent = dependents.get(top.record.address)?.[top.next++]
      if (dependent === undefined) {
        order.push(top.record)
        stack.pop()
        continue
      }
      const record = byAddress.get(dependent)
      if (!record || entered.has(dependent)) continue
      entered.add(dependent)
      stack.push({ record, next: 0 })
    }
  }
  return order
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

/** What goes with a thing of ours for good. */
function lossOf({ kind }: LedgerRecord): readonly string[] {
  const lost = kindOf(kind)?.lost
  return lost === undefined ? none : [lost]
}
