/**
 * Which keys may sign for which projects: plain data in the configuration of an agent, and nowhere else.
 *
 * A key is exchanged by trusting the new one as well and, for as long as some agent has not heard of it, signing with both:
 * an envelope takes several signatures, and one that the agent trusts is enough. An announcement of the new key signed by the
 * old one would spare the visit to the agent, and would give whoever stole the old key a way to stay.
 */
import { isSignedBy } from './private-key.ts'
import type { PublicKey } from './public-key.ts'

/** A key that an agent trusts. */
export interface TrustedKey {
  readonly key: PublicKey<'ed25519'>
  /** Names of the projects that it may sign for; `any` for all. */
  readonly projects: 'any' | readonly string[]
  /**
   * Accepts nothing more by this key once the store's time has passed this: milliseconds since 1970. There is no `from`: the
   * agent knows that it is at least so late, never that it is not yet.
   */
  readonly until?: number | undefined
}

/** One signature and the hint whose it is. */
export interface Signature {
  /** The id of a key, or empty. Not authenticated: it saves trying all keys, and decides nothing. */
  readonly keyid: string
  readonly sig: Uint8Array
}

/** The trusted keys that signed these bytes, each once, in the order of the signatures. */
export function signersOf(
  bytes: Uint8Array,
  signatures: readonly Signature[],
  trusted: readonly TrustedKey[],
): readonly TrustedKey[] {
  const found = new Set<TrustedKey>()
  for (const { keyid, sig } of signatures)
    for (const each of trusted)
      if ((keyid === '' || keyid === each.key.id) && !found.has(each) && isSignedBy(each.key, bytes, sig))
        found.add(each)
  return [...found]
}

/** Whether a key may sign for a project. */
export function maySignFor({ projects }: TrustedKey, project: string): boolean {
  return projects === 'any' || projects.includes(project)
}

/** Whether a key is of no use any more at this time of the store. */
export function isPast({ until }: TrustedKey, floor: number): boolean {
  return until !== undefined && floor > until
}
