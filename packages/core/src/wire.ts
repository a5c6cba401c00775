/**
 * The wire form of a Score: plain JSON, no functions, no prototypes. What is decoded is checked exactly as what a
 * project file makes, against the kinds that this process knows, so a Score from a ledger, a plan or a bundle is as
 * trustworthy as one from source.
 */
import { HarmonyError } from './errors.ts'
import { issuesOf } from './issues.ts'
import { kindOf } from './kinds.ts'
import { reviveScore } from './make-score.ts'
import type { AnyScore, KindDefinition, StoredOptions } from './score.ts'

/** A Score as it travels. */
export interface SerializedScore extends StoredOptions {
  readonly id: string
  readonly kind: string
  readonly version: number
  readonly spec: unknown
  /** Names of the capabilities it needs. */
  readonly needs: readonly string[]
}

/** A Score in wire form. Decoding the result gives an equal Score. */
export function encodeScore(score: AnyScore): SerializedScore {
  return {
    id: score.id,
    kind: score.kind,
    version: score.version,
    spec: score.spec,
    needs: score['~score'].definition.needs.map((need) => need.name),
    ...score.options,
  }
}

/**
 * A Score from its wire form; older versions are upgraded by their kind.
 * @throws HarmonyError `unknown-kind`, `unknown-version`, `invalid-spec`.
 */
export function decodeScore(wire: SerializedScore): AnyScore {
  const definition = kindOf(wire.kind)
  if (!definition)
    throw new HarmonyError('unknown-kind', `the kind ${wire.kind} is not known here`, {
      address: wire.id,
      hint: `import the package that defines ${wire.kind} in the project file`,
    })
  const spec = upgradeSpec(definition, wire)
  const parsed = definition.spec.safeParse(spec)
  if (!parsed.success)
    throw new HarmonyError('invalid-spec', `the stored spec of ${wire.id} is not valid`, {
      address: wire.id,
      issues: issuesOf(parsed.error, spec).map((issue) => ({ address: wire.id, ...issue })),
    })
  const { after, formerly, retain, protect, adopt, reactions } = wire
  const score = reviveScore(definition, parsed.data, { after, formerly, retain, protect, adopt, reactions })
  if (score.id !== wire.id)
    throw new HarmonyError('invalid-spec', `${wire.id} has the spec of ${score.id}`, { address: wire.id })
  return score
}

/**
 * The spec of a stored Score in the current version of its kind.
 * @throws HarmonyError `unknown-version`.
 */
export function upgradeSpec(
  definition: KindDefinition,
  wire: Pick<SerializedScore, 'id' | 'kind' | 'version' | 'spec'>,
): unknown {
  if (wire.version > definition.version)
    throw new HarmonyError(
      'unknown-version',
      `${wire.kind} has version ${wire.version}; here only versions up to ${definition.version} are known`,
      {
        address: wire.id,
        hint: 'use the newer package here as well',
      },
    )
  let spec = wire.spec
  for (let version = wire.version; version < definition.version; version++) {
    if (!definition.upgrade)
      throw new HarmonyError('unknown-version', `${wire.kind} cannot upgrade version ${version}`, {
        address: wire.id,
      })
    spec = definition.upgrade(spec, version)
  }
  return spec
}
