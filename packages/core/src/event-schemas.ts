/**
 * The schemas of the events, published as JSON Schema by `harmony schema event`. Apart from `events.ts`, because only
 * whoever publishes or checks them needs a schema library; a type test keeps the two equal.
 */
import * as z from 'zod'
import type { Json } from './canonical.ts'

const json: z.ZodType<Json, Json> = z.json() as never
const texts = z.array(z.string()).readonly()
const count = z.int().min(0)

const claim = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('path'), path: z.string() }).readonly(),
  z.strictObject({ type: z.literal('tree'), path: z.string() }).readonly(),
  z.strictObject({ type: z.literal('part'), path: z.string(), part: z.string() }).readonly(),
  z.strictObject({ type: z.literal('name'), space: z.string(), name: z.string() }).readonly(),
])

const action = z.enum([
  'create',
  'update',
  'replace',
  'react',
  'remove',
  'forget',
  'purge',
  'deferred',
  'unchanged',
])
const outcome = z.enum(['noop', 'success', 'failure', 'blocked'])

const difference = z
  .strictObject({
    path: z.string(),
    from: json,
    to: json,
    settling: z.boolean(),
    replaces: z.boolean(),
    masked: z.boolean(),
  })
  .readonly()
/** Of what differs: the same in plans, results and drift. */
export const differencesSchema = z.array(difference).readonly()

const issue = z
  .strictObject({
    address: z.string().optional(),
    path: z.array(z.union([z.string(), z.number()])).readonly(),
    message: z.string(),
  })
  .readonly()

const errorFields = {
  code: z.string(),
  message: z.string(),
  address: z.string().optional(),
  hint: z.string().optional(),
  issues: z.array(issue).readonly().optional(),
  data: z.record(z.string(), z.unknown()).readonly().optional(),
}
/** Of an error as data. */
export const errorSchema = z.strictObject(errorFields).readonly()
/** Its fields, for events that are errors themselves. */
export const errorShape: typeof errorFields = errorFields

const stepFields = {
  address: z.string(),
  kind: z.string(),
  action,
  differences: differencesSchema,
  reasons: texts,
  reactions: z.array(z.strictObject({ name: z.string(), causes: texts }).readonly()).readonly(),
  after: texts,
  precondition: z.string().optional(),
  spec: z.string(),
  parent: z.string().optional(),
  renamedFrom: z.string().optional(),
  adopts: z.boolean(),
  records: z.boolean(),
  forced: z.boolean(),
  surplus: z.array(z.strictObject({ claim, fingerprint: z.string() }).readonly()).readonly(),
}

const about = { topology: z.string(), address: z.string() }

/** The schema of each event of the engine, by its type. What is `undefined` in memory is absent on the wire. */
export const engineEventSchemas = {
  topology: z.strictObject({
    type: z.literal('topology'),
    topology: z.string(),
    status: z.enum(['opening', 'waiting', 'ready', 'unreachable']),
    message: z.string(),
  }),
  step: z.strictObject({ type: z.literal('step'), topology: z.string(), ...stepFields }),
  conflict: z.strictObject({
    type: z.literal('conflict'),
    ...about,
    conflict: z.enum(['exists', 'protected', 'mass-removal', 'claimed', 'unknown-kind', 'reference']),
    message: z.string(),
    hint: z.string(),
    differences: differencesSchema,
  }),
  unobservable: z.strictObject({
    type: z.literal('unobservable'),
    ...about,
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }),
  note: z.strictObject({
    type: z.literal('note'),
    topology: z.string(),
    address: z.string().optional(),
    message: z.string(),
  }),
  started: z.strictObject({ type: z.literal('started'), ...about, action }),
  progress: z.strictObject({
    type: z.literal('progress'),
    ...about,
    message: z.string(),
    done: z.number().optional(),
    total: z.number().optional(),
  }),
  output: z.strictObject({
    type: z.literal('output'),
    ...about,
    stream: z.enum(['stdout', 'stderr']),
    text: z.string(),
  }),
  settling: z.strictObject({ type: z.literal('settling'), ...about, paths: texts, timeoutMs: z.number() }),
  reaction: z.strictObject({ type: z.literal('reaction'), ...about, reaction: z.string(), causes: texts }),
  finished: z.strictObject({
    type: z.literal('finished'),
    ...about,
    action,
    outcome,
    durationMs: z.number(),
    error: errorSchema.optional(),
    differences: differencesSchema,
  }),
  audit: z.strictObject({ type: z.literal('audit'), ...about, entry: z.record(z.string(), json).readonly() }),
}

/** Of how many Scores became what. */
export const outcomesSchema = z
  .strictObject({ noop: count, success: count, failure: count, blocked: count })
  .readonly()
