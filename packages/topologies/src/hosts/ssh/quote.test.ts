import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandLine, quote } from './quote.ts'

test.each([
  ['plain', 'plain'],
  ['/usr/bin/env', '/usr/bin/env'],
  ['', "''"],
  ['a b', "'a b'"],
  ['$(reboot)', "'$(reboot)'"],
  ['~', "'~'"],
  ['=x', "'=x'"],
  ["it's", `'it'"'"'s'`],
  ['a\\b', `'a'"\\\\"'b'`],
])('%j is written as %s', (word, line) => {
  expect(quote(word)).toBe(line)
})

test('a NUL character is refused: no program takes one', () => {
  expect(() => quote('a\0b')).toThrow(expect.objectContaining({ code: 'invalid-value' }))
})

const shells = ['/bin/sh', '/bin/bash', '/usr/bin/zsh', '/usr/bin/fish', '/bin/ksh'].filter((shell) =>
  existsSync(shell),
)

describe.each(shells)('%s', (shell) => {
  test('reads back any words as they were', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '\\',
        '\\\\',
        "'",
        '"',
        '`id`',
        '$HOME',
        '!!',
        '\n',
        '\t',
        '-n',
        '*',
        '~',
        '#',
        ';',
        '&',
        '|',
        '>x',
        '{a,b}',
        '%s',
      ),
    )
    fc.assert(
      fc.property(
        fc.array(
          word.filter((text) => !text.includes('\0')),
          { minLength: 1, maxLength: 5 },
        ),
        (words) => {
          const line = commandLine(['/usr/bin/printf', '%s\\001', ...words])
          const read = execFileSync(shell, ['-c', line], { encoding: 'utf8' })
          expect(read.split('\u0001').slice(0, -1)).toEqual(words)
        },
      ),
      { numRuns: 60 },
    )
  })
})
