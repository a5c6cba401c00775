import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { findProject, lookForProject } from './find.ts'

test('harmony.ts of the folder, before harmony.js', () => {
  const folder = makeFolder({ 'harmony.js': '', 'harmony.ts': '', 'sub/harmony.mjs': '', 'other.ts': '' })
  expect(findProject(folder, undefined)).toEqual({ file: join(folder, 'harmony.ts'), folder })
  expect(findProject('/', folder).file).toBe(join(folder, 'harmony.ts'))
  expect(findProject(folder, 'sub').file).toBe(join(folder, 'sub/harmony.mjs'))
  expect(findProject(folder, 'other.ts')).toEqual({ file: join(folder, 'other.ts'), folder })
})

test('a link is followed: Node and the compiler go by the real path', () => {
  const folder = makeFolder({ 'real/harmony.ts': '' })
  symlinkSync(join(folder, 'real'), join(folder, 'link'))
  expect(findProject(folder, 'link').file).toBe(join(folder, 'real/harmony.ts'))
})

test('parent folders are not searched, and a folder is not a file', () => {
  const folder = makeFolder({ 'harmony.ts': '' })
  mkdirSync(join(folder, 'sub/harmony.ts'), { recursive: true })
  expect(lookForProject(join(folder, 'sub'), undefined)).toBeUndefined()
})

test.each([
  ['.', /there is no harmony\.ts in/],
  ['nowhere', /nowhere does not exist/],
])('%s: says what is missing', (given, message) => {
  expect(() => findProject(makeFolder(), given)).toThrow(message)
})
