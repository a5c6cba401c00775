/**
 * Turns a spec as written into what `interpret` sees: secrets fetched, assets opened, outputs filled in. Which fields
 * may hold a secret is read from the kind's schema once; fields of such a type arrive as `Sensitive`, also when this
 * project put a plain value there.
 */
import type * as z from 'zod'
import { digest } from '../canonical.ts'
import { HarmonyError } from '../errors.ts'
import {
  type Content,
  isAsset,
  isBytes,
  isRef,
  isSecret,
  isSecretable,
  mask,
  type Secret,
  sensitive,
} from '../late.ts'
import type { AnyScore, KindDefinition } from '../score.ts'
import type { Sources } from './contract.ts'

/** A spec ready to be interpreted. */
export interface ResolvedSpec {
  readonly spec: unknown
  /** Names of the spec's fields that hold a secret here. */
  readonly tainted: ReadonlySet<string>
  /** Replaces every secret of this spec in a text. */
  redact(text: string): string
}

/** An output that a reference asks for is not known yet: the Score that gives it is to change first. */
export class NotYetKnown extends HarmonyError {
  constructor(address: string, output: string) {
    super('unresolved-reference', `the output ${output} of ${address} is not known yet`, { address })
  }
}

/** Gives the value of an output, or throws {@link NotYetKnown}. */
export type Outputs = (address: string, output: string) => Promise<unknown>

const nothingTainted: ReadonlySet<string> = new Set()
const asIs = (text: string) => text
/** Stands in for a spec that is of no further use. */
export const nothingResolved: ResolvedSpec = { spec: undefined, tainted: nothingTainted, redact: asIs }

/** Resolves a spec. Stays synchronous for a spec without late values, as most of thousands are. */
export function resolveSpec(
  { spec, '~score': { definition, late } }: AnyScore,
  sources: Sources,
  outputs: Outputs,
): ResolvedSpec | Promise<ResolvedSpec> {
  const shape = shapeOf(definition.spec)
  if (!late) return { spec: shape ? wrap(spec, shape) : spec, tainted: nothingTainted, redact: asIs }
  return resolveLate(spec, shape, sources, outputs)
}

/**
 * The digest of a spec with the content of its assets, but without its secrets' values. `known` is a spec whose digest
 * is known, usually the one last applied: comparing is cheaper than digesting, and nearly always they are equal.
 */
export function digestOfSpec(
  { spec, '~score': { definition, late } }: AnyScore,
  sources: Sources,
  known?: { readonly version: number; readonly spec: unknown; readonly digest: string },
): string | Promise<string> {
  const paths = late ? assetsOf(spec) : noPaths
  if (paths.size > 0) return digestWithAssets(definition, spec, paths, sources)
  if (known?.version === definition.version && JSON.stringify(known.spec) === JSON.stringify(spec))
    return known.digest
  // Specs do not change, and each is asked for twice: for the plan, and when the step is carried out.
  const before = typeof spec === 'object' && spec !== null ? digests.get(spec) : undefined
  if (before !== undefined) return before
  const made = digest([definition.kind, definition.version, spec])
  if (typeof spec === 'object' && spec !== null) digests.set(spec, made)
  return made
}

const digests = new WeakMap<object, string>()

async function digestWithAssets(
  { kind, version }: KindDefinition,
  spec: unknown,
  paths: ReadonlySet<string>,
  sources: Sources,
): Promise<string> {
  return digest([kind, version, spec, await factsOf(paths, sources)])
}

/** What the assets of a spec are now; `undefined` when it has none. */
export async function assetFacts(
  { spec, '~score': { late } }: AnyScore,
  sources: Sources,
): Promise<AssetFacts | undefined> {
  const paths = late ? assetsOf(spec) : noPaths
  return paths.size > 0 ? await factsOf(paths, sources) : undefined
}

type AssetFacts = Readonly<Record<string, { readonly sha256: string; readonly size: number }>>

async function factsOf(paths: ReadonlySet<string>, sources: Sources): Promise<AssetFacts> {
  const facts: Record<string, { readonly sha256: string; readonly size: number }> = {}
  for (const path of paths) {
    const { sha256, size } = await sources.asset(path)
    facts[path] = { sha256, size }
  }
  return facts
}

/** Where in a schema a secret is allowed. `undefined` as a whole: nowhere. */
type Shape = 'secretable' | { readonly fields: readonly Field[] } | { readonly each: Shape }
interface Field {
  readonly name: string
  readonly shape: Shape
}

const shapes = new WeakMap<z.ZodType, Shape | 'none'>()

function shapeOf(schema: z.ZodType): Shape | undefined {
  let shape = shapes.get(schema)
  if (shape === undefined) {
    shape = findSecretable(schema) ?? 'none'
    shapes.set(schema, shape)
  }
  return shape === 'none' ? undefined : shape
}

