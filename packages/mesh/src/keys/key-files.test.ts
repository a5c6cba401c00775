import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readKeyFile, writeKeyFile } from './key-files.ts'
import { newKey } from './private-key.ts'
import { parsePublicKey } from './public-key.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harmony-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a key is in a file that nobody else can read, and its public line beside it', async () => {
  const path = join(folder, 'signing')
  const key = newKey('ed25519', 'alice@laptop')
  await writeKeyFile(path, key)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readFileSync(path, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  expect(parsePublicKey(readFileSync(`${path}.pub`, 'utf8'), 'ed25519')).toEqual(key.public)
  expect((await readKeyFile(path, 'ed25519')).public).toEqual(key.public)
  expect(readdirSync(folder).sort()).toEqual(['signing', 'signing.pub'])
})

test('a key is never written over', async () => {
  const path = join(folder, 'signing')
  await writeKeyFile(path, newKey('ed25519'))
  const before = readFileSync(path, 'utf8')
  await expect(writeKeyFile(path, newKey('ed25519'))).rejects.toMatchObject({ code: 'refused' })
  expect(readFileSync(path, 'utf8')).toBe(before)
  expect(readdirSync(folder).sort()).toEqual(['signing', 'signing.pub'])
})

test('whoever died before the public line was written has a key all the same', async () => {
  const path = join(folder, 'signing')
  const key = newKey('ed25519')
  writeFileSync(path, key.toPem(), { mode: 0o600 })
  expect((await readKeyFile(path, 'ed25519')).public).toEqual(key.public)
})

describe('a key file is refused', () => {
  test.each([
    ['when others may read it', 0o640, newKey('ed25519').toPem(), 'refused', 'chmod 600'],
    ['when it is one to seal with', 0o600, newKey('x25519').toPem(), 'invalid-value', 'ed25519'],
    ['when it is something else', 0o600, 'hunter2', 'invalid-value', 'ed25519'],
    ['when it is too large for a key', 0o600, 'x'.repeat(20_000), 'refused', 'key'],
  ])('%s', async (_, mode, text, code, hint) => {
    const path = join(folder, 'signing')
    writeFileSync(path, text, { mode })
    await expect(readKeyFile(path, 'ed25519')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(path),
      hint: expect.stringContaining(hint),
    })
  })
  test('when it is not there, with a word on how to make one', async () => {
    await expect(readKeyFile(join(folder, 'none'), 'ed25519')).rejects.toMatchObject({
      code: 'system',
      hint: expect.stringContaining('harmony keys new'),
    })
  })
})
