import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepest } from './limits.ts'
import { readStrictJson, writeStrictJson } from './strict-json.ts'

test('what is written is read', () => {
  const zeroOnce = (value: unknown) => JSON.parse(JSON.stringify(value))
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'))
      expect(readStrictJson(writeStrictJson(value), 1e6)).toEqual({ value: zeroOnce(value) })
    }),
  )
})

describe('is refused', () => {
  test.each([
    ['a member that is there twice', '{"a":1,"a":2}', 'canonical'],
    ['a member that is there twice, spelt in two ways', '{"a":1,"\\u0061":1}', 'canonical'],
    ['a member named __proto__', '{"a":{"__proto__":{"b":1}}}', '__proto__'],
    ['white space', '{"a": 1}', 'canonical'],
    ['a line break at the end', '{}\n', 'canonical'],
    ['members in another order', '{"b":1,"a":1}', 'canonical'],
    ['another spelling of a number', '[1.0]', 'canonical'],
    ['minus zero', '[-0]', 'canonical'],
    ['a number that is not exact', '[9007199254740993]', 'canonical'],
    ['a number that is too large', '[1e999]', 'cannot say exactly'],
    ['half of a surrogate pair', '["\\ud800"]', 'cannot say exactly'],
    ['a byte order mark', '\ufeff{}', 'not JSON'],
    ['a comment', '{}//', 'not JSON'],
    ['nothing', '', 'not JSON'],
    ['two documents', '{}{}', 'not JSON'],
    ['what is cut off', '{"a":', 'not JSON'],
    ['nesting without end', '['.repeat(100_000), 'not JSON'],
    ['deep nesting', '['.repeat(deepest + 1) + ']'.repeat(deepest + 1), 'levels deep'],
    ['very deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), 'levels deep'],
  ])('%s', (_, text, detail) => {
    expect(readStrictJson(Buffer.from(text), 1e6)).toEqual({
      flaw: 'garbled',
      detail: expect.stringContaining(detail),
    })
  })
  test('what is not UTF-8', () => {
    expect(readStrictJson(Buffer.from([0x22, 0xff, 0x22]), 10)).toMatchObject({ detail: 'it is not UTF-8' })
    // The overlong form of a slash.
    expect(readStrictJson(Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 10)).toMatchObject({
      detail: 'it is not UTF-8',
    })
  })
  test('what is too large, before a byte of it is looked at', () => {
    expect(readStrictJson(Buffer.alloc(11, 0xff), 10)).toEqual({ flaw: 'too-large', size: 11, limit: 10 })
  })
})

test('nesting is taken as deep as the limit says', () => {
  const text = '['.repeat(deepest) + ']'.repeat(deepest)
  expect(readStrictJson(Buffer.from(text), 1e6)).toHaveProperty('value')
})
