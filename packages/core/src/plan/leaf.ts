/**
 * From what `deploy` was given to the leaves that are planned: composites expanded, their options handed down,
 * addresses made unique.
 */
import type { Claim } from '../claims.ts'
import { HarmonyError, type Issue } from '../errors.ts'
import type { AnyScore, KindDefinition, StoredOptions } from '../score.ts'

/** A leaf Score with what the planner needs of it. */
export interface Leaf {
  readonly address: string
  readonly score: AnyScore
  readonly definition: KindDefinition
  /** Composites already replaced by their leaves. */
  options: StoredOptions
  readonly parent: string | undefined
  readonly claims: readonly Claim[]
  readonly uses: readonly Claim[]
  /** Its place among the leaves of the project file, from 0: what is known of thousands stands in lists, not in maps. */
  readonly place: number
  /** Addresses it directly depends on; this and what follows is found by `deriveGraph`. */
  after: readonly string[]
  /** Addresses of the groundwork that it follows, whatever becomes of that. */
  follows: readonly string[]
  /** Whether others come after it. */
  isAwaited: boolean
  /** Whether somebody takes its outputs. */
  isReferenced: boolean
}

const none: readonly never[] = Object.freeze([])

/** Leaves by their addresses, in the order of the project file. */
export type Leaves = ReadonlyMap<string, Leaf>

/**
 * Expands Scores into leaves.
 * @throws HarmonyError `duplicate-address`, `unresolved-reference` with every issue.
 */
export function expand(scores: readonly AnyScore[]): Leaves {
  const issues: Issue[] = []
  const leaves = new Map<string, Leaf>()
  /** The addresses of the leaves of each composite. */
  const composites = new Map<string, readonly string[]>()
  const visit = (
    score: AnyScore,
    parent: AnyScore | undefined,
    inherited: StoredOptions | undefined,
    into: string[] | undefined,
  ): void => {
    const options = inherited ? inherit(score.options, inherited) : score.options
    const { definition, children } = score['~score']
    if (leaves.has(score.id) || composites.has(score.id)) {
      issues.push({
        address: score.id,
        path: [],
        message: 'is declared twice; each identity may stand for one thing only',
      })
      return
    }
    if (!children) {
      leaves.set(score.id, {
        address: score.id,
        score,
        definition,
        options,
        parent: parent?.id,
        claims: definition.claims?.(score.spec) ?? none,
        uses: definition.uses?.(score.spec) ?? none,
        place: leaves.size,
        after: none,
        follows: none,
        isAwaited: false,
        isReferenced: false,
      })
      into?.push(score.id)
      return
    }
    if (options.formerly.length > 0)
      issues.push({
        address: score.id,
        path: ['formerly'],
        message: 'a composite has no identity in the ledger; name the earlier identities of its children',
      })
    const own: string[] = []
    composites.set(score.id, own) // before its children: a composite within itself is then found as declared twice
    for (const child of children) visit(child, parent ?? score, options, own)
    into?.push(...own)
  }
  for (const score of scores) visit(score, undefined, undefined, undefined)

  const replaceComposites = (leaf: Leaf, field: string, addresses: readonly string[]): readonly string[] =>
    addresses.flatMap((address) => {
      const named = composites.get(address) ?? (leaves.has(address) ? [address] : none)
      if (named.length === 0 && !composites.has(address))
        issues.push({
          address: leaf.address,
          path: [field],
          message: `${address} is not part of this deployment`,
        })
      return named.filter((each) => each !== leaf.address)
    })
  for (const leaf of leaves.values()) {
    const { after, reactions } = leaf.options
    const names = Object.keys(reactions)
    if (after.length === 0 && names.length === 0) continue
    const replaced = Object.fromEntries(
      names.map((name) => [name, replaceComposites(leaf, name, reactions[name] ?? none)]),
    )
    leaf.options = {
      ...leaf.options,
      after: replaceComposites(leaf, 'after', after),
      reactions: replaced,
    }
  }
  if (issues.length > 0) {
    const duplicate = issues.some((issue) => issue.message.includes('twice'))
    throw new HarmonyError(duplicate ? 'duplicate-address' : 'unresolved-reference', describe(issues), {
      issues,
    })
  }
  return leaves
}

/** A child waits for what its composite waits for, and is as protected as that. */
function inherit(own: StoredOptions, from: StoredOptions): StoredOptions {
  if (from.after.length === 0 && !from.retain && !from.protect && !from.adopt) return own
  return {
    ...own,
    after: [...own.after, ...from.after],
    retain: own.retain || from.retain,
    protect: own.protect || from.protect,
    adopt: own.adopt || from.adopt,
  }
}

function describe(issues: readonly Issue[]): string {
  const [first] = issues
  return issues.length === 1 && first
    ? `${first.address} ${first.message}`
    : `${issues.length} problems in the deployment`
}
