import { expect, test } from 'vitest'
import { coloursOf } from './colours.ts'
import { errorText } from './error-text.ts'

const plain = coloursOf(false)

test('what, to what, and what to do', () => {
  const error = {
    code: 'system',
    message: '/x: the disk is full',
    address: 'File:/y',
    hint: 'free some space',
  }
  expect(errorText(error, plain)).toBe('error: File:/y: /x: the disk is full\nhint: free some space\n')
})

test('an address that the message names already is not said twice', () => {
  expect(errorText({ code: 'cycle', message: 'File:/y waits for itself', address: 'File:/y' }, plain)).toBe(
    'error: File:/y waits for itself\n',
  )
})

test('all issues are listed, by address, with their paths', () => {
  const error = {
    code: 'invalid-project',
    message: '3 problems in the project',
    issues: [
      { address: 'File:/a', path: ['mode'], message: 'must be four octal digits' },
      { address: 'File:/a', path: ['ports', 0, 'host'], message: 'unknown field' },
      { path: ['name'], message: 'is missing' },
    ],
  }
  expect(errorText(error, plain)).toBe(`error: 3 problems in the project
  File:/a
    mode: must be four octal digits
    ports[0].host: unknown field
  name: is missing
`)
})

test('a single issue is the headline', () => {
  const issues = [{ address: 'File:/a', path: ['mode'], message: 'must be four octal digits' }]
  expect(errorText({ code: 'invalid-project', message: 'must be four octal digits', issues }, plain)).toBe(
    'error: File:/a mode: must be four octal digits\n',
  )
})

test('the place and the line are shown', () => {
  const data = { at: '/p/harmony.ts:3:7', frame: '> 3 | const a = b\n    |           ^' }
  expect(errorText({ code: 'project-unreadable', message: 'threw', data }, plain)).toBe(`error: threw
  at /p/harmony.ts:3:7
  > 3 | const a = b
      |           ^
`)
})

test('what the compiler printed stays as it is, and is cut when it is endless', () => {
  const output = Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n')
  const explained = [
    { at: '/p/harmony.ts:1:1', sentence: 'Pi does not offer shell, which Job needs', frame: undefined },
  ]
  const lines = errorText(
    { code: 'compile-failed', message: 'does not compile', data: { output, explained } },
    plain,
  ).split('\n')
  expect(lines[1]).toBe('  line 0')
  expect(lines[61]).toBe('  … 40 more lines')
  expect(lines.slice(62)).toEqual([
    '',
    '  Pi does not offer shell, which Job needs',
    '    at /p/harmony.ts:1:1',
    '',
  ])
})

test('hostile text is harmless', () => {
  const evil = '\x1b[2J\u202e'
  const error = {
    code: 'x',
    message: evil,
    address: evil,
    hint: evil,
    issues: [
      { address: evil, path: [evil], message: evil },
      { path: [], message: evil },
    ],
    data: { at: evil, frame: evil },
  }
  expect(errorText(error, plain)).not.toMatch(/(?!\n)\p{Cc}|\u202e/u)
  expect(
    errorText(
      { ...error, data: { output: evil, explained: [{ at: evil, sentence: evil, frame: evil }] } },
      plain,
    ),
  ).not.toMatch(/(?!\n)\p{Cc}|\u202e/u)
})
