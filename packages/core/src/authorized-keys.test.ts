import { describe, expect, test } from 'vitest'
import {
  flawOfKey,
  keyFingerprint,
  keyLineText,
  parseKeyLine,
  parseKeys,
  splitOptions,
  withKeyLines,
} from './authorized-keys.ts'

const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAICNRAB0za22vaGXNLwGdMaAvyXzKt+LR/NPTya+70dRY'
const bare = `ssh-ed25519 ${blob}`

describe('a line', () => {
  test.each<[text: string, options: readonly string[], comment: string]>([
    [bare, [], ''],
    [`  ${bare}  `, [], ''],
    [`${bare} ada@laptop`, [], 'ada@laptop'],
    [`${bare}\tAda's laptop  at home \r`, [], "Ada's laptop  at home"],
    [`restrict,pty ${bare} x`, ['restrict', 'pty'], 'x'],
    [`command="a b, \\"c\\" #d",no-pty ${bare} x`, ['command="a b, \\"c\\" #d"', 'no-pty'], 'x'],
    [`from="10.0.0.1,!10.0.0.2"\t${bare}`, ['from="10.0.0.1,!10.0.0.2"'], ''],
  ])('%j', (text, options, comment) => {
    expect(parseKeyLine(text)).toEqual({ text, options, type: 'ssh-ed25519', blob, comment })
  })

  test.each([
    '',
    ' ',
    '# comment',
    `#${bare}`,
    'hello',
    'ssh-ed25519',
    'ssh-ed25519 !!',
    `command="open ${bare}`,
    `a b ${bare}`,
  ])('%j is no key', (text) => {
    expect(parseKeyLine(text)).toBeUndefined()
  })

  test('is written as it was read', () => {
    for (const text of [bare, `restrict ${bare} a  b`, `command="a, b" ${bare}`]) {
      const line = parseKeyLine(text)
      expect(line && keyLineText(line)).toBe(text)
    }
  })

  test('has options that a comma within quotes does not separate', () => {
    expect(splitOptions('a,b="c,\\",d",e')).toEqual(['a', 'b="c,\\",d"', 'e'])
    expect(splitOptions('')).toEqual([])
  })
})

describe('a file', () => {
  const theirs = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJGQEwVThaRYogJyTOYYSHf2KbdC0/bcWv9AYnGuxIOp grace'
  test.each([
    ['an empty one gets the line', '', [bare], `${bare}\n`],
    ['it comes at the end', `# a\n\n${theirs}`, [bare], `# a\n\n${theirs}\n${bare}\n`],
    [
      'it takes the place of the one that was there',
      `${bare} old\n${theirs}\n`,
      [bare],
      `${bare}\n${theirs}\n`,
    ],
    ['of several one is left', `${bare}\n${theirs}\nno-pty ${bare}\n`, [bare], `${bare}\n${theirs}\n`],
    ['it goes', `# a\n${bare}\n${theirs}\n`, [], `# a\n${theirs}\n`],
    ['the last goes', `${bare}\n`, [], ''],
    ['none stays none', '', [], ''],
    ['what is commented out is no key', `#${bare}\n`, [], `#${bare}\n`],
    ['line ends of others stay', `${theirs}\r\n${bare}\r\n# x\r\n`, [bare], `${theirs}\r\n${bare}\n# x\r\n`],
  ])('%s', (_, text, lines, expected) => {
    expect(withKeyLines(text, blob, lines)).toBe(expected)
    expect(withKeyLines(expected, blob, lines)).toBe(expected)
  })

  test('is read in order', () => {
    expect(parseKeys(`# a\n${theirs}\n\n${bare}\n`).map(({ comment }) => comment)).toEqual(['grace', ''])
  })
})

test('a fingerprint is that of ssh-keygen', () => {
  expect(keyFingerprint(blob)).toBe('SHA256:hifZlfoyrMruuutvLjGNtO6VeREXksSjlP3+qXwtUiE')
})

test.each([
  ['ssh-ed25519', blob, undefined],
  ['ssh-rsa', blob, 'says ssh-rsa, but the key itself is another one: part of the line was mistyped'],
  ['ssh-dss', blob, 'has the type ssh-dss, which no server accepts; use ssh-ed25519'],
  ['ssh-ed25519', 'AAAAC3NzaC1lZDI1NTE5', 'is no complete ssh-ed25519 key'],
  ['ssh-ed25519', 'AAAA', 'is cut off or mistyped: its parts do not add up'],
  ['ssh-ed25519', blob.slice(0, -1), 'is cut off or mistyped: its second word is no base64'],
])('%s with %s: %s', (type, given, flaw) => {
  expect(flawOfKey({ type, blob: given })).toBe(flaw)
})
