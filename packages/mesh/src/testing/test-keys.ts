/**
 * Keys for tests, of `node:crypto` alone: ed25519 signatures, and seals by X25519 between the request's key and the
 * agent's. Real signatures, so that a check that forges is refused for the right reason; not the envelope that is used.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { AgentKeys, AskerKeys } from '../requests/requests.ts'

/** An agent with its keys, those it trusts, and an asker who knows it. */
export interface TestKeys {
  readonly agent: AgentKeys
  readonly asker: AskerKeys
  /** Somebody whom the agent does not trust. */
  readonly stranger: AskerKeys
}

/** Draws them. */
export function testKeys(): TestKeys {
  const [trusted, untrusted] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const pinned = generateKeyPairSync('x25519')
  const askerWith = (key: KeyObject): AskerKeys => ({
    sign: (payload) => Buffer.concat([sign(null, payload, key), payload]),
    sealing: () => {
      const own = generateKeyPairSync('x25519')
      return {
        key: own.publicKey.export({ type: 'spki', format: 'der' }),
        open: (sealed, context) => {
          const decipher = createDecipheriv(
            'chacha20-poly1305',
            shared(own.privateKey, pinned.publicKey, context),
            nonce,
            { authTagLength: 16 },
          )
          decipher.setAuthTag(sealed.subarray(0, 16))
          return Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()])
        },
      }
    },
  })
  return {
    asker: askerWith(trusted.privateKey),
    stranger: askerWith(untrusted.privateKey),
    agent: {
      verify: (envelope) => {
        const payload = envelope.subarray(64)
        if (!verify(null, payload, trusted.publicKey, envelope.subarray(0, 64)))
          throw new TypeError('not signed')
        return { payload, signer: 'operator' }
      },
      seal: (plain, to, context) => {
        const key = createPublicKey({ key: Buffer.from(to), type: 'spki', format: 'der' })
        const cipher = createCipheriv('chacha20-poly1305', shared(pinned.privateKey, key, context), nonce, {
          authTagLength: 16,
        })
        const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
        return Buffer.concat([cipher.getAuthTag(), sealed])
      },
    },
  }
}

/** Each context has a key of its own, so the nonce can be the same. */
const nonce = Buffer.alloc(12)

function shared(privateKey: KeyObject, publicKey: KeyObject, context: string): Uint8Array {
  const secret = diffieHellman({ privateKey, publicKey })
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), context, 32))
}
