import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonText, sanitize, sanitizeLine } from './sanitize.ts'

test.each([
  ['an escape sequence', 'a\x1b[2Jb', 'a␛[2Jb'],
  ['a title', '\x1b]0;owned\x07', '␛]0;owned␇'],
  ['an escape of one byte', '\u009b31m', '<U+009B>31m'],
  ['a carriage return that overwrites', 'rm -rf /\recho hi', 'rm -rf /␍echo hi'],
  ['backspaces', 'a\b\b', 'a␈␈'],
  ['a deleted character', '\x7f', '␡'],
  ['a bidirectional override', 'a\u202eb', 'a<U+202E>b'],
  ['an isolate', '\u2066x\u2069', '<U+2066>x<U+2069>'],
  ['a zero-width space', 'ad\u200bmin', 'ad<U+200B>min'],
  ['a byte order mark', '\ufeffx', '<U+FEFF>x'],
  ['a line separator', 'a\u2028b', 'a<U+2028>b'],
  ['a tag', 'a\u{e0041}', 'a<U+E0041>'],
  ['half a character', 'a\ud800', 'a<U+D800>'],
  ['NUL', '\0', '␀'],
])('%s is made visible', (_, hostile, harmless) => {
  expect(sanitize(hostile)).toBe(harmless)
})

test('ordinary text stays: line feeds, tabs, accents, emoji with joiners', () => {
  const text = 'é 漢字 עברית\n\t👩‍👩‍👧\n'
  expect(sanitize(text)).toBe(text)
})

test('of one line nothing breaks out', () => {
  expect(sanitizeLine('a\nb\tc')).toBe('a␊b␉c')
})

test('whatever comes, nothing that a terminal obeys is left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(sanitize(text)).not.toMatch(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u)
      expect(sanitizeLine(text)).not.toMatch(/\p{Cc}/u)
    }),
  )
})

test('JSON says the same with escapes of its own', () => {
  const value = { '\u202e': ['\u009b', '\u{e0041}', 'é'] }
  expect(jsonText(value)).toBe('{"\\u202e":["\\u009b","\\udb40\\udc41","é"]}')
  expect(JSON.parse(jsonText(value))).toEqual(value)
})
