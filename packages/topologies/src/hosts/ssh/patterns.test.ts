import { expect, test } from 'vitest'
import { matchesHostList, matchesPattern, matchesPatterns } from './patterns.ts'

test.each([
  ['', '', true],
  ['', '*', true],
  ['', '?', false],
  ['web1', 'web?', true],
  ['web', 'web?', false],
  ['web12', 'web?', false],
  ['a.b.c', '*.c', true],
  ['a.b.c', 'a*c', true],
  ['a.b.c', 'a*b', false],
  ['aXbXc', 'a*X*c', true],
  ['axb', 'a.b', false],
  ['[x]', '[x]', true],
  ['kiosk', 'KIOSK', false],
  ['a'.repeat(60), `${'*a'.repeat(30)}b`, false],
])('"%s" and "%s": %s', (text, pattern, fits) => {
  expect(matchesPattern(text, pattern)).toBe(fits)
})

test.each([
  ['b', ['!a'], false],
  ['b', ['!a', '*'], true],
  ['a', ['!a', '*'], false],
  ['a', ['*', '!a'], false],
  ['a', ['x', 'a'], true],
  ['a', [], false],
])('"%s" among %j: %s', (text, patterns, fits) => {
  expect(matchesPatterns(text, patterns)).toBe(fits)
})

test('names of hosts are compared without case', () => {
  expect(matchesHostList('Kiosk.Local', 'x,*.LOCAL')).toBe(true)
})
