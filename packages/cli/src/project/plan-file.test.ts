import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { readPlanFile, writePlanFile } from './plan-file.ts'

const plan = {
  harmony: 1,
  project: 'site',
  lineage: undefined,
  topology: 'here',
  home: '/x',
  steps: [],
  conflicts: [],
  failures: [],
  notes: [],
  digest: 'd',
} as unknown as Plan

test('is written for its owner only, and read as it was', async () => {
  const folder = makeFolder()
  expect(await writePlanFile(folder, 'a.plan', [plan])).toBe(join(folder, 'a.plan'))
  expect(statSync(join(folder, 'a.plan')).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['a.plan'])
  expect(await readPlanFile(folder, 'a.plan')).toEqual([JSON.parse(JSON.stringify(plan))])
})

test('one that was changed is refused', async () => {
  const folder = makeFolder()
  await writePlanFile(folder, 'a.plan', [plan])
  const text = readFileSync(join(folder, 'a.plan'), 'utf8')
  writeFileSync(join(folder, 'a.plan'), text.replace('"here"', '"there"'))
  await expect(readPlanFile(folder, 'a.plan')).rejects.toMatchObject({
    code: 'invalid-project',
    message: expect.stringContaining('has been changed'),
  })
})

test.each([
  ['{', 'is not a saved plan'],
  ['null', 'is not a saved plan'],
  ['{"plans":[],"harmony":2}', 'another version'],
])('%j is refused', async (text, words) => {
  await expect(readPlanFile(makeFolder({ p: text }), 'p')).rejects.toMatchObject({
    message: expect.stringContaining(words),
  })
})

test('one that is not there', async () => {
  await expect(readPlanFile('/', 'nowhere.plan')).rejects.toMatchObject({ code: 'invalid-project' })
  await expect(writePlanFile('/nowhere', 'x', [plan])).rejects.toMatchObject({ code: 'system' })
})

test('what is not a file, or cannot be one of ours, is not read', async () => {
  const folder = makeFolder()
  spawnSync('mkfifo', [join(folder, 'pipe')])
  writeFileSync(join(folder, 'big'), '')
  truncateSync(join(folder, 'big'), 257 * 1024 * 1024)
  await expect(readPlanFile(folder, 'pipe')).rejects.toThrow('is not a file')
  await expect(readPlanFile(folder, '/dev/zero')).rejects.toThrow('is not a file')
  await expect(readPlanFile(folder, 'big')).rejects.toThrow('is too big')
})
