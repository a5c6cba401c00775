import { expect, test } from 'vitest'
import { lineOfPretty, prettyLine, prettyName, withPrettyLine } from './machine-info.ts'

test.each([
  ['PRETTY_HOSTNAME="a \\"b\\" \\$c"\n', 'a "b" $c'],
  ["PRETTY_HOSTNAME='it is \\n'\n", 'it is \\n'],
  ['PRETTY_HOSTNAME=plain', 'plain'],
  ['PRETTY_HOSTNAME=one\nPRETTY_HOSTNAME=two\n', 'two'],
  ['#PRETTY_HOSTNAME=none\nICON_NAME=computer\n', ''],
  ['', ''],
])('%j says %j', (text, name) => {
  expect(prettyName(text)).toBe(name)
})

test.each(['Kiosk', 'a "b" \\ $c `d`', "it's"])('%j is read as it was written', (name) => {
  expect(prettyName(withPrettyLine('ICON_NAME=x\n', lineOfPretty(name)))).toBe(name)
})

test('other lines stay as they are, and nothing is left of a name that is none', () => {
  const text = '# a lamp\nPRETTY_HOSTNAME=old\nCHASSIS=embedded'
  expect(withPrettyLine(text, lineOfPretty('new'))).toBe('# a lamp\nPRETTY_HOSTNAME="new"\nCHASSIS=embedded')
  expect(withPrettyLine(text, lineOfPretty(''))).toBe('# a lamp\nCHASSIS=embedded')
  expect(withPrettyLine('PRETTY_HOSTNAME=old\n', undefined)).toBe('')
  expect(withPrettyLine('CHASSIS=embedded', 'PRETTY_HOSTNAME=x')).toBe(
    'CHASSIS=embedded\nPRETTY_HOSTNAME=x\n',
  )
  expect(prettyLine(text)).toBe('PRETTY_HOSTNAME=old')
})
