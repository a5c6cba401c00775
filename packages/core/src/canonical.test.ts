import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonical, digest, keyedDigest } from './canonical.ts'

test.each([
  [
    'members by UTF-16 code units (RFC 8785, 3.2.3)',
    { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 },
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
  ],
  [
    'numbers as ECMAScript writes them (RFC 8785, 3.2.2.3)',
    [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0],
    '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
  ],
  ['strings with the shortest escapes', '\u20ac$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'],
  ['nested values', { b: [true, null], a: { d: 1, c: {} } }, '{"a":{"c":{},"d":1},"b":[true,null]}'],
  ['without members that are undefined', { a: undefined, b: 1 }, '{"b":1}'],
])('writes %s', (_, value, text) => {
  expect(canonical(value)).toBe(text)
})

test.each([
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a function', () => 1],
  ['a bigint', 1n],
  ['undefined in a list', [undefined]],
  ['a lone surrogate', '\ud800'],
  ['a class instance', new Map()],
])('refuses %s', (_, value) => {
  expect(() => canonical(value)).toThrow(/cannot be written as JSON/)
})

test('refuses a cycle instead of exhausting the stack', () => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  expect(() => canonical(cyclic)).toThrow(/cyclic/)
})

test('equal values have one text, which JSON reads back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value)
      expect(canonical(JSON.parse(text))).toBe(text)
    }),
  )
})

test('a digest is sha256 in hex; a keyed one depends on the key', () => {
  expect(digest({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  expect(keyedDigest(new Uint8Array(32), 'x')).not.toBe(keyedDigest(new Uint8Array(32).fill(1), 'x'))
})
