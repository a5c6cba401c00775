import { expect, test } from 'vitest'
import { regionOf } from './includes.ts'

const source = [
  'const before = 1',
  '  // #region outer',
  '  const a = 1',
  '',
  '    // #region inner',
  '    const b = 2',
  '    // #endregion inner',
  '  // #endregion outer',
  'const after = 1',
].join('\n')

test.each([
  ['outer', 'const a = 1\n\n  const b = 2'],
  ['inner', 'const b = 2'],
])('the region %s is cut out, shifted to the left, without marks', (region, expected) => {
  expect(regionOf(source, region, 'file.ts')).toBe(expected)
})

test('a region that is not there is told', () => {
  expect(() => regionOf(source, 'other', 'file.ts')).toThrow('file.ts has no region other')
})
