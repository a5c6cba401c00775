/**
 * Private keys. The bytes stay within `node:crypto`; what is passed around prints nothing but the public half.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core/errors'
import { type KeyAlgorithm, keyObjectOf, type PublicKey, publicKey, rawKeyOf } from './public-key.ts'

/** A key pair; only its public half can be seen or serialized. */
export class PrivateKey<A extends KeyAlgorithm = KeyAlgorithm> {
  readonly public: PublicKey<A>
  readonly #key: KeyObject

  constructor(algorithm: A, key: KeyObject, comment: string) {
    this.#key = key
    this.public = publicKey(algorithm, rawKeyOf(createPublicKey(key)), comment)
  }

  /** As it is stored: PKCS#8 in PEM, not encrypted. */
  toPem(): string {
    return this.#key.export({ format: 'pem', type: 'pkcs8' }).toString()
  }

  /** For the functions of `node:crypto`. */
  keyObject(): KeyObject {
    return this.#key
  }
}

/** What bundles and requests are signed with. */
export type SigningKey = PrivateKey<'ed25519'>
/** What opens that which was sealed to its public half. */
export type SealingKey = PrivateKey<'x25519'>

/** A new key. */
export function newKey<A extends KeyAlgorithm>(algorithm: A, comment = ''): PrivateKey<A> {
  const { privateKey } =
    algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
  return new PrivateKey(algorithm, privateKey, comment)
}

/**
 * Reads a key from PEM.
 * @throws HarmonyError `invalid-value`, which never tells anything of the text.
 */
export function parsePrivateKey<A extends KeyAlgorithm>(
  pem: string,
  algorithm: A,
  comment = '',
): PrivateKey<A> {
  const hint = `make one with openssl genpkey -algorithm ${algorithm}`
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    // The cause is left out: nobody vouches for what a decoder puts into its message.
    const why = /ENCRYPTED/.test(pem) ? 'it is encrypted' : 'it is not PEM, or not complete'
    throw new HarmonyError('invalid-value', `this cannot be used as a private key: ${why}`, { hint })
  }
  if (key.asymmetricKeyType !== algorithm)
    throw new HarmonyError(
      'invalid-value',
      `this is a private key of the type ${key.asymmetricKeyType}, and ${algorithm} was asked for`,
      { hint },
    )
  return new PrivateKey(algorithm, key, comment)
}

/** The signature of these bytes: 64 bytes, the same each time (RFC 8032). */
export function signBytes(key: SigningKey, bytes: Uint8Array): Buffer {
  return sign(null, bytes, key.keyObject())
}

/** Whether a signature was made by this key, of exactly these bytes. Never throws. */
export function isSignedBy(key: PublicKey<'ed25519'>, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  try {
    return verify(null, bytes, keyObjectOf(key), signature)
  } catch {
    return false // 32 bytes that are no point of the curve
  }
}
