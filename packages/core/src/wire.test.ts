import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { defineScore } from './score.ts'
import { decodeScore, encodeScore } from './wire.ts'

const interpret = {
  observe: async () => ({}),
  compare: () => [],
  converge: async () => undefined,
  remove: async () => undefined,
}
const Wired = defineScore({
  kind: 'Wired',
  version: 3,
  needs: [],
  spec: z.strictObject({ name: z.string(), size: z.number().optional() }),
  identity: (spec) => spec.name,
  upgrade: (spec, from) => {
    const { title, ...rest } = spec as { title?: string }
    return from === 1 ? { ...rest, name: title } : rest.constructor === Object ? spec : spec
  },
  interpret,
})
const travel = (value: unknown) => JSON.parse(JSON.stringify(value)) as never

test('a round trip is identity', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
      fc.boolean(),
      (name, size, protect) => {
        const score = Wired({
          name,
          ...(size === undefined ? {} : { size: size === 0 ? 0 : size }),
          protect,
          formerly: ['x'],
        })
        const wire = travel(encodeScore(score))
        expect(encodeScore(decodeScore(wire))).toEqual(wire)
      },
    ),
  )
})

test('an older version is upgraded step by step', () => {
  const wire = { ...encodeScore(Wired({ name: 'a' })), version: 1, spec: { title: 'a' } }
  expect(decodeScore(wire).spec).toEqual({ name: 'a' })
})

describe('refuses', () => {
  const wire = encodeScore(Wired({ name: 'a' }))
  test.each([
    ['a kind that is not known here', { ...wire, kind: 'Nobody' }, 'unknown-kind'],
    ['a newer version', { ...wire, version: 4 }, 'unknown-version'],
    ['an unknown field', { ...wire, spec: { name: 'a', extra: 1 } }, 'invalid-spec'],
    ['the spec of another Score', { ...wire, spec: { name: 'b' } }, 'invalid-spec'],
  ])('%s', (_, bad, code) => {
    expect(() => decodeScore(bad)).toThrow(expect.objectContaining({ code }))
  })
  test('a prototype that came with the JSON', () => {
    const bad = JSON.parse('{"name":"a","__proto__":{"size":1}}') as unknown
    expect(() => decodeScore({ ...wire, spec: bad })).toThrow(
      expect.objectContaining({ code: 'invalid-spec' }),
    )
  })
})
