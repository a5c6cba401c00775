/** Keys and bundles for tests; the keys are fixed, so that signatures are too. */
import { hash } from 'node:crypto'
import type { AnyScore, Content } from '@harmony-iac/core'
import type { Sources } from '@harmony-iac/core/engine'
import type { Bundle } from '../src/bundle/bundle.ts'
import type { JudgeContext } from '../src/bundle/judge.ts'
import { type BundleRequest, makeBundle } from '../src/bundle/make-bundle.ts'
import { defaultPolicy } from '../src/bundle/policy.ts'
import { type PrivateKey, parsePrivateKey } from '../src/keys/private-key.ts'
import type { KeyAlgorithm } from '../src/keys/public-key.ts'

/** The key with this name: its seed is the digest of that. */
export function fixedKey<A extends KeyAlgorithm>(algorithm: A, name: string): PrivateKey<A> {
  const oid = algorithm === 'ed25519' ? '70' : '6e'
  const der = Buffer.from(`302e020100300506032b65${oid}04220420${hash('sha256', name, 'hex')}`, 'hex')
  const pem = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
  return parsePrivateKey(pem, algorithm, name)
}

export const alice: PrivateKey<'ed25519'> = fixedKey('ed25519', 'alice')
export const mallory: PrivateKey<'ed25519'> = fixedKey('ed25519', 'mallory')
export const sealing: PrivateKey<'x25519'> = fixedKey('x25519', 'kiosk-1')
export const lineage = '0b8f7c1e-6a52-4d0f-9a53-3f1c2f4c9a10'

/** Content that is all there. */
export function contentOf(bytes: Uint8Array): Content {
  return {
    sha256: hash('sha256', bytes, 'hex'),
    size: bytes.length,
    open: async function* () {
      yield bytes
    },
  }
}

/** Sources that hold these secrets and contents. */
export function sourcesOf(
  secrets: Readonly<Record<string, string>> = {},
  assets: Readonly<Record<string, Uint8Array>> = {},
): Sources {
  return {
    secret: async ({ $secret }) => secrets[$secret] ?? Promise.reject(new Error(`no secret ${$secret}`)),
    asset: async (path) => contentOf(assets[path] ?? Buffer.alloc(0)),
  }
}

/** A bundle for `kiosk-1`. */
export async function bundleOf(
  scores: readonly AnyScore[],
  more: Partial<BundleRequest> = {},
): Promise<Bundle> {
  const { bundle } = await makeBundle({
    project: 'shop',
    lineage,
    agent: 'kiosk-1',
    generation: 7,
    issuedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    scores,
    sources: sourcesOf(),
    sealingKey: sealing.public,
    ...more,
  })
  return bundle
}

/** What the agent `kiosk-1` knows: it trusts alice, and has accepted nothing. */
export function contextOf(more: Partial<JudgeContext> = {}): JudgeContext {
  return {
    agent: 'kiosk-1',
    trusted: [{ key: alice.public, projects: 'any' }],
    policy: defaultPolicy,
    accepted: new Map(),
    floor: 0,
    sealingKey: sealing.public.id,
    claimants: [],
    ...more,
  }
}
