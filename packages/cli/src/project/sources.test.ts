import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asset, secret } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { projectSources } from './sources.ts'

function sources(files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
  const folder = makeFolder(files)
  for (const path of Object.keys(files)) chmodSync(join(folder, path), 0o600)
  const warnings: string[] = []
  return { folder, warnings, ...projectSources({ folder, env, warn: (message) => warnings.push(message) }) }
}
const named = (...args: Parameters<typeof secret>) => secret(...args) as never

test('a secret from the environment, under its usual name or another', async () => {
  const from = sources(
    { 'secrets/db.main-1': 'from the file' },
    { HARMONY_SECRET_DB_MAIN_1: 'one', OTHER: 'two' },
  )
  expect(await from.secret(named('db.main-1'))).toBe('one')
  expect(await from.secret(named('db', { env: 'OTHER' }))).toBe('two')
})

test('a secret from a file beside the project; one line break at its end is not part of it', async () => {
  const from = sources({ 'secrets/db': 'pass word\r\n', 'keys/tls': 'a\n\n' })
  expect(await from.secret(named('db'))).toBe('pass word')
  expect(await from.secret(named('x', { file: 'keys/tls' }))).toBe('a\n')
  expect(from.warnings).toEqual([])
})

test('an empty secret is a secret', async () => {
  expect(await sources({}, { HARMONY_SECRET_A: '' }).secret(named('a'))).toBe('')
})

test('a file that everybody can read is warned of once', async () => {
  const from = sources({ 'secrets/db': 'x' })
  chmodSync(join(from.folder, 'secrets/db'), 0o644)
  await from.secret(named('db'))
  await from.secret(named('db'))
  expect(from.warnings).toEqual([expect.stringContaining('can be read by everybody')])
})

test('one that is nowhere: says where it was looked for, and nothing more', async () => {
  await expect(sources({}, { HOME: '/x' }).secret(named('db-1'))).rejects.toMatchObject({
    code: 'secret-missing',
    hint: expect.stringMatching(/HARMONY_SECRET_DB_1, and in .*secrets\/db-1$/),
  })
  await expect(sources({}).secret(named('a', { env: 'B' }))).rejects.toMatchObject({
    hint: expect.stringMatching(/variable B$/),
  })
})

test('a name cannot lead out of the folder', async () => {
  const from = sources({ outside: 'x' })
  await expect(from.secret(named('../outside'))).rejects.toMatchObject({ code: 'secret-missing' })
})

async function read(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('an asset is hashed, and read again in chunks', async () => {
  const text = 'x'.repeat(700_000)
  const from = sources({ 'files/a': text })
  const content = await from.asset(asset('./files/a').$asset)
  expect(content.size).toBe(700_000)
  expect(content.sha256).toMatch(/^[0-9a-f]{64}$/)
  expect(await read(content.open())).toBe(text)
  expect(await read(content.open())).toBe(text)
  for await (const chunk of content.open()) expect(chunk.byteLength).toBeLessThanOrEqual(256 * 1024)
})

test('an asset that is no longer what was hashed is refused', async () => {
  const from = sources({ a: 'one' })
  const content = await from.asset('a')
  writeFileSync(join(from.folder, 'a'), 'two')
  await expect(read(content.open())).rejects.toMatchObject({ code: 'asset-unreadable' })
})

test('also when it changes while it is read', async () => {
  const from = sources({ a: 'x'.repeat(700_000) })
  const content = await from.asset('a')
  const changing = async () => {
    for await (const _ of content.open()) appendFileSync(join(from.folder, 'a'), 'y')
  }
  await expect(changing()).rejects.toMatchObject({ message: expect.stringContaining('was changed') })
})

test.each([
  ['none', 'does not exist'],
  ['folder', 'is not a file'],
])('an asset that is %s', async (path, words) => {
  const from = sources()
  mkdirSync(join(from.folder, 'folder'))
  await expect(from.asset(path)).rejects.toMatchObject({
    code: 'asset-unreadable',
    message: expect.stringContaining(words),
  })
})

test('a secret is read from a file of at most 1 MiB, never from a pipe or a device', async () => {
  const from = sources({ 'secrets/big': 'x'.repeat(1024 * 1024 + 1) })
  spawnSync('mkfifo', [join(from.folder, 'secrets/pipe')])
  await expect(from.secret(named('pipe'))).rejects.toThrow('is not a file')
  await expect(from.secret(named('zero', { file: '/dev/zero' }))).rejects.toThrow('is not a file')
  await expect(from.secret(named('big'))).rejects.toThrow('too big')
})
