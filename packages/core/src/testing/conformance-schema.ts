/** What the conformance kit asks of a kind's schema, and how it finds its way in one. */
import * as z from 'zod'
import { canonical } from '../canonical.ts'
import type { AnyScore, KindDefinition } from '../score.ts'
import { decodeScore, encodeScore, type SerializedScore } from '../wire.ts'
import { demand, NonConforming } from './demand.ts'

interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly $defs?: Readonly<Record<string, JsonSchema>>
}

/** The JSON Schema of what may be written, as `harmony schema` publishes it. */
export function publishedSchema({ kind, spec }: KindDefinition): JsonSchema {
  try {
    return z.toJSONSchema(spec, { io: 'input' }) as JsonSchema
  } catch (thrown) {
    throw new NonConforming(`the schema of ${kind} has no JSON Schema: ${String(thrown)}`, thrown)
  }
}

/**
 * The fields of a schema: `mode`, `ports[].host`, `env`. A field ends where its value is a late one (`$secret`, `$ref`),
 * text, a number, or a list or record of those.
 */
export function fieldsOf(schema: JsonSchema): readonly string[] {
  const found = new Set<string>()
  const visit = (each: JsonSchema, path: string): boolean => {
    const fields = Object.entries(each.properties ?? {})
    if (fields.some(([name]) => name.startsWith('$'))) return false
    const inner = [...(each.anyOf ?? []), ...(each.oneOf ?? []), ...(each.allOf ?? [])]
    let deeper = false
    for (const [name, field] of fields) {
      deeper = true
      const at = path === '' ? name : `${path}.${name}`
      if (!visit(field, at)) found.add(at)
    }
    for (const branch of inner) deeper = visit(branch, path) || deeper
    if (each.items) deeper = visit(each.items, `${path}[]`) || deeper
    if (typeof each.additionalProperties === 'object')
      deeper = visit(each.additionalProperties, `${path}.*`) || deeper
    return deeper
  }
  visit(schema, '')
  return [...found].sort()
}

/** Refuses any object of a schema that takes fields it does not know. */
export function demandStrict(definition: KindDefinition): void {
  const visit = (each: JsonSchema, path: string): void => {
    if (each.properties)
      demand(
        each.additionalProperties === false,
        `${path || 'the spec'} takes fields that it does not know; use z.strictObject`,
      )
    for (const [name, field] of Object.entries(each.properties ?? {}))
      visit(field, path === '' ? name : `${path}.${name}`)
    for (const branch of [...(each.anyOf ?? []), ...(each.oneOf ?? []), ...(each.allOf ?? [])])
      visit(branch, path)
    if (each.items) visit(each.items, `${path}[]`)
    if (typeof each.additionalProperties === 'object') visit(each.additionalProperties, `${path}.*`)
    for (const [name, inner] of Object.entries(each.$defs ?? {})) visit(inner, name)
  }
  visit(publishedSchema(definition), '')
}

/** Refuses a schema that gives back something else than it was given: trims, coerces, transforms. */
export function demandUnchanging({ kind, spec: schema }: KindDefinition, spec: unknown): void {
  for (const variant of [spec, ...variants(spec)]) {
    const first = schema.safeParse(variant)
    if (!first.success) continue
    const second = schema.safeParse(first.data)
    demand(second.success, `the schema of ${kind} refuses what it gave back: ${canonical(first.data)}`)
    demand(
      canonical(first.data) === canonical(second.data),
      `parsing twice gives ${canonical(second.data)} instead of ${canonical(first.data)}`,
    )
    for (const [field, given] of Object.entries(variant as Record<string, unknown>)) {
      if (given === undefined) continue
      const back = canonical((first.data as Record<string, unknown>)[field] ?? null)
      demand(
        canonical(given) === back,
        `the schema of ${kind} changes ${field}: ${canonical(given)} comes back as ${back}`,
      )
    }
  }
}

/** Refuses a Score that is another one after a journey as JSON. */
export function demandRoundTrip(score: AnyScore): void {
  const sent = encodeScore(score)
  const received = decodeScore(JSON.parse(JSON.stringify(sent)) as SerializedScore)
  demand(
    canonical(encodeScore(received)) === canonical(sent),
    `${score.id} is another one after its journey: ${canonical(encodeScore(received))} instead of ${canonical(sent)}`,
  )
}

/** Refuses an identity that depends on what is known late. */
export function demandEarlyIdentity({ kind, spec: schema, identity }: KindDefinition, spec: unknown): void {
  const own = identity(spec)
  demand(own !== '' && !/\[object |undefined|null/.test(own), `the identity of ${kind} is "${own}"`)
  for (const field of Object.keys(spec as Record<string, unknown>))
    for (const late of [{ $ref: 'Other:one', output: 'value' }, { $secret: 'name' }]) {
      const changed = { ...(spec as Record<string, unknown>), [field]: late }
      if (!schema.safeParse(changed).success) continue
      demand(
        identity(changed) === own,
        `the identity of ${kind} depends on ${field}, which may be known late; do not take it into the identity`,
      )
    }
}

// What careless schemas accept and change.
const odd: readonly unknown[] = [' padded ', '42', 42, 'true', true, null, '', 'UPPER', '2026-01-01']

function* variants(spec: unknown): Generator<unknown> {
  if (typeof spec !== 'object' || spec === null) return
  for (const [field, value] of Object.entries(spec))
    for (const other of odd) {
      yield { ...spec, [field]: other }
      if (typeof value === 'string') yield { ...spec, [field]: ` ${value} ` }
    }
}
