/**
 * Behind `defineScore` and `defineComposite`, types erased: the factory of one kind, and the Scores that it makes. A
 * Score with a mistake is made all the same and carries its issues, so that a project can tell all of them at once.
 */
import type * as z from 'zod'
import { HarmonyError, type Issue } from './errors.ts'
import { issuesOf } from './issues.ts'
import { rememberKind } from './kinds.ts'
import { hasLateValues, makeRef } from './late.ts'
import type { AnyScore, KindDefinition, ScoreInternals, StoredOptions } from './score.ts'

/** Options that belong to every kind; no field of a spec may have such a name. */
const optionNames = ['id', 'after', 'formerly', 'retain', 'protect', 'adopt', 'drift'] as const

/** What a kind is defined by, types erased. */
type Given = Omit<KindDefinition, 'spec'> & { readonly spec: z.ZodType | (() => z.ZodType) }

/** The factory behind {@link defineScore} and `defineComposite`, types erased. */
export function makeFactory(given: Given): unknown {
  const definition = withSchema(given)
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

/** With its schema made when it is asked for, if it is given as a function. */
function withSchema({ spec, ...rest }: Given): KindDefinition {
  refuseUnusable(rest)
  const checked = (schema: z.ZodType): z.ZodType => {
    refuseUnusableSpec(rest, schema)
    return schema
  }
  if (typeof spec !== 'function') return { ...rest, spec: checked(spec) }
  let made: z.ZodType | undefined
  return {
    ...rest,
    get spec() {
      made ??= checked(spec())
      return made
    },
  }
}

const noIssues: readonly Issue[] = Object.freeze([])

function makeScore(
  definition: KindDefinition,
  reactions: readonly string[],
  input: unknown,
  factory: (input: never) => unknown,
): AnyScore {
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
    issues: issues.length > 0 ? issues.map((issue) => ({ address: id, ...issue })) : noIssues,
    at: issues.length > 0 ? callSite(factory) : undefined,
    late: parsed.success && hasLateValues(parsed.data),
    children,
  }
  return new ScoreObject(definition, id, parsed.success ? parsed.data : written, options, internals) as never
}

/** A Score from parts that are valid already: what `decodeScore` stands on. */
export function reviveScore(definition: KindDefinition, spec: unknown, options: StoredOptions): AnyScore {
  const issues: Issue[] = []
  const children = definition.compose ? composeChildren(definition, spec, issues) : undefined
  const id = `${definition.kind}:${definition.identity(spec)}`
  return new ScoreObject(definition, id, spec, options, {
    definition,
    issues,
    at: undefined,
    late: hasLateValues(spec),
    children,
  }) as never
}

// A class, because ten thousand Scores with accessors of their own are slower to make and larger than with shared ones.
class ScoreObject {
  readonly kind: string
  readonly version: number
  readonly id: string
  readonly spec: unknown
  readonly options: StoredOptions
  readonly #internals: ScoreInternals

  constructor(
    definition: KindDefinition,
    id: string,
    spec: unknown,
    options: StoredOptions,
    internals: ScoreInternals,
  ) {
    this.kind = definition.kind
    this.version = definition.version
    this.id = id
    this.spec = spec
    this.options = options
    this.#internals = internals
    Object.freeze(this)
  }

  get '~score'(): ScoreInternals {
    return this.#internals
  }

  get out(): unknown {
    const address = this.id
    return new Proxy(
      {},
      { get: (_, output) => (typeof output === 'string' ? makeRef(address, output) : undefined) },
    )
  }
}

/** The options of a Score that has none. */
export const noOptions: StoredOptions = Object.freeze({
  after: [],
  formerly: [],
  retain: false,
  protect: false,
  adopt: false,
  reactions: {},
})

function splitOptions(
  input: unknown,
  reactions: readonly string[],
  issues: Issue[],
): { spec: unknown; options: StoredOptions } {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { spec: input, options: noOptions }
  const given = input as Record<string, unknown>
  let has = false
  for (const key in given)
    if ((optionNames as readonly string[]).includes(key) || reactions.includes(key)) has = true
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
      else
        issues.push({
          path: [],
          message: `${definition.kind}.compose returned something that is not a Score: ${typeof each}`,
        })
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

type Named = Pick<KindDefinition, 'kind' | 'version' | 'reactions'>

function unusable({ kind }: Named, message: string): HarmonyError {
  return new HarmonyError('invalid-value', `the kind ${kind}: ${message}`)
}

function refuseUnusable(kind: Named): void {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(kind.kind)) throw unusable(kind, 'the name of a kind is UpperCamelCase')
  if (!Number.isInteger(kind.version) || kind.version < 1)
    throw unusable(kind, 'version is an integer from 1')
}

function refuseUnusableSpec(kind: Named, schema: z.ZodType): void {
  const { shape } = schema as { shape?: Record<string, unknown> }
  const taken = [...optionNames, ...Object.keys(kind.reactions ?? {})]
  for (const field of Object.keys(shape ?? {}))
    if (taken.includes(field))
      throw unusable(kind, `the field ${field} has the name of an option; choose another`)
  const { def } = schema as { def?: { type?: string; catchall?: { def?: { type?: string } } } }
  if (def?.type === 'object' && def.catchall?.def?.type !== 'never')
    throw unusable(kind, 'the spec is not strict: use z.strictObject, so that a misspelt field is refused')
}
