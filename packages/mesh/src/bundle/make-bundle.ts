/**
 * From what `deploy` was given to what is signed: composites expanded as the plan does it, secrets fetched and sealed,
 * content digested and, when it is small, put in.
 */
import type { AnyScore, Content } from '@harmony-iac/core'
import { deriveGraph, encodeScore, expand, type Sources } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { SigningKey } from '../keys/private-key.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { type SealedBox, sealTo } from '../keys/sealed-box.ts'
import {
  aboutSecret,
  type Bundle,
  type BundledAsset,
  bundleSchema,
  bundleType,
  refuseInvalid,
} from './bundle.ts'
import { type Envelope, signEnvelope, writeEnvelope } from './envelope.ts'
import { lateValuesOf, type NamedSecret } from './late-values.ts'
import { inlineContent, largestContent, largestEnvelope } from './limits.ts'
import { writeStrictJson } from './strict-json.ts'

/** What a bundle is made from. */
export interface BundleRequest
  extends Pick<Bundle, 'project' | 'lineage' | 'agent' | 'generation' | 'planDigest' | 'allowRemoval'> {
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt?: number | undefined
  /** As given to `deploy`. */
  readonly scores: readonly AnyScore[]
  readonly sources: Sources
  /** The agent's key; needed when a spec names a secret. */
  readonly sealingKey?: PublicKey<'x25519'> | undefined
}

/** A bundle with the contents that do not travel in it, by their digests. */
export interface MadeBundle {
  readonly bundle: Bundle
  readonly contents: ReadonlyMap<string, Content>
}

/**
 * Makes a bundle.
 * @throws HarmonyError `invalid-spec`, whatever a plan of these Scores throws, `secret-missing`, `asset-unreadable`, `refused`
 *   when there are secrets and no key of the agent, `invalid-value` when one name stands for two secrets.
 */
export async function makeBundle(request: BundleRequest): Promise<MadeBundle> {
  const { project, lineage, agent, generation, planDigest, allowRemoval, sources } = request
  refuseInvalid(request.scores)
  const { leaves } = deriveGraph(expand(request.scores))
  const scores = [...leaves.values()].map(({ score, options }) => ({ ...encodeScore(score), ...options }))

  const late = lateValuesOf(scores)
  const secrets = byName(late.secrets)
  const sealed: Record<string, SealedBox> = {}
  for (const [name, { secret, id }] of secrets) {
    if (!request.sealingKey)
      throw new HarmonyError(
        'refused',
        `${id} holds the secret ${name}, and the key of the agent ${agent} is not known`,
        {
          address: id,
          hint: 'give the agent’s sealing key; it is pinned when the agent is installed',
        },
      )
    const value = Buffer.from(await sources.secret(secret))
    sealed[name] = sealTo(request.sealingKey, 'bundle secret', aboutSecret(request, name), value)
  }
  const contents = new Map<string, Content>()
  const assets: Record<string, BundledAsset> = {}
  for (const path of late.assets) {
    const content = await sources.asset(path)
    const { sha256, size } = content
    if (size > largestContent)
      throw new HarmonyError(
        'refused',
        `${path} has ${size} bytes, and at most ${largestContent} are shipped`,
        {
          hint: 'have the device fetch it from where large files are kept',
        },
      )
    const isInline = size <= inlineContent
    assets[path] = { sha256, size, ...(isInline && { content: await base64Of(content) }) }
    if (!isInline) contents.set(sha256, content)
  }
  const bundle: Bundle = {
    harmony: 1,
    project,
    lineage,
    agent,
    generation,
    issuedAt: isoTime(request.issuedAt),
    ...(request.expiresAt !== undefined && { expiresAt: isoTime(request.expiresAt) }),
    ...(planDigest !== undefined && { planDigest }),
    ...(allowRemoval && { allowRemoval }),
    scores,
    ...(late.assets.size > 0 && { assets }),
    ...(secrets.size > 0 && { sealed }),
  }
  refuseMisformed(bundle)
  return { bundle, contents }
}

/**
 * Signs a bundle, with every key given: with the old and the new one while keys are exchanged.
 * @throws HarmonyError `refused` when it is too large.
 */
export function signBundle(bundle: Bundle, keys: readonly SigningKey[]): Envelope {
  const envelope = signEnvelope(bundleType, writeStrictJson(bundle), keys)
  const { length } = writeEnvelope(envelope)
  if (length > largestEnvelope)
    throw new HarmonyError('refused', `the bundle has ${length} bytes, and agents take ${largestEnvelope}`, {
      hint: 'put large content into files and name them with asset(…)',
    })
  return envelope
}

/** Secrets by name. */
function byName(secrets: readonly NamedSecret[]): ReadonlyMap<string, NamedSecret> {
  const known = new Map<string, NamedSecret>()
  for (const each of secrets) {
    const name = each.secret.$secret
    const other = known.get(name)
    if (other)
      throw new HarmonyError(
        'invalid-value',
        `the secret ${name} comes from one place in ${other.id} and from another in ${each.id}`,
        { address: each.id, hint: 'an agent knows a secret by its name: give one of the two another name' },
      )
    known.set(name, each)
  }
  return known
}

function isoTime(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) throw new HarmonyError('invalid-value', `${ms} is no time`)
  return date.toISOString()
}

async function base64Of(content: Content): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of content.open()) pieces.push(piece)
  return Buffer.concat(pieces).toString('base64')
}

/** What an agent would refuse is told here, where it can be put right. */
function refuseMisformed(bundle: Bundle): void {
  const { error } = bundleSchema().safeParse(bundle)
  if (!error) return
  const issues = error.issues.map(({ path, message }) => ({
    path: path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    message,
  }))
  const [first] = issues
  throw new HarmonyError(
    'invalid-value',
    `a bundle cannot have this ${first?.path.join('.')}: ${first?.message}`,
    { issues },
  )
}
