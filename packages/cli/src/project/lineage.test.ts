import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { newLineage, readLineage, writeLineage } from './lineage.ts'

test('is written once and read ever after', async () => {
  const folder = makeFolder()
  expect(readLineage(folder)).toBeUndefined()
  const lineage = newLineage()
  await writeLineage(folder, lineage)
  await writeLineage(folder, lineage)
  expect(readLineage(folder)).toBe(lineage)
  expect(JSON.parse(readFileSync(join(folder, 'harmony.lock'), 'utf8'))).toEqual({ harmony: 1, lineage })
})

test('of two first applies at once one is told to run again', async () => {
  const folder = makeFolder()
  await writeLineage(folder, newLineage())
  await expect(writeLineage(folder, newLineage())).rejects.toMatchObject({ code: 'plan-stale' })
})

test.each([
  ['', 'is not JSON'],
  ['<<<<<<< ours\n{}', 'has merge conflicts'],
  ['null', 'was not written by this version'],
  ['{ "harmony": 2, "lineage": "x" }', 'was not written by this version'],
  ['{ "harmony": 1 }', 'has no valid lineage'],
  ['{ "harmony": 1, "lineage": "../x" }', 'has no valid lineage'],
])('%j is refused', (text, words) => {
  expect(() => readLineage(makeFolder({ 'harmony.lock': text }))).toThrow(words)
})

test.skipIf(process.getuid?.() === 0)('a folder that cannot be written leaves nothing behind', async () => {
  const folder = makeFolder()
  chmodSync(folder, 0o500)
  await expect(writeLineage(folder, newLineage())).rejects.toMatchObject({ code: 'system' })
  expect(readdirSync(folder)).toEqual([])
})
