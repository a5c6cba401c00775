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
  readonly options: StoredOptions
  readonly parent: string | undefined
  readonly claims: readonly Claim[]
  readonly uses: readonly Claim[]
}

const none: readonly never[] = Object.freeze([])

/**
 * Expands Scores into leaves, in the order of the project file.
 * @throws HarmonyError `duplicate-address`, `unresolved-reference` with every issue.
 */
export function expand(scores: readonly AnyScore[]): readonly Leaf[] {
  const issues: Issue[] = []
  const leaves: Leaf[] = []
  const leavesOf = new Map<string, readonly string[]>()
  const visit = (
    score: AnyScore,
    parent: AnyScore | undefined,
    inherited: StoredOptions | undefined,
  ): readonly string[] => {
    const options = inherited ? inherit(score.options, inherited) : score.options
    const { definition, children } = score['~score']
    if (leavesOf.has(score.id)) {
      issues.push({
        address: score.id,
        path: [],
        message: 'is declared twice; each identity may stand for one thing only',
      })
      return none
    }
    if (!children) {
      leavesOf.set(score.id, [score.id])
      const claims = definition.claims?.(score.spec) ?? none
      const uses = definition.uses?.(score.spec) ?? none
      leaves.push({ address: score.id, score, definition, options, parent: parent?.id, claims, uses })
      return [score.id]
    }
    if (options.formerly.length > 0)
      issues.push({
        address: score.id,
        path: ['formerly'],
        message: 'a composite has no identity in the ledger; name the earlier identities of its children',
      })
    leavesOf.set(score.id, none) // a composite within itself would be found as declared twice
    const own = children.flatMap((child) => visit(child, parent ?? score, options))
    leavesOf.set(score.id, own)
    return own
  }
  for (const score of scores) visit(score, undefined, undefined)

  const replaceComposites = (leaf: Leaf, field: string, addresses: readonly string[]): readonly string[] => {
    if (addresses.length === 0) return addresses
    return addresses.flatMap((address) => {
      const found = leavesOf.get(address)
      if (!found)
        issues.push({
          address: leaf.address,
          path: [field],
          message: `${address} is not part of this deployment`,
        })
      return (found ?? none).filter((each) => each !== leaf.address)
    })
  }
  const done = leaves.map((leaf) => {
    const { after, reactions } = leaf.options
    const names = Object.keys(reactions)
    if (after.length === 0 && names.length === 0) return leaf
    const replaced = Object.fromEntries(
      names.map((name) => [name, replaceComposites(leaf, name, reactions[name] ?? none)]),
    )
    return {
      ...leaf,
      options: { ...leaf.options, after: replaceComposites(leaf, 'after', after), reactions: replaced },
    }
  })
  if (issues.length > 0) {
    const duplicate = issues.some((issue) => issue.message.includes('twice'))
    throw new HarmonyError(duplicate ? 'duplicate-address' : 'unresolved-reference', describe(issues), {
      issues,
    })
  }
  return done
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
