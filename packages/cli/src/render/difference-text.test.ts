import type { ShownDifference } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import { coloursOf } from './colours.ts'
import { differenceText } from './difference-text.ts'

const plain = coloursOf(false)
const difference = (path: string, from: unknown, to: unknown, more: Partial<ShownDifference> = {}) =>
  ({ path, from, to, settling: false, replaces: false, masked: false, ...more }) as ShownDifference

test.each<[string, ShownDifference, readonly string[]]>([
  ['a short value', difference('mode', '0644', '0640'), ["mode: '0644' → '0640'"]],
  ['a number', difference('port', 80, 8080), ['port: 80 → 8080']],
  ['something new', difference('mode', null, '0640'), ["mode: '0640'"]],
  ['something gone', difference('owner', 'root', null), ["owner: 'root' → nothing"]],
  [
    'what must be made anew',
    difference('', 'symlink', 'file', { replaces: true }),
    ["'symlink' → 'file' (must be made anew)"],
  ],
  [
    'what settles',
    difference('state', 'starting', 'running', { settling: true }),
    ["state: 'starting' → 'running' (may settle by itself)"],
  ],
  [
    'a secret',
    difference('content', '••••••', '••••••', { masked: true }),
    ["content: '••••••' → '••••••' (secret)"],
  ],
  ['the thing itself, named by its address', difference('', null, 'file'), []],
  [
    'large content by its size and the beginning of its digest',
    difference(
      'content',
      { size: 1, sha256: 'abcdef0123456789' },
      { size: 70_000, sha256: '0123456789abcdef' },
    ),
    ['content: 1 byte, sha256 abcdef012345 → 70,000 bytes, sha256 0123456789ab'],
  ],
  [
    'text as a unified diff',
    difference('content', 'a\nb\nc\n', 'a\nB\nc\n'),
    ['content:', '@@ -1,3 +1,3 @@', ' a', '-b', '+B', ' c'],
  ],
  [
    'a missing line break at the end',
    difference('content', 'a\n', 'b\na'),
    ['content:', '@@ -1,1 +1,2 @@', '-a', '+b', '+a', '\\ No newline at end of file'],
  ],
  ['new text', difference('content', null, 'a\nb\n'), ['content:', '+a', '+b']],
  ['text that goes', difference('content', 'a\nb\n', ''), ['content:', '@@ -1,2 +0,0 @@', '-a', '-b']],
])('%s', async (_, given, lines) => {
  expect(await differenceText(given, plain)).toEqual(lines)
})

test('hostile text is harmless, in a line and in a diff', async () => {
  const lines = [
    ...(await differenceText(difference('na\x1bme', '\x1b[31m', 'x\ny'.slice(0, 1)), plain)),
    ...(await differenceText(difference('content', 'a\n\x1b]0;x\x07\n', 'a\r\n\u202e\n'), plain)),
    ...(await differenceText(difference('content', null, '\x1b[2J\n\n'), plain)),
  ]
  expect(lines.join('\n')).not.toMatch(/(?!\n)\p{Cc}|\u202e/u)
  expect(lines).toContain('+a␍')
})

test('a long diff is cut, and says by how much', async () => {
  const from = Array.from({ length: 500 }, (_, i) => `line ${i}\n`).join('')
  const lines = await differenceText(difference('content', from, from.replaceAll('line', 'LINE')), plain)
  expect(lines).toHaveLength(82)
  expect(lines.at(-1)).toBe('… 921 more lines')
})

test('two large texts with nothing in common are given up', async () => {
  const text = (seed: number) =>
    Array.from({ length: 20_000 }, (_, i) => `${(i * seed) % 7919} ${i}`).join('\n')
  const lines = await differenceText(difference('content', text(3), text(5)), plain)
  expect(lines.length).toBeLessThanOrEqual(82)
})

test('a long value in one line is cut', async () => {
  const [line] = await differenceText(
    difference(
      'list',
      [],
      Array.from({ length: 100 }, (_, i) => i),
    ),
    plain,
  )
  expect(line).toMatch(/^list: \[\] → \[0,1,.*…$/)
  expect(line?.length).toBeLessThan(100)
})