function findSecretable(schema: z.ZodType): Shape | undefined {
  if (isSecretable(schema)) return 'secretable'
  const { def } = schema as unknown as { def: Record<string, unknown> & { type: string } }
  switch (def.type) {
    case 'object': {
      const fields: Field[] = []
      for (const [name, field] of Object.entries(def.shape as Record<string, z.ZodType>)) {
        const shape = findSecretable(field)
        if (shape) fields.push({ name, shape })
      }
      return fields.length > 0 ? { fields } : undefined
    }
    case 'array': {
      const each = findSecretable(def.element as z.ZodType)
      return each && { each }
    }
    case 'record': {
      const each = findSecretable(def.valueType as z.ZodType)
      return each && { each }
    }
    case 'optional':
    case 'nullable':
    case 'default':
    case 'readonly':
    case 'nonoptional':
      return findSecretable(def.innerType as z.ZodType)
    case 'union': {
      // Of objects that exclude each other: what any of them allows. `wrap` passes over what a value does not have.
      const fields = new Map<string, Field>()
      for (const option of def.options as readonly z.ZodType[]) {
        const shape = findSecretable(option)
        if (shape && shape !== 'secretable' && 'fields' in shape)
          for (const field of shape.fields) fields.set(field.name, field)
        else if (shape) return shape
      }
      return fields.size > 0 ? { fields: [...fields.values()] } : undefined
    }
    default:
      return undefined
  }
}

/** Wraps the plain values of fields that may hold a secret. */
function wrap(value: unknown, shape: Shape): unknown {
  if (value === undefined || value === null) return value
  if (shape === 'secretable') return isWrapped(value) ? value : sensitive(value, false)
  if (typeof value !== 'object') return value
  if ('each' in shape) {
    if (Array.isArray(value)) return value.map((each) => wrap(each, shape.each))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, wrap(each, shape.each)]))
  }
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) }
  for (const field of shape.fields)
    if (field.name in copy) copy[field.name] = wrap(copy[field.name], field.shape)
  return copy
}

function isWrapped(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '~sensitive' in value
}

async function resolveLate(
  spec: unknown,
  shape: Shape | undefined,
  sources: Sources,
  outputs: Outputs,
): Promise<ResolvedSpec> {
  const revealed: string[] = []
  const tainted = new Set<string>()
  const secretValue = async (secret: Secret): Promise<string> => {
    const { $secret } = secret
    if (typeof $secret === 'string') {
      const value = await sources.secret({ ...secret, $secret })
      revealed.push(value)
      return value
    }
    let text = ''
    for (const piece of $secret) text += typeof piece === 'string' ? piece : await secretValue(piece)
    return text
  }
  const visit = async (value: unknown, field: string): Promise<unknown> => {
    if (typeof value !== 'object' || value === null) return value
    if (isSecret(value)) {
      tainted.add(field)
      return sensitive(await secretValue(value))
    }
    if (isRef(value)) {
      if (!value.$text) return await outputs(value.$ref, value.output)
      let text = ''
      for (const piece of value.$text)
        text += String(isRef(piece) ? await outputs(piece.$ref, piece.output) : piece)
      return text
    }
    if (isAsset(value)) return (await sources.asset(value.$asset)) satisfies Content
    if (isBytes(value)) return new Uint8Array(Buffer.from(value.$bytes, 'base64'))
    if (Array.isArray(value)) return await Promise.all(value.map((each) => visit(each, field)))
    const copy: Record<string, unknown> = {}
    for (const [key, each] of Object.entries(value)) copy[key] = await visit(each, field === '' ? key : field)
    return copy
  }
  const resolved = await visit(spec, '')
  // Programs print a secret line by line, or without its last line break. Longest first, so that a secret that contains
  // another one is masked whole. Very short ones would mask everything.
  const parts = revealed.flatMap((value) => [
    value,
    value.trim(),
    ...value.split('\n').map((line) => line.trim()),
  ])
  const secrets = [...new Set(parts)].filter((part) => part.length >= 4).sort((a, b) => b.length - a.length)
  return {
    spec: shape ? wrap(resolved, shape) : resolved,
    tainted,
    redact:
      secrets.length === 0
        ? asIs
        : (text) => secrets.reduce((done, value) => done.replaceAll(value, mask), text),
  }
}

/**
 * The same spec, with the fields that held a secret when it was last applied counted as secret too: what stands there
 * now is that secret still, although the new spec says plain text.
 */
export function alsoTainted(
  resolved: ResolvedSpec,
  record: { readonly spec: unknown } | undefined,
): ResolvedSpec {
  if (typeof record?.spec !== 'object' || record.spec === null) return resolved
  let tainted: Set<string> | undefined
  for (const [field, value] of Object.entries(record.spec)) {
    if (typeof value !== 'object' || !holdsSecret(value)) continue
    tainted ??= new Set(resolved.tainted)
    tainted.add(field)
  }
  return tainted ? { ...resolved, tainted } : resolved
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isSecret(value) || Object.values(value).some(holdsSecret)
}

const noPaths: ReadonlySet<string> = new Set()

function assetsOf(value: unknown): ReadonlySet<string> {
  let found: Set<string> | undefined
  const visit = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return
    if (isAsset(each)) {
      found ??= new Set()
      found.add(each.$asset)
    } else for (const key in each) visit((each as Record<string, unknown>)[key])
  }
  visit(value)
  return found ?? noPaths
}
