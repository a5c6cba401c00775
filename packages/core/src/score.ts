/**
 * A Score is immutable plain data that describes a wanted end state; `defineScore` makes the factory of one kind.
 * What a Score needs is a phantom type, contravariant: a Score fits every topology that offers at least that.
 * Nothing is branded or registered for the types' sake, so two copies of this package fit each other.
 */
import * as z from 'zod'
import type { Capability, Needs } from './capability.ts'
import type { Claim } from './claims.ts'
import { HarmonyError, type Issue } from './errors.ts'
import type { Interpret, Run } from './interpret.ts'
import { issuesOf } from './issues.ts'
import { rememberKind } from './kinds.ts'
import { makeRef, type Refs, type Resolved } from './late.ts'

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
export type Options<R extends string> = [R] extends [never] ? ScoreOptions : ScoreOptions & { readonly [K in R]?: readonly AnyScore[] }

/** What the factory of one kind knows. */
export interface ScoreInternals {
  readonly definition: KindDefinition
  /** Problems of the spec; such a Score is refused with all others when the project is put together. */
  readonly issues: readonly Issue[]
  /** Where the Score was made (`harmony.ts:12:5`); looked up only for a Score that has issues. */
  readonly at: string | undefined
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
  /** A strict object without transforms, so that it is its own wire form. */
  readonly spec: S
  /** The tokens of the capabilities it uses. */
  readonly needs: C
  /** What makes two Scores of this kind the same thing. From the spec as written, so never a late value. */
  identity(spec: z.output<S>): string
  /** What it owns. Two Scores that claim the same are refused. */
  claims?(spec: z.output<S>): readonly Claim[]
  /** What it stands on: it comes after whatever claims that. */
  uses?(spec: z.output<S>): readonly Claim[]
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
  upgrade?(spec: unknown, fromVersion: number): unknown
  /** Absent for composites. */
  readonly interpret?: Interpret<unknown, unknown, unknown, unknown, unknown, unknown>
  readonly reactions?: Readonly<Record<string, (spec: unknown, on: unknown, run: Run<unknown>) => Promise<void>>>
  compose?(spec: unknown): readonly Scores<never>[]
}

/** Makes Scores of one kind. */
export interface ScoreFactory<Kind extends string, Input, N, Status = undefined, O = unknown, R extends string = never> {
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
 * @throws HarmonyError `invalid-value` when the definition itself is unusable (a field named like an option, say).
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
      readonly [K in R]: (spec: Resolved<z.output<S>>, on: Needs<C>, run: Run<NoInfer<State>>) => Promise<void>
    }
  },
): ScoreFactory<Kind, z.input<S>, Needs<C>, Status, O, R> {
  return makeFactory(definition as never) as never
}

/** Options that belong to every kind; no field of a spec may have such a name. */
export const optionNames = ['id', 'after', 'formerly', 'retain', 'protect', 'adopt', 'drift'] as const

/** The factory behind {@link defineScore} and `defineComposite`, types erased. */
export function makeFactory(definition: KindDefinition): unknown {
  refuseUnusable(definition)
  const { kind, version } = definition
  const reactions = Object.keys(definition.reactions ?? {})
  const factory = (input: unknown) => makeScore(definition, reactions, input, factory)
  Object.defineProperties(factory, {
    kind: { value: kind, enumerable: true },
    version: { value: version, enumerable: true },
    status: { value: (state: unknown) => definition.interpret?.status?.(state) },
    '~definition': { value: definition },
  })
  rememberKind(definition)
  return factory
}

function makeScore(definition: KindDefinition, reactions: readonly string[], input: unknown, factory: (input: never) => unknown): AnyScore {
  const issues: Issue[] = []
  const { spec: written, options } = splitOptions(input, reactions, issues)
  const parsed = definition.spec.safeParse(written)
  let id = `${definition.kind}:?`
  let children: readonly AnyScore[] | undefined
  if (!parsed.success) {
    issues.push(...issuesOf(parsed.error, written))
    const guess = identityOfInvalid(definition, written)
    if (guess) id = `${definition.kind}:${guess}`
  } else {
    id = `${definition.kind}:${definition.identity(parsed.data)}`
    if (definition.compose) children = composeChildren(definition, parsed.data, issues)
  }
  const internals: ScoreInternals = {
    definition,
    issues: issues.length > 0 ? issues.map((issue) => ({ address: id, ...issue })) : issues,
    at: issues.length > 0 ? callSite(factory) : undefined,
    children,
  }
  return new ScoreObject(definition, id, parsed.success ? parsed.data : written, options, internals) as never
}

/** A Score from parts that are valid already: what `decodeScore` stands on. */
export function reviveScore(definition: KindDefinition, spec: unknown, options: StoredOptions): AnyScore {
  const issues: Issue[] = []
  const children = definition.compose ? composeChildren(definition, spec, issues) : undefined
  const id = `${definition.kind}:${definition.identity(spec)}`
  return new ScoreObject(definition, id, spec, options, { definition, issues, at: undefined, children }) as never
}

