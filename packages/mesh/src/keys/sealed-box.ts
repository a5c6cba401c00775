/**
 * Values that only one holder of a key can read. A box says what it is about in what it is bound to (agent, project,
 * generation, name), so that whoever can write to a store cannot move one to where it means something else: into another
 * bundle, under another name, back in time.
 */
import { canonical, type Json } from '@harmony-iac/core'
import { HarmonyError } from '@harmony-iac/core/errors'
import { type Binding, open as openSealed, seal as sealBytes } from './hpke.ts'
import type { SealingKey } from './private-key.ts'
import { keyObjectOf, type PublicKey } from './public-key.ts'

/** A sealed value as it travels. */
export interface SealedBox {
  /** The id of the key that it was sealed to. */
  readonly to: string
  /** Base64 of the encapsulated key of RFC 9180. */
  readonly enc: string
  /** Base64 of the encrypted value with its tag. */
  readonly ciphertext: string
}

/** What sort of thing is sealed: the `info` of RFC 9180, so that no box of one sort passes for one of another. */
export type Purpose = 'bundle secret' | 'answer'

/** Seals a value. `about` has to be given again to open it, exactly alike. */
export function sealTo(
  key: PublicKey<'x25519'>,
  purpose: Purpose,
  about: Json,
  value: Uint8Array,
): SealedBox {
  const { enc, ciphertext } = sealBytes(keyObjectOf(key), value, bindingOf(purpose, about))
  return { to: key.id, enc: base64(enc), ciphertext: base64(ciphertext) }
}

/**
 * Opens a box.
 * @throws HarmonyError `refused` when it was sealed to another key or about something else, or was changed.
 */
export function openBox(key: SealingKey, purpose: Purpose, about: Json, box: SealedBox): Buffer {
  const { id } = key.public
  if (box.to !== id)
    throw new HarmonyError('refused', `this was sealed to the key ${box.to}, and the key here is ${id}`, {
      hint: 'ship again: the agent tells its present key with its status',
    })
  const sealed = { enc: Buffer.from(box.enc, 'base64'), ciphertext: Buffer.from(box.ciphertext, 'base64') }
  const value = openSealed(key.keyObject(), sealed, bindingOf(purpose, about))
  if (value) return value
  throw new HarmonyError(
    'refused',
    `what was sealed to the key ${id} does not open: it was made for something else, or changed`,
    {
      hint: 'ship again',
    },
  )
}

/** What a value of a sort and about something is bound to. */
export function bindingOf(purpose: Purpose, about: Json): Binding {
  return { info: Buffer.from(`harmony 1 ${purpose}`), aad: Buffer.from(canonical(about)) }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
