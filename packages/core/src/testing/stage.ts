/** Where a conformance kit plays: a topology whose writes are counted and can be the last, and that can be looked at whole. */
import type { Clock } from '../engine/contract.ts'
import type { StateHome } from '../ledger/home.ts'
import type { Topology } from '../topology.ts'
import type { Faults } from './faults.ts'
import type { Snapshot } from './simulated-disk.ts'

/** A topology for tests. `SimulatedTopology` is one; a topology of your own becomes one with these four members. */
export interface Stage extends Topology {
  readonly home: StateHome
  /** Everything that writes passes through these, the home included. See `Faults.port`. */
  readonly faults: Faults
  /** Default: the time of the process. */
  readonly clock?: Clock
  /** Everything that a kind of Score could change, times and identities aside; not the ledger. */
  snapshot(): Snapshot | Promise<Snapshot>
  /** What Harmony keeps for itself: the ledger, copies of what was adopted. Empty before the first apply and after destroy. */
  residue(): readonly string[] | Promise<readonly string[]>
  /** Takes away what the stage itself has put somewhere. */
  dispose?(): void | Promise<void>
}
