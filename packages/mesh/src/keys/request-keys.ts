/**
 * The keys of bundles at work on requests: who asks signs as who ships does, in an envelope of another type, so that neither
 * passes for the other; the agent seals its answers with the key that was pinned, by the auth mode of HPKE, so that the asker
 * knows whose they are without a signature over what is confidential.
 */
import { HarmonyError } from '@harmony-iac/core/errors'
import { readEnvelope, signEnvelope, signedBytes, writeEnvelope } from '../bundle/envelope.ts'
import { largestRequest } from '../bundle/limits.ts'
import type { AgentKeys, AskerKeys } from '../requests/requests.ts'
import { open, seal } from './hpke.ts'
import { newKey, type SealingKey, type SigningKey } from './private-key.ts'
import { keyObjectOf, type PublicKey } from './public-key.ts'
import { bindingOf } from './sealed-box.ts'
import { isPast, signersOf, type TrustedKey } from './trust.ts'

/** The payload type of a request's envelope. */
export const requestType = 'application/vnd.harmony-iac.request+json'

/** The length of an encapsulated key, which stands before the encrypted part. */
const encLength = 32

/** Who asks: their keys, and the sealing key that was pinned for each agent. */
export function askerKeys(
  keys: readonly SigningKey[],
  pinned: (agent: string) => PublicKey<'x25519'> | Promise<PublicKey<'x25519'>>,
): AskerKeys {
  return {
    sign: (payload) => writeEnvelope(signEnvelope(requestType, payload, keys)),
    async sealing(agent) {
      const sender = keyObjectOf(await pinned(agent))
      const own = newKey('x25519')
      return {
        key: Buffer.from(own.public.key, 'base64'),
        open(sealed, context) {
          const parts = { enc: sealed.subarray(0, encLength), ciphertext: sealed.subarray(encLength) }
          const plain = open(own.keyObject(), parts, bindingOf('answer', context), sender)
          if (plain) return plain
          throw new HarmonyError('refused', `this was not sealed by ${agent} for this request`, {
            hint: 'compare the key that is pinned for the agent with the one that it has',
          })
        },
      }
    },
  }
}

/** The agent: its pinned key, whom it trusts, and the latest time that a store has shown it. */
export function agentKeys(
  sealing: SealingKey,
  trusted: () => readonly TrustedKey[],
  floor: () => number,
): AgentKeys {
  return {
    /** The signer is named by the fingerprint of the key. */
    verify(bytes) {
      const read = readEnvelope(bytes, largestRequest)
      if ('flaw' in read || read.value.payloadType !== requestType) throw unsigned()
      const { payload, payloadType, signatures } = read.value
      const signers = signersOf(signedBytes(payloadType, payload), signatures, trusted())
      const signer = signers.find((each) => !isPast(each, floor()))
      if (!signer) throw unsigned()
      return { payload, signer: signer.key.fingerprint }
    },
    seal(plain, to, context) {
      const recipient = keyObjectOf({ algorithm: 'x25519', key: Buffer.from(to).toString('base64') })
      const sender = sealing.keyObject()
      const { enc, ciphertext } = seal(recipient, plain, bindingOf('answer', context), { sender })
      return Buffer.concat([enc, ciphertext])
    },
  }
}

/** The same for every reason: who is not trusted is not told what was wrong. */
function unsigned(): HarmonyError {
  return new HarmonyError('refused', 'nobody who is trusted here has signed this request', {
    hint: 'have the agent trust the key: harmony keys trust',
  })
}
