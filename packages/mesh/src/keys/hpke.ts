/**
 * Hybrid Public Key Encryption (RFC 9180), one message, one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305; in base mode, where anybody may be the sender, and in auth mode, where the holder of one key is. The primitives are those of `node:crypto`; what is here is how the RFC puts them together, held to
 * its own test vectors. A construction of our own would have been shorter; nobody else could have opened its boxes.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { keyObjectOf, rawKeyOf } from './public-key.ts'

/** What was sealed. */
export interface Sealed {
  /** The encapsulated key: the sender's public key for this message only; 32 bytes. */
  readonly enc: Uint8Array
  /** The encrypted text and its tag of 16 bytes. */
  readonly ciphertext: Uint8Array
}

/** What both ends have to know alike: `info` what it is about, `aad` what is sent along. */
export interface Binding {
  readonly info: Uint8Array
  readonly aad: Uint8Array
}

/** How to seal. */
export interface SealOptions {
  /** Who seals; whoever opens has to expect exactly this key. */
  readonly sender?: KeyObject | undefined
  /** Given by test vectors and by nobody else: a second use of it breaks the secrecy. */
  readonly ephemeral?: KeyObject
}

/** Encrypts one message. */
export function seal(
  recipient: KeyObject,
  plaintext: Uint8Array,
  { info, aad }: Binding,
  { sender, ephemeral = generateKeyPairSync('x25519').privateKey }: SealOptions = {},
): Sealed {
  const enc = rawKeyOf(createPublicKey(ephemeral))
  const secrets = [ephemeral, ...(sender ? [sender] : [])].map((privateKey) =>
    diffieHellman({ privateKey, publicKey: recipient }),
  )
  const publics = [enc, rawKeyOf(recipient), ...(sender ? [rawKeyOf(createPublicKey(sender))] : [])]
  const { key, nonce } = schedule(secrets, publics, info)
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagLength })
  cipher.setAAD(aad, { plaintextLength: plaintext.length })
  return { enc, ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) }
}

/**
 * Decrypts one message; `undefined` when it was not sealed to this key under this binding, by this sender if one is given,
 * or was changed since.
 */
export function open(
  recipient: KeyObject,
  { enc, ciphertext }: Sealed,
  binding: Binding,
  sender?: KeyObject,
): Buffer | undefined {
  if (enc.length !== 32 || ciphertext.length < tagLength) return undefined
  try {
    const ephemeral = keyObjectOf({ algorithm: 'x25519', key: Buffer.from(enc).toString('base64') })
    // Fails for points of small order, as the RFC wants it.
    const secrets = [ephemeral, ...(sender ? [sender] : [])].map((publicKey) =>
      diffieHellman({ privateKey: recipient, publicKey }),
    )
    const publics = [enc, rawKeyOf(createPublicKey(recipient)), ...(sender ? [rawKeyOf(sender)] : [])]
    const { key, nonce } = schedule(secrets, publics, binding.info)
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagLength })
    const end = ciphertext.length - tagLength
    decipher.setAAD(binding.aad, { plaintextLength: end })
    decipher.setAuthTag(ciphertext.subarray(end))
    return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()])
  } catch {
    return undefined // which of the reasons it was helps an attacker only
  }
}

const tagLength = 16
const kem = Buffer.from('KEM\x00\x20', 'latin1')
const suite = Buffer.from('HPKE\x00\x20\x00\x01\x00\x03', 'latin1')
const nothing = new Uint8Array()

/** Sections 4.1 (ExtractAndExpand) and 5.1 (KeySchedule), without a pre-shared key. A second secret is that of the sender. */
function schedule(secrets: readonly Uint8Array[], publics: readonly Uint8Array[], info: Uint8Array) {
  const prk = extract(kem, nothing, 'eae_prk', Buffer.concat(secrets))
  const shared = expand(kem, prk, 'shared_secret', publics, 32)
  const [base, auth] = [0, 2]
  const context = [
    new Uint8Array([secrets.length > 1 ? auth : base]),
    extract(suite, nothing, 'psk_id_hash', nothing),
    extract(suite, nothing, 'info_hash', info),
  ]
  const secret = extract(suite, shared, 'secret', nothing)
  return {
    key: expand(suite, secret, 'key', context, 32),
    nonce: expand(suite, secret, 'base_nonce', context, 12),
  }
}

/** LabeledExtract. */
function extract(of: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
  return hmac(salt, ['HPKE-v1', of, label, ikm])
}

/** LabeledExpand; at most 32 bytes, so that one round of HKDF-Expand is all of it. */
function expand(
  of: Uint8Array,
  key: Uint8Array,
  label: string,
  info: readonly Uint8Array[],
  length: 12 | 32,
): Buffer {
  return hmac(key, [
    new Uint8Array([0, length]),
    'HPKE-v1',
    of,
    label,
    ...info,
    new Uint8Array([1]),
  ]).subarray(0, length)
}

function hmac(key: Uint8Array, parts: readonly (Uint8Array | string)[]): Buffer {
  const made = createHmac('sha256', key)
  for (const part of parts) made.update(part)
  return made.digest()
}
