/**
 * The Scores of a bundle, each by itself: one that this agent cannot read, because it is of another version or because
 * somebody else wrote it, is reported, and the others converge.
 */
import { type AnyScore, type Claim, kindOf } from '@harmony-iac/core'
import { decodeScore, type SerializedScore } from '@harmony-iac/core/engine'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'

/** What one Score of a bundle is to this agent. */
export type ScoreReading =
  | {
      readonly is: 'known'
      readonly wire: SerializedScore
      readonly score: AnyScore
      readonly claims: readonly Claim[]
      readonly uses: readonly Claim[]
      /** Whether it runs programs that its author names. */
      readonly programs: boolean
    }
  /** Its kind, or this version of it, is not known here. */
  | { readonly is: 'unknown'; readonly wire: SerializedScore; readonly why: 'kind' | 'version' }
  /** It needs what this topology does not offer. */
  | { readonly is: 'unable'; readonly wire: SerializedScore; readonly missing: readonly string[] }
  /** Its spec is not one of its kind. */
  | { readonly is: 'invalid'; readonly wire: SerializedScore; readonly error: HarmonyError }

/** Reads one Score. `offered` are the capabilities of the topology; left out, nothing is asked of it. */
export function readScore(wire: SerializedScore, offered?: ReadonlySet<string>): ScoreReading {
  const definition = kindOf(wire.kind)
  if (!definition) return { is: 'unknown', wire, why: 'kind' }
  if (wire.version > definition.version) return { is: 'unknown', wire, why: 'version' }
  const needs = definition.needs.map(({ name }) => name)
  const missing = offered ? needs.filter((need) => !offered.has(need)) : []
  if (missing.length > 0) return { is: 'unable', wire, missing }
  try {
    const score = decodeScore(wire)
    // Composites are expanded before they are shipped; one that is not hides what its children claim.
    if (score['~score'].children)
      throw new HarmonyError('invalid-spec', `${wire.id} is a composite, and only leaves travel`)
    const { claims, uses, programs, reactions = {} } = definition
    const strange = Object.keys(wire.reactions).find((name) => !Object.hasOwn(reactions, name))
    if (strange !== undefined)
      throw new HarmonyError(
        'invalid-spec',
        `${wire.id} has the reaction ${strange}, which ${wire.kind} has not`,
      )
    return {
      is: 'known',
      wire,
      score,
      claims: claims?.(score.spec) ?? [],
      uses: uses?.(score.spec) ?? [],
      programs: needs.includes('shell') || (programs?.(score.spec) ?? false),
    }
  } catch (error) {
    // Also what a kind throws that has not thought of such a spec.
    const told = toHarmonyError(error, { address: wire.id })
    // So old that the kind cannot upgrade it any more.
    if (told.code === 'unknown-version') return { is: 'unknown', wire, why: 'version' }
    return { is: 'invalid', wire, error: told }
  }
}
