/** What one maestro's plan, apply and drift share. */
import type { Emit } from '../events.ts'
import type { StateHome } from '../ledger/home.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { LedgerRecord, RecordId } from '../ledger/record.ts'
import type { OwnedRecords } from '../ledger/records.ts'
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
export function ownRecords({ ledger, owner, topology }: Context): OwnedRecords {
  return ledger.records.of({ lineage: owner.lineage ?? '', topology: topology.name })
}

/** The records of everybody else on this host. */
export function foreignRecords({ ledger, owner, topology }: Context): readonly LedgerRecord[] {
  const foreign: LedgerRecord[] = []
  for (const owned of ledger.records.owned())
    if (owned.lineage !== owner.lineage || owned.topology !== topology.name) foreign.push(...owned.values())
  return foreign
}

/** Which record of the ledger is this owner's for an address. */
export function ownId({ owner, topology }: Context, address: string): RecordId {
  return { lineage: owner.lineage ?? '', topology: topology.name, address }
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
