/**
 * Private keys in files that nobody else can read: `NAME` the key, `NAME.pub` the line of its public half. A key file is
 * whole or not there, and is never written over: what was sealed to a lost key stays sealed.
 */
import { randomUUID } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import { type PrivateKey, parsePrivateKey } from './private-key.ts'
import { type KeyAlgorithm, parsePublicKey, publicKeyLine } from './public-key.ts'

/** More than this is no key. */
const mostBytes = 16 * 1024

/**
 * Writes a key to `path`, mode 0600, and its public line to `path.pub`. The folder has to be there.
 * @throws HarmonyError `refused` when there is a file already.
 */
export async function writeKeyFile(path: string, key: PrivateKey): Promise<void> {
  await writeNew(path, key.toPem(), 0o600)
  // A public half that stays behind a lost key would pass for the new one's.
  await rm(`${path}.pub`, { force: true })
  await writeNew(`${path}.pub`, `${publicKeyLine(key.public)}\n`, 0o644)
}

/**
 * Reads a key. Its comment is that of the public line, if there is one.
 * @throws HarmonyError `refused` when others may read the file, `invalid-value` when it is no such key.
 */
export async function readKeyFile<A extends KeyAlgorithm>(
  path: string,
  algorithm: A,
): Promise<PrivateKey<A>> {
  const pem = await readSmall(path, true)
  try {
    return parsePrivateKey(pem, algorithm, await commentOf(path, algorithm))
  } catch (error) {
    const { code, message, hint } = toHarmonyError(error)
    throw new HarmonyError(code, `${path}: ${message}`, { hint, data: { path } })
  }
}

async function commentOf(path: string, algorithm: KeyAlgorithm): Promise<string> {
  try {
    return parsePublicKey(await readSmall(`${path}.pub`, false), algorithm).comment
  } catch {
    return '' // it is for people only, and follows from nothing that matters
  }
}

async function readSmall(path: string, isPrivate: boolean): Promise<string> {
  const file = await open(path, 'r').catch((error) => {
    throw toHarmonyError(error, { hint: `make a key: harmony keys new` })
  })
  try {
    const stat = await file.stat()
    const refused = (why: string, hint: string) =>
      new HarmonyError('refused', `${path}: ${why}`, { hint, data: { path } })
    if (!stat.isFile() || stat.size > mostBytes) throw refused('it is no key file', 'name the file of a key')
    if (isPrivate && (stat.mode & 0o077) !== 0)
      throw refused(
        `others than its owner may read or write it (mode ${(stat.mode & 0o777).toString(8)})`,
        `chmod 600 it, and think about who may have read it`,
      )
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** By a link, which is made in one go and does not replace what is there. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new HarmonyError('refused', `${path}: there is a file already, and a key is never written over`, {
        hint: 'choose another name, or move the old key away',
        data: { path },
      })
    throw toHarmonyError(error)
  } finally {
    await rm(draft, { force: true })
  }
}
