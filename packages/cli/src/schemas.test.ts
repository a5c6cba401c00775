import { expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import type { CommandEvent } from './render/reporter.ts'
import { type CommandSchemas, commandEvents } from './schemas.ts'

test('every event that the code can emit has a schema', () => {
  expectTypeOf<keyof CommandSchemas | 'summary'>().toEqualTypeOf<CommandEvent['type']>()
  expect(Object.keys(commandEvents)).toContain('summary')
})

test('all schemas can be published as JSON Schema, and are strict', () => {
  for (const schema of Object.values(commandEvents)) {
    const published = z.toJSONSchema(schema, { io: 'output' })
    const branches = (published.oneOf ?? [published]) as {
      additionalProperties?: unknown
      required?: string[]
    }[]
    for (const branch of branches) {
      expect(branch.additionalProperties).toBe(false)
      expect(branch.required).toEqual(expect.arrayContaining(['type', 'time']))
    }
  }
})

test.each([
  [{ type: 'summary', command: 'plan', create: 1, update: 0, remove: 0, unchanged: 2 }, true],
  [{ type: 'summary', command: 'plan', create: 1 }, false],
  [
    {
      type: 'summary',
      command: 'apply',
      outcomes: { noop: 1, success: 0, failure: 0, blocked: 0 },
      changed: 0,
      durationMs: 3,
    },
    true,
  ],
  [{ type: 'summary', command: 'apply', create: 1, update: 0, remove: 0, unchanged: 2 }, false],
  [
    {
      type: 'error',
      code: 'usage',
      message: 'x',
      issues: [{ path: ['a', 0], message: 'y' }],
      data: { any: [1] },
    },
    true,
  ],
  [{ type: 'error', message: 'x' }, false],
])('%j', (event, valid) => {
  const schema = commandEvents[event.type]
  expect(schema?.safeParse({ ...event, time: '2026-01-01T00:00:00.000Z' }).success).toBe(valid)
})
