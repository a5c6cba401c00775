/**
 * Whether an agent accepts a bundle. Pure: the same bytes in the same context get the same answer, which says why. Nothing
 * of a payload is parsed before a trusted key has been found to have signed it.
 *
 * Acceptance is about this bundle as a whole. Whether single Scores of it can be read is told with it, and rejects nothing:
 * an agent of an older version keeps true what it understands.
 */

import { hash } from 'node:crypto'
import { type Claimant, ClaimIndex } from '@harmony-iac/core/engine'
import { isPast, maySignFor, signersOf, type TrustedKey } from '../keys/trust.ts'
import { type Bundle, type BundledAsset, bundleSchema, bundleType } from './bundle.ts'
import { type OpenedEnvelope, readEnvelope, signedBytes } from './envelope.ts'
import { lateValuesOf } from './late-values.ts'
import { largestEnvelope } from './limits.ts'
import { type Policy, violationsOf } from './policy.ts'
import type { ClaimConflict, Rejection } from './rejection.ts'
import { readScore, type ScoreReading } from './scores.ts'
import { type Flaw, readStrictJson } from './strict-json.ts'

/** What an agent has accepted of a project. */
export interface Accepted {
  readonly lineage: string
  readonly generation: number
  /** {@link Acceptance.digest} of the bundle. */
  readonly digest: string
}

/** What an agent knows when it judges. */
export interface JudgeContext {
  /** The id of the agent. */
  readonly agent: string
  readonly trusted: readonly TrustedKey[]
  readonly policy: Policy
  /** The last bundle accepted, by project. It outlives the Scores: what was removed is not to be replayed. */
  readonly accepted: ReadonlyMap<string, Accepted>
  /** It is at least so late: the highest time that any store has shown, milliseconds since 1970. */
  readonly floor: number
  /** The id of the agent's sealing key. */
  readonly sealingKey: string
  /** What the Scores of other projects claim. The bundle's own project is passed over. */
  readonly claimants: readonly (Claimant & { readonly project: string })[]
  /** Names of the capabilities that the topology offers; left out, all are. */
  readonly offered?: ReadonlySet<string> | undefined
}

/** A bundle that is accepted. */
export interface Acceptance {
  readonly verdict: 'accepted'
  readonly bundle: Bundle
  /** sha256 of what was signed. */
  readonly digest: string
  /** The key whose signature counted. */
  readonly key: TrustedKey['key']
  /** Its Scores, as this agent reads them. */
  readonly scores: readonly ScoreReading[]
}

/** What becomes of an envelope. */
export type Verdict =
  | Acceptance
  /** It is the one that was accepted last: there is nothing to do. */
  | { readonly verdict: 'current'; readonly project: string; readonly generation: number }
  | {
      readonly verdict: 'rejected'
      readonly rejection: Rejection
      /** What it says it is; there once a trusted key has vouched for it. */
      readonly about?: Pick<Bundle, 'project' | 'lineage' | 'generation'> | undefined
    }

/** Judges the bytes of an envelope. Never throws. */
export function judge(envelope: Uint8Array, context: JudgeContext): Verdict {
  const opened = readEnvelope(envelope, largestEnvelope)
  if ('flaw' in opened) return rejected(rejectionOf(opened))
  const digest = hash('sha256', opened.value.payload, 'hex')
  // It was judged once, and what is in force stays so: also when its time is over, or the key that signed it.
  for (const [project, { generation, digest: last }] of context.accepted)
    if (last === digest) return { verdict: 'current', project, generation }
  const signers = trustedSigners(opened.value, context)
  if ('reason' in signers) return rejected(signers)
  const read = readBundle(opened.value)
  if ('reason' in read) return rejected(read)
  const { project, lineage, generation } = read
  const about = { project, lineage, generation }

  const signer = authorized(signers, read, context)
  if ('reason' in signer) return rejected(signer, about)
  const last = context.accepted.get(project)
  const stale = staleness(read, last, context.floor)
  if (stale) return rejected(stale, about)

  const duplicates = duplicatesOf(read.scores.map(({ id }) => id))
  if (duplicates.length > 0) return rejected({ reason: 'duplicate-address', addresses: duplicates }, about)
  const scores = read.scores.map((wire) => readScore(wire, context.offered))
  const rejection =
    forbidden(scores, context.policy) ?? incompleteness(read, context) ?? conflicts(project, scores, context)
  if (rejection) return rejected(rejection, about)
  return { verdict: 'accepted', bundle: read, digest, key: signer.key, scores }
}

function rejected(rejection: Rejection, about?: Pick<Bundle, 'project' | 'lineage' | 'generation'>): Verdict {
  return { verdict: 'rejected', rejection, ...(about && { about }) }
}

function rejectionOf(flaw: Flaw): Rejection {
  return flaw.flaw === 'too-large'
    ? { reason: 'too-large', size: flaw.size, limit: flaw.limit }
    : { reason: 'garbled', detail: flaw.detail }
}

