/**
 * What a surface (the command line, an agent) gives to the engine and gets from it.
 */

import type { HarmonyError } from '../errors.ts'
import type { Emit, ErrorData, Outcome } from '../events.ts'
import type { Content, Secret } from '../late.ts'
import type { StateHome } from '../ledger/home.ts'
import type { Plan, ShownDifference } from '../plan/plan.ts'
import type { AnyScore } from '../score.ts'
import type { Topology } from '../topology.ts'

/** Where late values come from. */
export interface Sources {
  /**
   * The value of one secret that has a name.
   * @throws HarmonyError `secret-missing`, saying where it was looked for.
   */
  secret(secret: Secret & { readonly $secret: string }): Promise<string>
  /**
   * The content of a local file, by its path as written.
   * @throws HarmonyError `asset-unreadable`.
   */
  asset(path: string): Promise<Content>
}

/** The clock the engine uses; virtual in tests. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Who applies: written into the ledger as the owner of what is applied. */
export interface Owner {
  readonly project: string
  /** From `harmony.lock`; made at the first apply. Absent in a plan before that. */
  readonly lineage: string | undefined
}

/** How a maestro is made. */
export interface MaestroOptions {
  readonly owner: Owner
  readonly topology: Topology
  /** Asked for when the topology, once it is open, keeps no ledger itself. */
  readonly home: StateHome | (() => Promise<StateHome>)
  /** As given to `deploy`: composites not expanded. */
  readonly scores: readonly AnyScore[]
  readonly sources: Sources
  readonly emit: Emit
  readonly clock?: Clock
  /** For whoever finds the lock held: `root@kiosk, harmony apply, pid 4711`. */
  readonly holder: string
}

/** What is planned. */
export interface PlanRequest {
  /** Addresses or globs; what they depend on is included, and said. Empty: everything. */
  readonly targets?: readonly string[]
  readonly excludes?: readonly string[]
  /** Addresses whose things are made anew although they are as wanted. */
  readonly replace?: readonly string[]
  /** Take over what exists, is not ours and differs. */
  readonly adopt?: boolean
  /** Permit removing more than half of what the project owns. */
  readonly allowRemoval?: boolean
  /** Remove everything that the project owns on this topology. Implies `allowRemoval`. */
  readonly destroy?: boolean
  readonly signal?: AbortSignal
  /**
   * Called at most once, as soon as it is known that something is not as wanted: long before the plan is done, which goes
   * on when what this returns is settled.
   */
  readonly onChange?: () => Promise<void>
}

/** How a plan is carried out. */
export interface ApplyRequest {
  /** The lineage, when it was made only after the plan. */
  readonly lineage?: string
  /** Steps that run side by side. Default 10, and beside them 64 of kinds whose steps are light. */
  readonly parallel?: number
  /** Aborted: nothing new starts; what runs is finished. */
  readonly stop?: AbortSignal
  /** Aborted: what runs is aborted, process groups are killed. */
  readonly abort?: AbortSignal
}

/** What became of one step. */
export interface StepResult {
  readonly address: string
  readonly outcome: Outcome
  /** Whether anything was changed, also by a step that then failed. */
  readonly changed: boolean
  readonly durationMs: number
  readonly error: ErrorData | undefined
}

/** What became of a plan. */
export interface ApplyResult {
  readonly results: readonly StepResult[]
  /** Leaf Scores by outcome; those without a step of their own count as noop. */
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly changed: number
  readonly interrupted: boolean
  /** What ended the pass, when it was not a person: the lock is gone, and with it the connection. */
  readonly lost: HarmonyError | undefined
}

/** One thing that is no longer as it was last applied. */
export interface DriftEntry {
  readonly address: string
  readonly owner: { readonly project: string; readonly lineage: string }
  readonly topology: string
  /** `missing`: it is gone; `changed`: it differs; `unfinished`: a pass that was cut off; `unknown`: cannot be told. */
  readonly status: 'missing' | 'changed' | 'unfinished' | 'unknown'
  readonly differences: readonly ShownDifference[]
  readonly error: ErrorData | undefined
}

/** What drift found. */
export interface DriftReport {
  readonly entries: readonly DriftEntry[]
  readonly unchanged: number
}

/** What the ledger of a home holds, for `harmony show`. */
export interface LedgerEntry {
  readonly address: string
  readonly kind: string
  readonly project: string
  readonly lineage: string
  readonly topology: string
  readonly protect: boolean
  readonly retain: boolean
  readonly unfinished: boolean
  readonly spec: unknown
}

/** An owner of records in a ledger. */
export interface LedgerOwner {
  readonly project: string
  readonly lineage: string
  readonly topology: string
  readonly records: number
}

/** Plans and conducts a set of Scores on one topology. */
export interface Maestro {
  readonly topology: string
  /** Reads everything, writes nothing, takes no lock unless {@link lock} was called before. */
  plan(request?: PlanRequest): Promise<Plan>
  /**
   * Takes the lock. Tells whether the ledger is still as it was last read: a plan that was made before then stands as
   * if it had been made under the lock. Otherwise the ledger is read again, and the plan is to be made anew.
   */
  lock(options: { readonly waitMs: number; readonly signal?: AbortSignal }): Promise<boolean>
  /** Executes exactly this plan. Needs the lock, and a lineage. */
  apply(plan: Plan, request?: ApplyRequest): Promise<ApplyResult>
  /** Compares the specs last applied with reality: of the owner, or of all owners of the home. Writes nothing. */
  drift(request?: { readonly owners?: 'all' | 'own'; readonly signal?: AbortSignal }): Promise<DriftReport>
  /** Who has records in the ledger, and how many. */
  owners(): Promise<readonly LedgerOwner[]>
  /** What the ledger holds: of the owner, or of all. */
  entries(owners?: 'all' | 'own'): Promise<readonly LedgerEntry[]>
  /** Gives the lock back and closes the topology. Idempotent. */
  close(): Promise<void>
}
