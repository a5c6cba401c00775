import { describe, expect, test } from 'vitest'
import type { Leaf } from './leaf.ts'
import { matcher, select } from './select.ts'

const leaf = (address: string, parent?: string, after: readonly string[] = []) =>
  ({ address, parent, after }) as unknown as Leaf
const order = [leaf('A:1'), leaf('B:2', 'C:x', ['A:1']), leaf('B:3', 'C:x', ['B:2']), leaf('D:4')]
const chosen = (targets: readonly string[], excludes: readonly string[] = []) => {
  const selection = select(order, ['Old:9'], targets, excludes)
  return {
    addresses: order.map((each) => each.address).filter(selection.has),
    notes: selection.notes,
    old: selection.mayRemove('Old:9'),
  }
}

describe('patterns', () => {
  test.each([
    ['File:/srv/*', 'File:/srv/a/b', true],
    ['File:/srv/?', 'File:/srv/ab', false],
    ['File:/a.b', 'File:/axb', false],
    ['*', 'Anything:at\nall', true],
    ['File:/(x)*', 'File:/(x)y', true],
  ])('%s and %s: %s', (pattern, address, expected) => {
    expect(matcher(pattern)(address)).toBe(expected)
  })
})

test('a target pulls in what it depends on, near and far, and says so', () => {
  expect(chosen(['B:3'])).toEqual({
    addresses: ['A:1', 'B:2', 'B:3'],
    notes: ['included, because targets depend on them: A:1, B:2'],
    old: false,
  })
})
test('a composite stands for its leaves', () => {
  expect(chosen(['C:x']).addresses).toEqual(['A:1', 'B:2', 'B:3'])
})
test('an exclusion drops what depends on it, and says so', () => {
  expect(chosen([], ['B:2'])).toEqual({
    addresses: ['A:1', 'D:4'],
    notes: ['left out, because they depend on what is excluded: B:3'],
    old: true,
  })
})
test('something that left the project is removed only if it is meant', () => {
  expect(chosen(['Old:*']).old).toBe(true)
  expect(chosen([], ['Old:9']).old).toBe(false)
})
test('a pattern that matches nothing is an error, not an empty plan', () => {
  expect(() => chosen(['Z:*'])).toThrow('--target Z:* matches no Score')
  expect(() => chosen([], ['Z'])).toThrow('--exclude Z matches no Score')
})
