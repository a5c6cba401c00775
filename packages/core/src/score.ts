/**
 * A Score is immutable plain data that describes a wanted end state; `defineScore` makes the factory of one kind.
 * What a Score needs is a phantom type, contravariant: a Score fits every topology that offers at least that.
 * Nothing is branded or registered for the types' sake, so two copies of this package fit each other.
 */
import type * as z from 'zod'
import type { Json } from './canonical.ts'
import type { Capability, Needs } from './capability.ts'
import type { Claim } from './claims.ts'
import type { Issue } from './errors.ts'
import type { Interpret, Run } from './interpret.ts'
import type { Refs, Resolved } from './late.ts'
import { makeFactory } from './make-score.ts'

/** A wanted end state that needs `N` of its topology and has the outputs `O`. */
export interface Score<in N, out O = unknown> {
  readonly kind: string
  readonly version: number
  /** The address within a deployment: `Kind:identity`. */
  readonly id: string
  /** As validated: defaults filled in, late values still references. */
  readonly spec: unknown
  readonly options: StoredOptions
  /** Outputs, to be used in the specs of other Scores. */
  readonly out: Refs<O>
  /** Type only. */
  readonly '~needs': (on: N) => void
  /** For the engine: what the factory knew. Not part of the wire form. */
  readonly '~score': ScoreInternals
}

/** Any Score, whatever it needs. */
export type AnyScore = Score<never>

/** What goes into `deploy`: Scores, conditions, and lists of them, nested as it suits. */
export type Scores<T> = Score<T> | false | undefined | readonly Scores<T>[]

/** Options that every kind of Score takes beside its own fields. */
export interface ScoreOptions {
  /** Runs only after these have succeeded. What a Score stands on is derived and need not be listed. */
  readonly after?: readonly AnyScore[]
  /** Earlier identities of this Score: a rename is then not a removal and a creation. */
  readonly formerly?: readonly string[]
  /** Leave the thing in place when the Score leaves the project. Kept in the ledger. Default false. */
  readonly retain?: boolean
  /** Refuse to remove or replace the thing. Kept in the ledger, so deleting the code does not lift it. Default false. */
  readonly protect?: boolean
  /** Take over a thing that exists, is not ours and differs; what was there is put back on removal. Default false. */
  readonly adopt?: boolean
}

/** The options as they are stored and sent: Scores by their addresses. */
export interface StoredOptions {
  readonly after: readonly string[]
  readonly formerly: readonly string[]
  readonly retain: boolean
  readonly protect: boolean
  readonly adopt: boolean
  /** For each reaction the addresses of its causes. */
  readonly reactions: Readonly<Record<string, readonly string[]>>
}

/** The options of a kind whose reactions are `R`: each reaction adds its own, `restartOn: [config]`. */
export type Options<R extends string> = [R] extends [never]
  ? ScoreOptions
  : ScoreOptions & { readonly [K in R]?: readonly AnyScore[] }

/** What the factory of one kind knows. */
export interface ScoreInternals {
  readonly definition: KindDefinition
  /** Problems of the spec; such a Score is refused with all others when the project is put together. */
  readonly issues: readonly Issue[]
  /** Where the Score was made (`harmony.ts:12:5`); looked up only for a Score that has issues. */
  readonly at: string | undefined
  /** Whether anything in the spec is known late only: a reference, a secret, an asset. */
  readonly late: boolean
  /** Children of a composite. */
  readonly children: readonly AnyScore[] | undefined
}

/** Says what to do when the author of a kind wrote `compare` above `observe`. */
export type ObserveFirst = 'write observe above compare and status: its result is their state'

