/** The schemas of everything that `--json` prints: the events of the engine, and those of the command line. */
import {
  differencesSchema,
  engineEventSchemas,
  errorSchema,
  errorShape,
  outcomesSchema,
} from '@harmony-iac/core/event-schemas'
import * as z from 'zod'

const count = z.int().min(0)
const counts = { create: count, update: count, remove: count, unchanged: count }
const deeds = { outcomes: outcomesSchema, changed: count, durationMs: count }
const summary = { type: z.literal('summary') }

/** By type, before they get their time. */
const events = {
  ...engineEventSchemas,
  compiled: z.strictObject({
    type: z.literal('compiled'),
    file: z.string(),
    verdict: z.enum(['fresh', 'cached', 'skipped']),
    durationMs: z.number(),
  }),
  warning: z.strictObject({ type: z.literal('warning'), message: z.string() }),
  drift: z.strictObject({
    type: z.literal('drift'),
    address: z.string(),
    owner: z.strictObject({ project: z.string(), lineage: z.string() }).readonly(),
    topology: z.string(),
    status: z.enum(['missing', 'changed', 'unfinished', 'unknown']),
    differences: differencesSchema,
    error: errorSchema.optional(),
  }),
  examined: z.strictObject({
    type: z.literal('examined'),
    topology: z.string().optional(),
    host: z.string(),
    means: z.enum(['topology', 'ssh', 'container', 'this-machine']),
    user: z.string(),
    uid: count,
  }),
  finding: z.strictObject({
    type: z.literal('finding'),
    topology: z.string().optional(),
    host: z.string(),
    concern: z.enum(['ledger', 'files', 'services', 'users', 'packages', 'containers', 'system', 'agent']),
    status: z.enum(['ok', 'limited', 'missing']),
    needed: z.boolean(),
    problems: z
      .array(
        z
          .strictObject({
            code: z.enum([
              'no-files',
              'not-root',
              'no-flock',
              'unwritable',
              'read-only',
              'disk-full',
              'no-systemd',
              'no-bus',
              'no-programs',
              'no-engine',
              'engine-denied',
              'engine-silent',
              'engine-old',
              'no-apt',
              'clock',
              'architecture',
            ]),
            message: z.string(),
            hint: z.string(),
            data: z.record(z.string(), z.unknown()).readonly(),
          })
          .readonly(),
      )
      .readonly(),
  }),
  error: z.strictObject({ type: z.literal('error'), topology: z.string().optional(), ...errorShape }),
}

const time = z.iso.datetime()

/** The schema of a line of `--json`, by its type. */
export const commandEvents: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(Object.entries(events).map(([type, schema]) => [type, schema.extend({ time })])),
  summary: z.discriminatedUnion('command', [
    z.strictObject({ ...summary, time, command: z.literal('plan'), ...counts }),
    z.strictObject({ ...summary, time, command: z.literal('drift'), ...counts }),
    z.strictObject({ ...summary, time, command: z.literal('apply'), ...deeds }),
    z.strictObject({ ...summary, time, command: z.literal('destroy'), ...deeds }),
    z.strictObject({ ...summary, time, command: z.literal('check'), ok: z.boolean() }),
    z.strictObject({
      ...summary,
      time,
      command: z.literal('doctor'),
      ok: count,
      limited: count,
      missing: count,
      unreachable: count,
    }),
    z.strictObject({ ...summary, time, command: z.enum(['init', 'graph', 'show', 'schema']) }),
    // The words after `harmony` were not understood.
    z.strictObject({ ...summary, time, command: z.literal('') }),
  ]),
}

/** The types of event that are the command line's own, for the test that keeps them equal to the code. */
export type CommandSchemas = typeof events
