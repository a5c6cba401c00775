/**
 * What is shipped to an agent: the Scores of one project, for this one agent, of one generation. The schema is the wire
 * form; it is strict, so that what is signed is also what is understood.
 */
import { type AnyScore, HarmonyError } from '@harmony-iac/core'
import type { SerializedScore } from '@harmony-iac/core/engine'
import * as z from 'zod'
import type { SealedBox } from '../keys/sealed-box.ts'
import { inlineContent, largestContent } from './limits.ts'

/** The payload type of a bundle's envelope. */
export const bundleType = 'application/vnd.harmony-iac.bundle+json'

/** Content that a spec names as an asset. */
export interface BundledAsset {
  /** Lower-case hex. */
  readonly sha256: string
  /** In bytes. */
  readonly size: number
  /** Base64 of it; absent above 64 KiB, when it travels in chunks. */
  readonly content?: string | undefined
}

/** The signed statement: this agent shall keep these Scores true. */
export interface Bundle {
  /** The version of this form. */
  readonly harmony: 1
  /** The name of the project. */
  readonly project: string
  /** From `harmony.lock`: two projects of one name are two. */
  readonly lineage: string
  /** The one agent that it is for. */
  readonly agent: string
  /** Counts up for this project and agent; a rollback is a higher generation with older content. */
  readonly generation: number
  /** When it was made, by the clock of whoever made it; for people. */
  readonly issuedAt: string
  /** Not to be accepted later; what was accepted stays in force. */
  readonly expiresAt?: string | undefined
  /** The plan that was shown and agreed to. Another one is not carried out. */
  readonly planDigest?: string | undefined
  /** Permits to remove more than half of what the project owns there. */
  readonly allowRemoval?: true | undefined
  /** Leaves, in the order of the project file. */
  readonly scores: readonly SerializedScore[]
  /** By the path as it stands in the specs. */
  readonly assets?: Readonly<Record<string, BundledAsset>> | undefined
  /** The secrets that the specs name, each sealed to the agent's key. */
  readonly sealed?: Readonly<Record<string, SealedBox>> | undefined
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
/** An agent's id: what every store and subject takes as one word. */
const agentPattern = /^[A-Za-z0-9_-]{1,63}$/

/** As `harmony.lock` has it. */
export const lineagePattern: RegExp = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Base64 in the standard alphabet, padded. */
const base64 = () => z.base64()
const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/)
const time = () => z.iso.datetime()

/** Of a Score as it travels. */
function scoreSchema() {
  const addresses = z.array(z.string().min(1)).readonly()
  return z.strictObject({
    id: z.string().min(1),
    kind: z.string().regex(/^[A-Z][A-Za-z0-9]*$/),
    version: z.int().min(1),
    // Of the kind's own schema, which the agent may not have.
    spec: z.record(z.string(), z.unknown()),
    needs: z.array(z.string().min(1)).readonly(),
    after: addresses,
    formerly: z.array(z.string()).readonly(),
    retain: z.boolean(),
    protect: z.boolean(),
    adopt: z.boolean(),
    reactions: z.record(z.string(), addresses),
  })
}

let made: z.ZodType<Bundle> | undefined

/** The schema of a {@link Bundle}, made when it is first asked for. */
export function bundleSchema(): z.ZodType<Bundle> {
  made ??= z.strictObject({
    harmony: z.literal(1),
    project: z.string().regex(namePattern),
    lineage: z.string().regex(lineagePattern),
    agent: z.string().regex(agentPattern),
    generation: z.int().min(1),
    issuedAt: time(),
    expiresAt: time().optional(),
    planDigest: sha256().optional(),
    allowRemoval: z.literal(true).optional(),
    scores: z.array(scoreSchema()).readonly(),
    assets: z
      .record(
        z.string().min(1),
        z.strictObject({
          sha256: sha256(),
          size: z.int().min(0).max(largestContent),
          content: base64()
            .max(Math.ceil(inlineContent / 3) * 4)
            .optional(),
        }),
      )
      .optional(),
    sealed: z
      .record(
        z.string().min(1),
        z.strictObject({
          to: z.string().regex(/^[0-9a-f]{16}$/),
          enc: base64().length(44),
          ciphertext: base64(),
        }),
      )
      .optional(),
  })
  return made
}

/** Whether a text can be the id of an agent. */
export function isAgentId(text: string): boolean {
  return agentPattern.test(text)
}

/** What a sealed secret is bound to: one place in one bundle. */
export function aboutSecret(
  { agent, project, lineage, generation }: Pick<Bundle, 'agent' | 'project' | 'lineage' | 'generation'>,
  name: string,
): { readonly [key: string]: string | number } {
  return { agent, project, lineage, generation, name }
}

/** @throws HarmonyError `invalid-spec` with everything that is wrong with these Scores. */
export function refuseInvalid(scores: readonly AnyScore[]): void {
  const issues = scores.flatMap((score) => score['~score'].issues)
  if (issues.length === 0) return
  throw new HarmonyError('invalid-spec', `${issues.length} problems in the Scores`, { issues })
}
