/** What one maestro's plan, apply and drift share. */
import type { Emit } from '../events.ts'
import type { StateHome } from '../ledger/home.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import { recordKey } from '../ledger/record.ts'
import type { Topology } from '../topology.ts'
import type { Clock, Owner, Sources } from './contract.ts'

/** One topology, its ledger, and where everything else comes from. */
export interface Context {
  readonly owner: Owner
  readonly topology: Topology
  readonly home: StateHome
  readonly ledger: Ledger
  /** The key for digests of secrets, if the host has one. */
  readonly key: Uint8Array | undefined
  readonly sources: Sources
  readonly emit: Emit
  readonly clock: Clock
}

/** The records of this owner on this topology, by address. */
export function ownRecords({ ledger, owner, topology }: Context): ReadonlyMap<string, LedgerRecord> {
  const own = new Map<string, LedgerRecord>()
  for (const record of ledger.records.values())
    if (record.lineage === owner.lineage && record.topology === topology.name) own.set(record.address, record)
  return own
}

/** The records of everybody else on this host. */
export function foreignRecords({ ledger, owner, topology }: Context): readonly LedgerRecord[] {
  return [...ledger.records.values()].filter(
    (record) => record.lineage !== owner.lineage || record.topology !== topology.name,
  )
}

/** The key of this owner's record for an address. */
export function ownKey({ owner, topology }: Context, address: string): string {
  return recordKey({ lineage: owner.lineage ?? '', topology: topology.name, address })
}

/** The time and sleep of this process. */
export const processClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}
