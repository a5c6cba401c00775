/** Where the values come from that a spec only refers to: secrets and the content of local files. */
import { createHash } from 'node:crypto'
import { type BigIntStats, createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Content, Secret } from '@harmony-iac/core'
import type { Sources } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'

const mostSecretBytes = 1024 * 1024

/** What sources need of their surroundings. */
export interface SourcesOptions {
  /** The folder of the project file. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told once for each secret that others can read. */
  readonly warn: (message: string) => void
}

/** Secrets from the environment or files, assets from beside the project file. */
export function projectSources({ folder, env, warn }: SourcesOptions): Sources {
  const warned = new Set<string>()

  /** `undefined` when there is no such file. */
  async function readSecret(path: string): Promise<string | undefined> {
    try {
      const found = await stat(path)
      // A pipe would be waited for, and a device need not end.
      if (!found.isFile()) throw new HarmonyError('secret-missing', `${path} with a secret is not a file`)
      if (found.size > mostSecretBytes)
        throw new HarmonyError('secret-missing', `${path} is too big for a secret: ${found.size} bytes`, {
          hint: 'a secret may have 1 MiB; what is bigger is an asset',
        })
      const { mode } = found
      if ((mode & 0o004) !== 0 && !warned.has(path)) {
        warned.add(path)
        warn(`${path} holds a secret and can be read by everybody: chmod 600 it`)
      }
      return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    } catch (error) {
      if (error instanceof HarmonyError) throw error
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw new HarmonyError('secret-missing', `the file ${path} with a secret cannot be read (${code})`, {
        cause: error,
      })
    }
  }

  return {
    async secret(secret) {
      const looked: string[] = []
      const fromEnvironment = (name: string): string | undefined => {
        looked.push(`the environment variable ${name}`)
        return env[name]
      }
      const fromFile = (path: string): Promise<string | undefined> => {
        looked.push(path)
        return readSecret(path)
      }
      const value = await findSecret(secret, folder, fromEnvironment, fromFile)
      if (value !== undefined) return value
      throw new HarmonyError('secret-missing', `the secret ${secret.$secret} is not known`, {
        hint: `it was looked for in ${looked.join(', and in ')}`,
        data: { secret: secret.$secret, looked },
      })
    },
    asset: (path) => readAsset(resolve(folder, path), path),
  }
}

async function findSecret(
  secret: Secret & { readonly $secret: string },
  folder: string,
  fromEnvironment: (name: string) => string | undefined,
  fromFile: (path: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const { $secret: name, env, file } = secret
  if (env !== undefined || file !== undefined)
    return (
      (env !== undefined ? fromEnvironment(env) : undefined) ??
      (file !== undefined ? await fromFile(resolve(folder, file)) : undefined)
    )
  const usual = fromEnvironment(`HARMONY_SECRET_${name.toUpperCase().replace(/[-.]/g, '_')}`)
  if (usual !== undefined) return usual
  // A name is not a path: `../x` would leave the folder.
  return /^[\w][\w.-]*$/.test(name) ? fromFile(join(folder, 'secrets', name)) : undefined
}

const chunkSize = 256 * 1024

async function readAsset(path: string, written: string): Promise<Content> {
  try {
    const before = await identify(path)
    const digest = createHash('sha256')
    let size = 0
    for await (const chunk of createReadStream(path, { highWaterMark: chunkSize })) {
      digest.update(chunk as Buffer)
      size += (chunk as Buffer).byteLength
    }
    if ((await identify(path)) !== before) throw changed(written)
    return { sha256: digest.digest('hex'), size, open: () => reopen(path, written, before) }
  } catch (error) {
    throw unreadable(error, written)
  }
}

/** Reads what was hashed, or fails: also when it is changed while it is being read. */
async function* reopen(path: string, written: string, hashed: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path, 'r')
    if (signature(await file.stat({ bigint: true })) !== hashed) throw changed(written)
    for await (const chunk of file.createReadStream({ highWaterMark: chunkSize, autoClose: false }))
      yield chunk as Buffer
    if (signature(await file.stat({ bigint: true })) !== hashed) throw changed(written)
  } catch (error) {
    throw unreadable(error, written)
  }
}

async function identify(path: string): Promise<string> {
  const found = await stat(path, { bigint: true })
  if (!found.isFile()) throw new HarmonyError('asset-unreadable', `${path} is not a file`)
  return signature(found)
}

function signature({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

function changed(written: string): HarmonyError {
  return new HarmonyError('asset-unreadable', `${written} was changed while it was being used`, {
    hint: 'apply again when it has come to rest',
  })
}

function unreadable(error: unknown, written: string): unknown {
  if (!(error instanceof Error) || error.name === 'HarmonyError') return error
  const { code } = error as NodeJS.ErrnoException
  const why =
    code === 'ENOENT'
      ? 'does not exist'
      : code === 'EACCES'
        ? 'may not be read'
        : `cannot be read (${code ?? error.message})`
  return new HarmonyError('asset-unreadable', `the asset ${written} ${why}`, {
    hint: 'the path is relative to the folder of the project file',
    cause: error,
  })
}
