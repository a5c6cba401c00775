import { expect, test } from 'vitest'
import { linesByPath } from './shown.ts'

test('texts of one line, of several, and none; colons in paths and values', () => {
  const printed = '/p/a:1\n/p/eth0:1/b:x:y\n/p/c:first\n/p/c:second\n/p/empty:\n'
  expect(
    Object.fromEntries(linesByPath(printed, ['/p/a', '/p/eth0:1/b', '/p/c', '/p/empty', '/p/gone'])),
  ).toEqual({
    '/p/a': '1',
    '/p/eth0:1/b': 'x:y',
    '/p/c': 'first\nsecond',
    '/p/empty': '',
  })
})
