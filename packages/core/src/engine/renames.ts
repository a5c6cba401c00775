/**
 * Which record of the ledger a renamed Score goes on from. Decided once for a plan: an earlier identity that is itself
 * wanted, or that another Score has taken, is nobody's past.
 */
import type { LedgerRecord } from '../ledger/record.ts'
import type { OwnedRecords } from '../ledger/records.ts'
import type { Graph } from '../plan/graph.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { Conflict } from '../plan/plan.ts'

/** Records by the leaf that goes on from them under another address. */
export interface Renames {
  readonly records: ReadonlyMap<string, LedgerRecord>
  readonly conflicts: readonly Conflict[]
}

/** Finds the renames of a plan. */
export function findRenames(graph: Graph, own: OwnedRecords): Renames {
  const records = new Map<string, LedgerRecord>()
  const conflicts: Conflict[] = []
  const takenBy = new Map<string, string>()
  for (const leaf of graph.order) {
    if (leaf.options.formerly.length === 0 || own.has(leaf.address)) continue
    for (const address of formerAddresses(leaf)) {
      const record = own.get(address)
      if (!record || record.kind !== leaf.score.kind || graph.leaves.has(address)) continue
      const other = takenBy.get(address)
      if (other !== undefined) {
        conflicts.push({
          type: 'claimed',
          address: leaf.address,
          message: `says that it was ${address}, and so does ${other}`,
          hint: 'one of the two is new: take formerly away from it',
          differences: [],
        })
        continue
      }
      takenBy.set(address, leaf.address)
      records.set(leaf.address, record)
      break
    }
  }
  return { records, conflicts }
}

function formerAddresses({ options, score }: Leaf): readonly string[] {
  return options.formerly.map((former) =>
    /^[A-Z][A-Za-z0-9]*:/.test(former) ? former : `${score.kind}:${former}`,
  )
}
