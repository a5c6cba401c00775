/**
 * Public keys as people handle them: one line each, to be pasted into a configuration. The line names the key's short id
 * although that follows from the key, so that a mistyped line is noticed, and so that people can find it in logs.
 *
 * Two algorithms, one purpose each: ed25519 (RFC 8032) signs, x25519 (RFC 7748) is sealed to. Nothing is negotiated.
 */
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core/errors'

/** What a key is for: `ed25519` signs, `x25519` is what secrets are sealed to. */
export type KeyAlgorithm = 'ed25519' | 'x25519'

/** A public key; plain data. */
export interface PublicKey<A extends KeyAlgorithm = KeyAlgorithm> {
  readonly algorithm: A
  /** The first 16 digits of the fingerprint: a name for people and logs, never what a decision rests on. */
  readonly id: string
  /** sha256 of the key in its standard form (RFC 8410, SubjectPublicKeyInfo), in lower-case hex. */
  readonly fingerprint: string
  /** Its 32 bytes, as base64. */
  readonly key: string
  /** Whose it is: `alice@laptop`. Empty when nobody said. */
  readonly comment: string
}

/** What `openssl` and everybody else writes in front of the 32 bytes (RFC 8410, section 4). */
const prefixes: Readonly<Record<KeyAlgorithm, Buffer>> = {
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
  x25519: Buffer.from('302a300506032b656e032100', 'hex'),
}

/** The public key with these 32 bytes. */
export function publicKey<A extends KeyAlgorithm>(algorithm: A, raw: Uint8Array, comment = ''): PublicKey<A> {
  const fingerprint = hash('sha256', Buffer.concat([prefixes[algorithm], raw]), 'hex')
  const key = Buffer.from(raw).toString('base64')
  return { algorithm, id: fingerprint.slice(0, 16), fingerprint, key, comment: commentOf(comment) }
}

/** A key as the line that {@link parsePublicKey} reads: `ed25519 ID KEY COMMENT`. */
export function publicKeyLine({ algorithm, id, key, comment }: PublicKey): string {
  return [algorithm, id, key, comment].filter((part) => part !== '').join(' ')
}

/**
 * Reads the line of a public key.
 * @throws HarmonyError `invalid-value`. It never quotes the line: somebody may have taken the wrong file.
 */
export function parsePublicKey<A extends KeyAlgorithm>(line: string, algorithm: A): PublicKey<A> {
  const invalid = (what: string, hint: string) => new HarmonyError('invalid-value', what, { hint })
  const form = `it has the form: ${algorithm} ID KEY COMMENT`
  if (/PRIVATE KEY/.test(line))
    throw invalid(
      'this is a private key, and a public one was asked for',
      'give the line in the file NAME.pub',
    )
  const [, type, id, key = '', comment = ''] =
    /^([a-z0-9-]+) +([0-9a-f]{16}) +([A-Za-z0-9+/]{43}=)(?: +(\S.*))?$/.exec(line.trim()) ?? []
  if (type === undefined) throw invalid('this is not the line of a public key', form)
  if (type !== algorithm)
    throw invalid(
      `this is a key of the type ${type}, and ${algorithm} was asked for`,
      algorithm === 'x25519'
        ? 'secrets are sealed to the x25519 key of the agent'
        : 'bundles are signed with an ed25519 key',
    )
  const raw = Buffer.from(key, 'base64')
  // The last character of 32 bytes carries two bits that mean nothing; with others set the line is another one.
  if (raw.toString('base64') !== key)
    throw invalid('the key in this line is mistyped', 'copy the whole line again')
  const read = publicKey(algorithm, raw, comment)
  if (read.id !== id)
    throw invalid(
      `this line says ${id}, but the key in it is ${read.id}: a part of it was mistyped or exchanged`,
      'copy the whole line again',
    )
  return read
}

/** For the functions of `node:crypto`. */
export function keyObjectOf({ algorithm, key }: Pick<PublicKey, 'algorithm' | 'key'>): KeyObject {
  const der = Buffer.concat([prefixes[algorithm], Buffer.from(key, 'base64')])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

/** The 32 bytes of a key. */
export function rawKeyOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** In one line, whatever somebody's host name holds. */
function commentOf(comment: string): string {
  return comment
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, 200)
}