function trustedSigners(
  { payload, payloadType, signatures }: OpenedEnvelope,
  { trusted }: JudgeContext,
): readonly TrustedKey[] | Rejection {
  if (signatures.length === 0) return { reason: 'unsigned' }
  const signers = signersOf(signedBytes(payloadType, payload), signatures, trusted)
  if (signers.length > 0) return signers
  const keyids = signatures.map(({ keyid }) => keyid).filter((keyid) => keyid !== '')
  const known = keyids.filter((keyid) => trusted.some(({ key }) => key.id === keyid))
  return known.length > 0 ? { reason: 'bad-signature', keyids: known } : { reason: 'unknown-key', keyids }
}

function readBundle({ payload, payloadType }: OpenedEnvelope): Bundle | Rejection {
  if (payloadType !== bundleType) return { reason: 'not-a-bundle', payloadType: payloadType.slice(0, 200) }
  const read = readStrictJson(payload, largestEnvelope)
  if ('flaw' in read) return rejectionOf(read)
  const form = (read.value as { readonly harmony?: unknown } | null)?.harmony
  if (typeof form === 'number' && form > 1) return { reason: 'newer-form', form }
  const parsed = bundleSchema().safeParse(read.value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = issue?.path.join('.') || 'the bundle'
  const isMissing = issue?.message.endsWith('received undefined')
  return { reason: 'garbled', detail: `${at}: ${isMissing ? 'it is missing' : issue?.message}` }
}

/** The first of those who signed that may sign for it; otherwise why none may. */
function authorized(
  signers: readonly TrustedKey[],
  { agent, project }: Bundle,
  context: JudgeContext,
): TrustedKey | Rejection {
  if (agent !== context.agent) return { reason: 'wrong-audience', agent }
  const { floor } = context
  const permitted = signers.filter((each) => maySignFor(each, project))
  const signer = permitted.find((each) => !isPast(each, floor))
  if (signer) return signer
  const [past] = permitted
  if (past?.until !== undefined) return { reason: 'key-past', key: past.key.id, until: past.until, floor }
  return { reason: 'key-not-for-project', key: signers.map(({ key }) => key.id).join(' '), project }
}

function staleness(
  { lineage, generation, expiresAt }: Bundle,
  last: Accepted | undefined,
  floor: number,
): Rejection | undefined {
  if (last && last.lineage !== lineage) return { reason: 'other-lineage', here: last.lineage, lineage }
  if (last && generation <= last.generation)
    return { reason: 'old-generation', generation, last: last.generation }
  if (expiresAt !== undefined && floor > Date.parse(expiresAt)) return { reason: 'expired', expiresAt, floor }
  return undefined
}

function forbidden(scores: readonly ScoreReading[], policy: Policy): Rejection | undefined {
  const violations = violationsOf(scores, policy)
  return violations.length > 0 ? { reason: 'policy', violations } : undefined
}

/** What would fail later, when the last good bundle is no longer in force. */
function incompleteness(
  { scores, assets = {}, sealed = {} }: Bundle,
  { sealingKey }: JudgeContext,
): Rejection | undefined {
  const named = lateValuesOf(scores)
  const missing = new Set(
    named.secrets.map(({ secret }) => secret.$secret).filter((name) => !Object.hasOwn(sealed, name)),
  )
  const absent = [...named.assets].filter((path) => !Object.hasOwn(assets, path))
  const otherKey = Object.keys(sealed).filter((name) => sealed[name]?.to !== sealingKey)
  if (missing.size + absent.length + otherKey.length > 0)
    return { reason: 'incomplete', secrets: [...missing], assets: absent, otherKey }
  const spoilt = Object.keys(assets).find((path) => isSpoilt(assets[path]))
  return spoilt === undefined
    ? undefined
    : { reason: 'garbled', detail: `the content of ${spoilt} has another digest` }
}

function isSpoilt(asset: BundledAsset | undefined): boolean {
  if (asset?.content === undefined) return false
  const bytes = Buffer.from(asset.content, 'base64')
  return bytes.length !== asset.size || hash('sha256', bytes, 'hex') !== asset.sha256
}

function conflicts(
  project: string,
  scores: readonly ScoreReading[],
  { claimants }: JudgeContext,
): Rejection | undefined {
  const index = new ClaimIndex<Claimant & { readonly project?: string }>()
  for (const each of claimants) if (each.project !== project) index.add(each)
  const found: ClaimConflict[] = []
  for (const reading of scores) {
    if (reading.is !== 'known') continue
    const { wire, claims } = reading
    for (const { claim, other } of index.add({ address: wire.id, claims }))
      found.push({ address: wire.id, claim, project: other.project, other: other.address })
  }
  return found.length > 0 ? { reason: 'claim-conflict', conflicts: found } : undefined
}

function duplicatesOf(all: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return [...new Set(all.filter((each) => seen.size === seen.add(each).size))]
}
