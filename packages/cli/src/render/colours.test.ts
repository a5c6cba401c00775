import { expect, test } from 'vitest'
import { coloursOf, wantsColour } from './colours.ts'

const terminal = { write() {}, isTTY: true, columns: 80 }
const pipe = { ...terminal, isTTY: false }

test.each([
  ['a terminal', {}, terminal, undefined, true],
  ['a pipe', {}, pipe, undefined, false],
  ['a terminal with --no-color', {}, terminal, true, false],
  ['a terminal with NO_COLOR', { NO_COLOR: '1' }, terminal, undefined, false],
  ['a terminal with an empty NO_COLOR', { NO_COLOR: '' }, terminal, undefined, true],
  ['a dumb terminal', { TERM: 'dumb' }, terminal, undefined, false],
  ['a pipe with FORCE_COLOR', { FORCE_COLOR: '1' }, pipe, undefined, true],
  ['a terminal with FORCE_COLOR=0', { FORCE_COLOR: '0' }, terminal, undefined, false],
  ['a pipe with FORCE_COLOR and NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, pipe, undefined, true],
  ['FORCE_COLOR with --no-color', { FORCE_COLOR: '1' }, terminal, true, false],
])('%s', (_, env, sink, noColour, wanted) => {
  expect(wantsColour(env, sink, noColour)).toBe(wanted)
})

test('colours are painted or left away', () => {
  expect(coloursOf(true).red('x')).toBe('\x1b[31mx\x1b[39m')
  expect(coloursOf(false).red('x')).toBe('x')
})
