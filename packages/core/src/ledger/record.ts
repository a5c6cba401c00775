/**
 * What the ledger knows: one record for each Score that is applied, or was about to be, on one host, whoever applied it.
 */
import type { Json } from '../canonical.ts'
import type { Claim } from '../claims.ts'
import type { KindDefinition, StoredOptions } from '../score.ts'
import { upgradeSpec } from '../wire.ts'

/** Work that was begun and whose end is not recorded. */
export interface Unfinished {
  readonly step: 'converge' | 'remove'
}

/** The causes a reaction last ran with. */
export interface ReactionRecord {
  /** Digest over the causes: their addresses, specs and revisions. */
  readonly causes: string
  /** The incarnation that ran then, if the kind has one. */
  readonly incarnation: string | undefined
}

/** Identifies an owner's record among all of a host. */
export interface RecordId {
  /** The owner is a project by its lineage, and which of its topologies. */
  readonly lineage: string
  readonly topology: string
  readonly address: string
}

/** One Score on one host, as last applied. */
export interface LedgerRecord extends RecordId {
  /** The name of the project. */
  readonly project: string
  readonly kind: string
  readonly version: number
  /** In wire form. */
  readonly spec: unknown
  /** Of the spec with its assets, without its secrets' values. */
  readonly digest: string
  readonly options: StoredOptions
  readonly claims: readonly Claim[]
  /** Addresses that came before it; removal goes the other way. */
  readonly after: readonly string[]
  readonly parent: string | undefined
  /** Goes up with every change that is begun, so that no reaction is lost between the change and a crash. */
  readonly revision: number
  readonly reactions: Readonly<Record<string, ReactionRecord>>
  /** What the assets of the spec were, by their paths as written. */
  readonly assets: Readonly<Record<string, { readonly sha256: string; readonly size: number }>> | undefined
  /** What was there before an adoption. */
  readonly previous: Json | undefined
  readonly memory: Json | undefined
  readonly unfinished: Unfinished | undefined
}

/**
 * What the memory of a kind is worth: nothing after work whose end is not recorded. A job may have run with another
 * spec since, or may have been undone.
 */
export function reliableMemory(
  record: Pick<LedgerRecord, 'memory' | 'unfinished'> | undefined,
): Json | undefined {
  return record?.unfinished ? undefined : record?.memory
}

/**
 * Whether a removal was cut off that may have put back what was there before. Then a thing that is not as wanted may
 * be that very thing, and the copy of it gone.
 */
export function isHalfPutBack(record: Pick<LedgerRecord, 'previous' | 'unfinished'> | undefined): boolean {
  return record?.unfinished?.step === 'remove' && record.previous !== undefined
}

/**
 * The spec of a record in the current version of its kind.
 * @throws HarmonyError `unknown-version`.
 */
export function specOf(definition: KindDefinition, { address, kind, version, spec }: LedgerRecord): unknown {
  return upgradeSpec(definition, { id: address, kind, version, spec })
}

/** The members in which a record differs from what it was: what the end of a step has to write. */
export function changedMembers(before: LedgerRecord, after: LedgerRecord): Partial<LedgerRecord> {
  const changed: Record<string, unknown> = {}
  for (const member of Object.keys(after) as (keyof LedgerRecord)[]) {
    const [was, is] = [before[member], after[member]]
    if (was === is) continue
    if (typeof was === 'object' && typeof is === 'object' && JSON.stringify(was) === JSON.stringify(is))
      continue
    changed[member] = is
  }
  return changed
}

/** One entry of the journal. */
export type JournalEntry =
  /** The record is as given from now on. */
  | { readonly put: LedgerRecord }
  /** Only these members of an existing record change: the end of a step. */
  | { readonly patch: Partial<LedgerRecord>; readonly of: RecordId }
  /** The record is gone. */
  | { readonly drop: RecordId }
