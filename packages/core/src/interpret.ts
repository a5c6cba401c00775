/**
 * The contract that every kind of leaf Score keeps: how it is observed, compared, converged, removed and watched.
 * The engine is level-triggered: it looks, compares, acts, and looks again; it never asks an implementation whether
 * something "was created", and no verb may depend on an earlier one having run in the same process.
 */
import type { Json } from './canonical.ts'
import type { Claim } from './claims.ts'

/** One thing that is not as wanted. */
export interface Difference {
  /** The field of the spec (`mode`, `ports[0].host`); the empty path is the thing itself. */
  readonly path: string
  /** What is there; `null` where nothing is. */
  readonly from: Json
  /** What is wanted; `null` where nothing should be. */
  readonly to: Json
  /**
   * Set when time alone may make the difference go away (a service that is starting): how long it may take, in
   * milliseconds from the end of `converge`. Without it the difference is final.
   */
  readonly settleMs?: number
  /** Set when the thing must be replaced, not changed in place. `protect` refuses such a step. */
  readonly replaces?: true
}

/** The difference of a thing that does not exist yet: the step is then a creation. */
export function missing(what: Json): Difference {
  return { path: '', from: null, to: what }
}

/** Whether the thing itself is what is missing. */
export function isCreation(differences: readonly Difference[]): boolean {
  return differences.some((difference) => difference.path === '' && difference.from === null)
}

/** What `observe` may know besides the spec. */
export interface Look {
  readonly address: string
  /** Digest of the spec, with the content of its assets; without the values of its secrets. */
  readonly digest: string
  /** What `converge` last remembered for this Score, if the ledger has it. */
  readonly memory: Json | undefined
  readonly signal: AbortSignal
}

/** What `converge` and its companions may know and tell. */
export interface Run<State> extends Look {
  /** As observed just before, in the same step. */
  readonly state: State
  /** As compared just before. */
  readonly differences: readonly Difference[]
  /** One line about what is being done now. */
  progress(message: string, done?: number, total?: number): void
  /** Something that a person should know afterwards: what was left in place, and why. */
  note(message: string): void
  /** Output of a program that runs for this Score, as it comes. */
  output(stream: 'stdout' | 'stderr', text: string): void
  /** Something that an auditor wants to find later: what ran, as whom, with which result. */
  audit(entry: { readonly [key: string]: Json }): void
  /**
   * Says that from here on it waits more than it works, for one request that many share: others may start in its place,
   * however many steps are to run side by side, and join.
   */
  standBy(): void
  /** Kept in the ledger with the result of this step; {@link Look.memory} gives it back. */
  remember(memory: Json): void
}

/** What the ledger knows of a Score that is to be removed. */
export interface Applied<Spec> {
  readonly address: string
  /** As last applied, in wire form: its secrets and references are not resolved. */
  readonly spec: Spec
  /** What `keep` returned when the thing was adopted: to be put back. */
  readonly previous: Json | undefined
  readonly memory: Json | undefined
}

/** Something that is there although no Score wants it (see {@link Interpret.surplus}). */
export interface Surplus {
  readonly claim: Claim
  /** Changes when the thing is replaced by another one; compared again just before it is discarded. */
  readonly fingerprint: string
}

/** Ends a watch. */
export interface Watch extends AsyncDisposable {}

/**
 * How one kind of Score is interpreted. `Spec` is the resolved spec, `Wire` the spec as written, `N` what the kind
 * needs, `State` what `observe` finds.
 */
export interface Interpret<Spec, Wire, N, State, Status, O> {
  /**
   * Its steps are a few requests each, and wait more than they work: they take no slot from others, and more of them run
   * side by side (unless the user says how many steps may).
   */
  readonly light?: true
  /**
   * Reads reality; never writes. Absent is an answer, not an error. Write it first: its result types the rest. What needs
   * no waiting may be returned as it is: for thousands of small files promises would be most of what looking costs.
   */
  observe(spec: Spec, on: N, look: Look): State | Promise<State>
  /** Pure. Lists what is not as wanted; empty means converged. Say {@link missing} when the thing does not exist. */
  compare(spec: Spec, state: NoInfer<State>): readonly Difference[]
  /** Makes the differences go away. Safe to run twice and to die anywhere in between. */
  converge(spec: Spec, on: N, run: Run<NoInfer<State>>): Promise<void>
  /** Takes away what this Score put there, or puts back what was there before. Removing twice is fine. */
  remove(
    applied: Applied<Wire>,
    on: N,
    run: Omit<Run<undefined>, 'state' | 'differences' | 'digest'>,
  ): Promise<void>
  /**
   * Cleans up what a pass that was killed may have left (temporary files). Called before anything else for a Score
   * with unfinished work; the next `observe` tells the rest.
   */
  recover?(spec: Wire, on: N): Promise<void>
  /** Calls `wake` when reality may have changed. Carries no truth: the engine observes. */
  watch?(spec: Spec, on: N, wake: () => void): Promise<Watch>
  /** What must be kept of a thing that is not ours, so that `remove` can put it back. Called before its first change. */
  keep?(spec: Spec, on: N, state: NoInfer<State>): Promise<Json>
  /** Reads what is there although no Score wants it. The planner leaves out what any ledger on the host claims. */
  surplus?(spec: Spec, on: N, look: Look): Promise<readonly Surplus[]>
  /** Deletes exactly these; leaves alone what has changed since or is gone. Runs last among the Scores it contains. */
  discard?(
    surplus: readonly Surplus[],
    spec: Spec,
    on: N,
    run: Omit<Run<undefined>, 'state' | 'differences'>,
  ): Promise<void>
  /**
   * Why the differences that are left do not go away: the last lines of a unit's journal. Asked once, before a change
   * that did not lead to the wanted state fails; the lines stand in its error. What throws explains nothing.
   */
  explain?(
    spec: Spec,
    on: N,
    state: NoInfer<State>,
    differences: readonly Difference[],
  ): Promise<readonly string[]>
  /**
   * Where the thing stands, beyond what its spec says: the folder that a path really leads to. Part of what was shown:
   * a step that would act somewhere else by now is refused.
   */
  place?(state: NoInfer<State>): Json
  /** Typed values that other Scores may take as inputs. */
  outputs?(state: NoInfer<State>): O
  /** Typed details for people and machines: `{ sha256 }`, `{ since, restarts, health }`. */
  status?(state: NoInfer<State>): Status
  /** Changes when the thing has started anew (a unit's invocation, a container's start): satisfies its reactions. */
  incarnation?(state: NoInfer<State>): string | undefined
}