/** The declaration of a kind, without its verbs. */
export interface Definition<Kind extends string, S extends z.ZodType, C extends readonly Capability[] | []> {
  /** `UpperCamelCase`, unique among the kinds of a program. */
  readonly kind: Kind
  /** Starts at 1; goes up when the shape of the spec changes. */
  readonly version: number
  /**
   * A strict object without transforms, so that it is its own wire form. Or a function that makes it, called when the
   * first Score of the kind is made: worth it in a package of many kinds, since schemas take time to build.
   */
  readonly spec: S | (() => S)
  /** The tokens of the capabilities it uses. */
  readonly needs: C
  /** What makes two Scores of this kind the same thing. From the spec as written, so never a late value. */
  identity(spec: z.output<S>): string
  /** What it owns. Two Scores that claim the same are refused. */
  claims?(spec: z.output<S>): readonly Claim[]
  /** What it stands on: it comes after whatever claims that. */
  uses?(spec: z.output<S>): readonly Claim[]
  /**
   * Whether the thing is known to exist without Harmony (a package's own service): then it is no conflict that it does,
   * and what was there is kept without being asked for.
   */
  standing?(spec: z.output<S>): boolean
  /**
   * Whether a converge that failed has left what cannot be observed (a program ran, and did half of its work), judged by
   * what it remembered: then the Score stays in the ledger although nothing is to be seen of it, so that its removal takes
   * that back.
   */
  unseen?(spec: z.output<S>, memory: Json | undefined): boolean
  /** What its removal destroys that no apply brings back, for whoever reads the plan: `all that is in it is lost`. */
  readonly lost?: string
  /**
   * Whether it runs a program that its author names, without needing a shell: what shuts out shells shuts out that too.
   * Left out: it does not.
   */
  programs?(spec: z.output<S>): boolean
  /**
   * What is listed after it in a deployment follows it, and is removed before it, also where no claim says so: a package
   * brings folders, users and services that its Score cannot name. Nothing is blocked when it fails.
   */
  readonly groundwork?: boolean
  /** Turns the spec of an earlier version into the next; called until the current version is reached. */
  upgrade?(spec: unknown, fromVersion: number): unknown
}

/** A kind at run time, its types erased. */
export interface KindDefinition {
  readonly kind: string
  readonly version: number
  readonly spec: z.ZodType
  readonly needs: readonly Capability[]
  identity(spec: unknown): string
  claims?(spec: unknown): readonly Claim[]
  uses?(spec: unknown): readonly Claim[]
  standing?(spec: unknown): boolean
  unseen?(spec: unknown, memory: Json | undefined): boolean
  readonly lost?: string
  programs?(spec: unknown): boolean
  readonly groundwork?: boolean
  upgrade?(spec: unknown, fromVersion: number): unknown
  /** Absent for composites. */
  readonly interpret?: Interpret<unknown, unknown, unknown, unknown, unknown, unknown>
  readonly reactions?: Readonly<
    Record<string, (spec: unknown, on: unknown, run: Run<unknown>) => Promise<void>>
  >
  compose?(spec: unknown): readonly Scores<never>[]
}

/** Makes Scores of one kind. */
export interface ScoreFactory<
  Kind extends string,
  Input,
  N,
  Status = undefined,
  O = unknown,
  R extends string = never,
> {
  (spec: Input & Options<R>): Score<N, O>
  readonly kind: Kind
  readonly version: number
  /** The typed details of a state that `observe` returned. */
  status(state: unknown): Status
  /** For tools: schema, needs and verbs, types erased. */
  readonly '~definition': KindDefinition
}

/**
 * Defines a kind of leaf Score and returns its factory. The factory validates at once, with all issues and their
 * paths; an invalid Score is refused with all others when its project is loaded, never earlier and never later.
 * @throws HarmonyError `invalid-value` when the definition itself is unusable (a field named like an option, say); of a
 *   schema that is given as a function it is the factory that throws.
 */
export function defineScore<
  const Kind extends string,
  S extends z.ZodType,
  C extends readonly Capability[] | [],
  const State = ObserveFirst,
  const Status = undefined,
  O = unknown,
  R extends string = never,
>(
  definition: Definition<Kind, S, C> & {
    readonly interpret: Interpret<Resolved<z.output<S>>, z.output<S>, Needs<C>, State, Status, O>
    readonly reactions?: {
      readonly [K in R]: (
        spec: Resolved<z.output<S>>,
        on: Needs<C>,
        run: Run<NoInfer<State>>,
      ) => Promise<void>
    }
  },
): ScoreFactory<Kind, z.input<S>, Needs<C>, Status, O, R> {
  return makeFactory(definition as never) as never
}
