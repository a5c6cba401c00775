/**
 * How records stand in a snapshot: owners once, defaults left out. A host with ten thousand Scores reads its ledger
 * before every pass, so its size is start-up time.
 */
import { noOptions } from '../make-score.ts'
import type { LedgerRecord } from './record.ts'

type Owner = Pick<LedgerRecord, 'project' | 'lineage' | 'topology'>
type PackedRecord = Partial<Omit<LedgerRecord, keyof Owner>> & { readonly owner: number }

/** Records in their packed form. */
export interface Packed {
  readonly owners: readonly Owner[]
  readonly records: readonly PackedRecord[]
}

const none: readonly never[] = Object.freeze([])
const noReactions = Object.freeze({})

/** Packs records. */
export function pack(records: readonly LedgerRecord[]): Packed {
  const owners: Owner[] = []
  const numbers = new Map<string, number>()
  const numberOf = ({ project, lineage, topology }: Owner): number => {
    const key = `${lineage} ${topology} ${project}`
    let number = numbers.get(key)
    if (number === undefined) {
      number = owners.push({ project, lineage, topology }) - 1
      numbers.set(key, number)
    }
    return number
  }
  return {
    records: records.map(({ project, lineage, topology, options, claims, after, reactions, ...rest }) => ({
      owner: numberOf({ project, lineage, topology }),
      ...rest,
      ...(isDefault(options) ? undefined : { options }),
      ...(claims.length > 0 ? { claims } : undefined),
      ...(after.length > 0 ? { after } : undefined),
      ...(Object.keys(reactions).length > 0 ? { reactions } : undefined),
    })),
    owners,
  }
}

/** The records that were packed. */
export function unpack({ owners, records }: Packed): readonly LedgerRecord[] {
  return records.map((packed) => {
    const { project, lineage, topology } = owners[packed.owner] as Owner
    // Written out, member by member: records of one shape are faster to read for everything that follows.
    return {
      project,
      lineage,
      topology,
      address: packed.address as string,
      kind: packed.kind as string,
      version: packed.version as number,
      spec: packed.spec,
      digest: packed.digest as string,
      options: packed.options ?? noOptions,
      claims: packed.claims ?? none,
      after: packed.after ?? none,
      parent: packed.parent,
      revision: packed.revision as number,
      reactions: packed.reactions ?? noReactions,
      assets: packed.assets,
      previous: packed.previous,
      memory: packed.memory,
      unfinished: packed.unfinished,
    }
  })
}

function isDefault({ after, formerly, retain, protect, adopt, reactions }: LedgerRecord['options']): boolean {
  return (
    after.length === 0 &&
    formerly.length === 0 &&
    !retain &&
    !protect &&
    !adopt &&
    Object.keys(reactions).length === 0
  )
}
