import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { localHost } from '../../hosts/local.ts'
import { installedRecord } from './record.ts'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-record-')))
})
afterEach(() => rmSync(folder, { recursive: true }))
const open = (within = 'state') => installedRecord(localHost(), async () => join(folder, within))

test('what was installed is known to the next process, each once', async () => {
  const installed = { asked: { nginx: { configuration: false } }, along: ['b', 'a', 'b'] }
  await open().write(installed)
  expect(await open().read()).toEqual({ ...installed, along: ['a', 'b'] })
  expect(readdirSync(join(folder, 'state'))).toEqual(['packages.json'])
})

test('nothing is remembered of nothing, and reading makes nothing', async () => {
  const record = open()
  expect(await record.read()).toEqual({ asked: {}, along: [] })
  await record.write({ asked: {}, along: [] })
  expect(existsSync(join(folder, 'state'))).toBe(false)
  await record.write({ asked: {}, along: ['a'] })
  await record.write({ asked: {}, along: [] })
  expect(readdirSync(join(folder, 'state'))).toEqual([])
})

test('a record that says nothing is an error, for what it names would be left behind', async () => {
  writeFileSync(join(folder, 'packages.json'), '{"asked":')
  await expect(open('.').read()).rejects.toMatchObject({ code: 'ledger-corrupt' })
})
