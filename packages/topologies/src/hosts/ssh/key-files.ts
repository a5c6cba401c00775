/** The files of keys: what is in them, as far as it can be told without a passphrase. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { ParsedKey } from 'ssh2'
import { isErrno } from '../local-stat.ts'

/** Why a key cannot be used; `error` says it to people. */
export interface UnusableKey {
  readonly status: 'missing' | 'unreadable' | 'not-a-private-key' | 'too-open' | 'locked'
  readonly path: string
  readonly error: HarmonyError
}

/** What was found at the path of a private key. */
export type KeyFile =
  | { readonly status: 'ready'; readonly path: string; readonly key: ParsedKey }
  /** It has a passphrase. `version` changes whenever the file does. */
  | { readonly status: 'encrypted'; readonly path: string; readonly text: string; readonly version: string }
  | UnusableKey

/** Reads a private key, as far as that goes without its passphrase. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const found = openKeyFile(path)
  if (!('text' in found)) return found
  const { text, tooOpen, version } = found
  // Only a private key has something to hide.
  if (!looksPrivate(text)) return notPrivate(path, text)
  if (tooOpen) return tooOpen
  const key = await parseKey(text)
  if (!(key instanceof Error)) return key ? { status: 'ready', path, key } : notPrivate(path, text)
  if (/no passphrase given/.test(key.message)) return { status: 'encrypted', path, text, version }
  return notPrivate(path, text, key)
}

/** A key with its passphrase; an error when it is the wrong one. */
export async function parseKey(text: string, passphrase?: string): Promise<ParsedKey | Error | undefined> {
  const { default: ssh2 } = await import('ssh2')
  // By its types it never is undefined; of a file with no keys in it, it is.
  const key: ParsedKey | Error | undefined = ssh2.utils.parseKey(text, passphrase)
  return key
}

/**
 * The public half of a key, by which an agent and a server know it; also of one that is encrypted, or whose private half
 * is in the agent alone. `undefined` when nothing says what it is.
 */
export async function readPublicKey(path: string): Promise<Buffer | undefined> {
  // As OpenSSH: the file itself is believed before the `.pub` beside it, which may be that of another key.
  for (const candidate of [path, `${path}.pub`]) {
    const found = openKeyFile(candidate)
    if (!('text' in found)) continue
    const shown = shownPublicKey(found.text)
    if (shown) return shown
    const key = await parseKey(found.text)
    if (key && !(key instanceof Error)) return key.getPublicSSH()
  }
  return undefined
}

/** What OpenSSH's own format shows of an encrypted key (openssh-portable, PROTOCOL.key). */
function shownPublicKey(text: string): Buffer | undefined {
  const [, body] = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([\s\S]+)-----END/.exec(text.trim()) ?? []
  const data = Buffer.from(body ?? '', 'base64')
  if (data.toString('latin1', 0, 15) !== 'openssh-key-v1\0') return undefined
  // Cipher, how its key is made, and with what; then a count, and the first key.
  let at = 15
  for (let skipped = 0; skipped < 3; skipped++) {
    if (at + 4 > data.length) return undefined
    at += 4 + data.readUInt32BE(at)
  }
  at += 4
  if (at + 4 > data.length) return undefined
  const end = at + 4 + data.readUInt32BE(at)
  return end > data.length ? undefined : data.subarray(at + 4, end)
}

interface OpenedKey {
  readonly text: string
  readonly tooOpen: UnusableKey | undefined
  readonly version: string
}

// As OpenSSH (MAX_KEY_FILE_SIZE).
const sizeLimit = 1024 * 1024

function openKeyFile(path: string): OpenedKey | UnusableKey {
  try {
    const fd = openSync(path, 'r')
    try {
      const stats = fstatSync(fd, { bigint: true })
      if (stats.isDirectory() || stats.size > sizeLimit) return notPrivate(path, '')
      const text = readFileSync(fd, 'utf8')
      const mode = Number(stats.mode) & 0o777
      // As OpenSSH: of somebody else's file the mode is theirs to choose.
      const ours = Number(stats.uid) === process.getuid?.()
      return {
        text,
        tooOpen: ours && mode & 0o077 ? tooOpenKey(path, mode) : undefined,
        version: `${stats.dev}:${stats.ino}:${stats.mtimeNs}:${stats.size}`,
      }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return missing(path, error)
    return {
      status: 'unreadable',
      path,
      error: toHarmonyError(error, { hint: 'make the key readable for you, or name another IdentityFile' }),
    }
  }
}

function looksPrivate(text: string): boolean {
  return /PRIVATE KEY-----|^PuTTY-User-Key-File/.test(text)
}

function missing(path: string, cause: unknown): UnusableKey {
  const error = new HarmonyError('system', `${path}: there is no such key`, {
    hint: `make one (ssh-keygen -f ${path}), or name another IdentityFile`,
    cause,
    data: { errno: 'ENOENT', path },
  })
  return { status: 'missing', path, error }
}

function tooOpenKey(path: string, mode: number): UnusableKey {
  const error = new HarmonyError(
    'refused',
    `${path}: others can read this private key (mode 0${mode.toString(8)}), so it may not be yours alone`,
    { hint: `chmod 600 ${path}`, data: { path, mode } },
  )
  return { status: 'too-open', path, error }
}

function notPrivate(path: string, text: string, cause?: Error): UnusableKey {
  const what = /^(ssh-|ecdsa-|sk-)\S+ AAAA/.test(text.trimStart())
    ? 'this is a public key'
    : (cause?.message ?? 'this is not a private key')
  const hint = looksPrivate(text)
    ? `if it is a key, rewrite it in the format of OpenSSH: ssh-keygen -p -f ${path}; keys in hardware are used through ssh-agent`
    : 'name the file of the private key, or put the key into ssh-agent'
  const error = new HarmonyError('invalid-value', `${path}: ${what}`, { hint, cause, data: { path } })
  return { status: 'not-a-private-key', path, error }
}