// A class, because ten thousand Scores with accessors of their own are slower to make and larger than with shared ones.
class ScoreObject {
  readonly kind: string
  readonly version: number
  readonly id: string
  readonly spec: unknown
  readonly options: StoredOptions
  declare readonly '~score': ScoreInternals

  constructor(definition: KindDefinition, id: string, spec: unknown, options: StoredOptions, internals: ScoreInternals) {
    this.kind = definition.kind
    this.version = definition.version
    this.id = id
    this.spec = spec
    this.options = options
    Object.defineProperty(this, '~score', { value: internals })
    Object.freeze(this)
  }

  get out(): unknown {
    const address = this.id
    return new Proxy({}, { get: (_, output) => (typeof output === 'string' ? makeRef(address, output) : undefined) })
  }
}

/** The options of a Score that has none. */
export const noOptions: StoredOptions = Object.freeze({ after: [], formerly: [], retain: false, protect: false, adopt: false, reactions: {} })

function splitOptions(input: unknown, reactions: readonly string[], issues: Issue[]): { spec: unknown; options: StoredOptions } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { spec: input, options: noOptions }
  const given = input as Record<string, unknown>
  let has = false
  for (const key in given) if ((optionNames as readonly string[]).includes(key) || reactions.includes(key)) has = true
  if (!has) return { spec: input, options: noOptions }

  const spec: Record<string, unknown> = {}
  const causes: Record<string, readonly string[]> = {}
  const options: { -readonly [K in keyof StoredOptions]: StoredOptions[K] } = { ...noOptions }
  for (const [key, value] of Object.entries(given)) {
    if (reactions.includes(key)) causes[key] = addresses(value, key, issues)
    else if (!(optionNames as readonly string[]).includes(key)) spec[key] = value
    else if (value === undefined) continue
    else if (key === 'after') options.after = addresses(value, key, issues)
    else if (key === 'formerly') {
      if (Array.isArray(value) && value.every((each) => typeof each === 'string')) options.formerly = value
      else issues.push({ path: [key], message: 'must be a list of earlier identities' })
    } else if (key === 'retain' || key === 'protect' || key === 'adopt') {
      if (typeof value === 'boolean') options[key] = value
      else issues.push({ path: [key], message: 'must be true or false' })
    } else issues.push({ path: [key], message: `${key} is reserved and not in use yet` })
  }
  options.reactions = causes
  return { spec, options }
}

function addresses(value: unknown, key: string, issues: Issue[]): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    issues.push({ path: [key], message: 'must be a list of Scores' })
    return []
  }
  return value.flatMap((score: unknown, i) => {
    if (typeof score === 'object' && score !== null && '~score' in score) return [(score as AnyScore).id]
    issues.push({ path: [key, i], message: 'must be a Score' })
    return []
  })
}

function composeChildren(definition: KindDefinition, spec: unknown, issues: Issue[]): readonly AnyScore[] {
  const children: AnyScore[] = []
  const collect = (list: readonly unknown[]): void => {
    for (const each of list) {
      if (each === false || each === undefined || each === null) continue
      if (Array.isArray(each)) collect(each)
      else if (typeof each === 'object' && '~score' in each) children.push(each as AnyScore)
      else issues.push({ path: [], message: `${definition.kind}.compose returned something that is not a Score: ${typeof each}` })
    }
  }
  collect(definition.compose?.(spec) ?? [])
  return children
}

function identityOfInvalid(definition: KindDefinition, written: unknown): string | undefined {
  try {
    const guess = definition.identity(written)
    return typeof guess === 'string' ? guess : undefined
  } catch {
    return undefined // the field that makes the identity is what is wrong
  }
}

/** The first frame above the factory, as `file:line:column`. */
function callSite(factory: (input: never) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, factory)
  const frame = holder.stack?.split('\n')[1]
  return frame?.match(/\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/)?.[1]
}

function refuseUnusable(definition: KindDefinition): void {
  const fail = (message: string): never => {
    throw new HarmonyError('invalid-value', `the kind ${definition.kind}: ${message}`)
  }
  if (!/^[A-Z][A-Za-z0-9]*$/.test(definition.kind)) fail('the name of a kind is UpperCamelCase')
  if (!Number.isInteger(definition.version) || definition.version < 1) fail('version is an integer from 1')
  const shape = (definition.spec as { shape?: Record<string, unknown> }).shape
  const taken = [...optionNames, ...Object.keys(definition.reactions ?? {})]
  for (const field of Object.keys(shape ?? {})) if (taken.includes(field)) fail(`the field ${field} has the name of an option; choose another`)
  const object = (definition.spec as unknown as { def?: { type?: string; catchall?: { def?: { type?: string } } } }).def
  if (object?.type === 'object' && object.catchall?.def?.type !== 'never') fail('the spec is not strict: use z.strictObject, so that a misspelt field is refused')
}
