import { expectTypeOf, test } from 'vitest'
import type * as z from 'zod'
import { engineEventSchemas } from './event-schemas.ts'
import type { EngineEvent } from './events.ts'

type Schemas = typeof engineEventSchemas

/** On the wire what is `undefined` is absent: a member that may be `undefined` is one that may be missing. */
type Wire<T> = T extends readonly (infer E)[]
  ? readonly Wire<E>[]
  : T extends (...args: never) => unknown
    ? T
    : T extends object
      ? unknown extends T
        ? T
        : { readonly [K in keyof T as undefined extends T[K] ? never : K]: Wire<T[K]> } & {
            readonly [K in keyof T as undefined extends T[K] ? K : never]?: Wire<T[K]> | undefined
          }
      : T

test('there is a schema for each type of event, and no other', () => {
  expectTypeOf<keyof Schemas>().toEqualTypeOf<EngineEvent['type']>()
})

test('each schema describes its event, no more and no less', () => {
  type Mismatch = {
    [K in keyof Schemas]: [Wire<z.output<Schemas[K]>>] extends [Wire<Extract<EngineEvent, { type: K }>>]
      ? [Wire<Extract<EngineEvent, { type: K }>>] extends [Wire<z.output<Schemas[K]>>]
        ? never
        : { missing: K }
      : { surplus: K }
  }[keyof Schemas]
  expectTypeOf<Mismatch>().toEqualTypeOf<never>()
})

test('an event with a field that nobody knows is refused', ({ expect }) => {
  const event = { type: 'started', topology: 'here', address: 'File:/a', action: 'create' }
  expect(engineEventSchemas.started.safeParse(event).success).toBe(true)
  expect(engineEventSchemas.started.safeParse({ ...event, extra: 1 }).success).toBe(false)
})
