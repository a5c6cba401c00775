import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { lockFileOf, newLineage, readLock, refuseOtherProject, writeLock } from './lineage.ts'

const lockIn = (folder: string) => join(folder, 'harmony.lock')

test('is written once and read ever after', async () => {
  const path = lockIn(makeFolder())
  expect(readLock(path)).toBeUndefined()
  const lock = { lineage: newLineage(), project: 'site' }
  await writeLock(path, lock)
  await writeLock(path, lock)
  expect(readLock(path)).toEqual(lock)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ harmony: 1, ...lock })
})

test('of two first applies at once one is told to run again', async () => {
  const path = lockIn(makeFolder())
  await writeLock(path, { lineage: newLineage(), project: 'site' })
  await expect(writeLock(path, { lineage: newLineage(), project: 'site' })).rejects.toMatchObject({
    code: 'plan-stale',
  })
})

test.each([
  ['', 'is not JSON'],
  ['<<<<<<< ours\n{}', 'has merge conflicts'],
  ['null', 'was not written by this version'],
  ['{ "harmony": 2, "lineage": "x" }', 'was not written by this version'],
  ['{ "harmony": 1 }', 'has no valid lineage'],
  ['{ "harmony": 1, "lineage": "../x" }', 'has no valid lineage'],
  [`{ "harmony": 1, "lineage": "${newLineage()}", "project": 5 }`, 'has no valid name'],
  [' '.repeat(65 * 1024), 'is too big'],
])('%.60j is refused', (text, words) => {
  expect(() => readLock(lockIn(makeFolder({ 'harmony.lock': text })))).toThrow(words)
})

test('a lock of another project is refused; one that names none is not', () => {
  const lineage = newLineage()
  expect(() => refuseOtherProject('harmony.lock', { lineage, project: 'a' }, 'b')).toThrow(
    'belongs to the project a',
  )
  refuseOtherProject('harmony.lock', { lineage, project: 'a' }, 'a')
  refuseOtherProject('harmony.lock', { lineage }, 'a')
  refuseOtherProject('harmony.lock', undefined, 'a')
})

test.each([
  ['harmony.ts', 'harmony.lock'],
  ['harmony.mjs', 'harmony.lock'],
  ['berlin.ts', 'berlin.harmony.lock'],
])('the lock of %s is %s', (file, lock) => {
  expect(lockFileOf({ file: join('/site', file), folder: '/site' })).toBe(join('/site', lock))
})

test('a folder that cannot be written leaves nothing behind', async () => {
  const folder = '/proc/self' // root may write everywhere else
  const before = readdirSync(folder)
  const writing = writeLock(lockIn(folder), { lineage: newLineage(), project: 'site' })
  await expect(writing).rejects.toMatchObject({ code: 'system' })
  expect(readdirSync(folder)).toEqual(before)
})
