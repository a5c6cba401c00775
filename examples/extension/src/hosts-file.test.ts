import { expect, test } from 'vitest'
import { findLine, putLine, strikeName } from './hosts-file.ts'

const table = '127.0.0.1 localhost\n10.0.0.1 a.internal b.internal # two\n#10.0.0.2 c.internal\n'

test.each([
  ['localhost', '127.0.0.1'],
  ['b.internal', '10.0.0.1'],
  ['c.internal', undefined],
  ['two', undefined],
])('%s stands for %s', (name, address) => {
  expect(findLine(table, name)?.address).toBe(address)
})

test.each([
  ['a new line goes to the end', 'd.internal', '10.0.0.4\td.internal', `${table}10.0.0.4\td.internal\n`],
  ['an old one is replaced where it is', 'localhost', '::1\tlocalhost', table.replace('127.0.0.1 ', '::1\t')],
])('%s', (_, name, line, expected) => {
  expect(putLine(table, name, line)).toBe(expected)
})

test('a last line without an end gets one first', () => {
  expect(putLine('127.0.0.1 localhost', 'a', '10.0.0.1\ta')).toBe('127.0.0.1 localhost\n10.0.0.1\ta\n')
})

test.each([
  ['the only name takes its line along', 'localhost', table.slice(table.indexOf('10.0.0.1'))],
  [
    'another name keeps it',
    'a.internal',
    table.replace('10.0.0.1 a.internal b.internal # two', '10.0.0.1\tb.internal'),
  ],
  ['a name that is not there changes nothing', 'x', table],
])('struck: %s', (_, name, expected) => {
  expect(strikeName(table, name)).toBe(expected)
})
