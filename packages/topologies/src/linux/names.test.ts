import { describe, expect, test } from 'vitest'
import { isTemporaryName, joinPath, splitPath, temporaryName } from './names.ts'

describe('the temporary name of an entry', () => {
  test.each([
    ['app.conf', '.app.conf.harmony~'],
    ['-rf', '.-rf.harmony~'],
    ['two\nlines', '.two\nlines.harmony~'],
    ['☂', '.☂.harmony~'],
    ['a'.repeat(245), `.${'a'.repeat(245)}.harmony~`],
  ])('of %j is %j', (name, temporary) => {
    expect(temporaryName(name)).toBe(temporary)
    expect(isTemporaryName(temporary)).toBe(true)
  })

  test.each(['a'.repeat(246), 'a'.repeat(255), '☂'.repeat(85)])(
    'of a long name is short, and its own',
    (name) => {
      const temporary = temporaryName(name)
      expect(temporary).toMatch(/^\.harmony~[0-9a-f]{16}$/)
      expect(isTemporaryName(temporary)).toBe(true)
      expect(temporaryName(`${name.slice(0, -1)}b`)).not.toBe(temporary)
    },
  )

  test.each(['app.conf', '.hidden', 'x~', 'harmony~', '.harmony~', 'ledger.harmony~'])(
    'is not %j',
    (name) => {
      expect(isTemporaryName(name)).toBe(false)
    },
  )
})

test.each([
  ['/', '/', ''],
  ['/a', '/', 'a'],
  ['/a/b', '/a', 'b'],
  ['/a/b/c', '/a/b', 'c'],
])('%s is split into folder %s and name %j', (path, folder, name) => {
  expect(splitPath(path)).toEqual({ folder, name })
  if (name !== '') expect(joinPath(folder, name)).toBe(path)
})
