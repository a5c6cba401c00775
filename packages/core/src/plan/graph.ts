/**
 * Order and exclusion, derived from what Scores claim and stand on. Pure, linear in the number of claims times the
 * depth of their paths.
 */
import { type Claim, claimKey, describeClaim, folderOf } from '../claims.ts'
import { HarmonyError, type Issue } from '../errors.ts'
import { isRef } from '../late.ts'
import type { Leaf } from './leaf.ts'

/** Whoever claims something: a leaf of this deployment, or a record of somebody else. */
export interface Claimant {
  readonly address: string
  readonly claims: readonly Claim[]
}

/** Finds who claims what. */
export class ClaimIndex<T extends Claimant> {
  readonly #exact = new Map<string, T>()
  readonly #paths = new Map<string, T>()
  readonly #trees = new Map<string, T>()
  readonly #parts = new Map<string, T>()

  /** Enters a claimant; returns whoever claims the same already. */
  add(claimant: T): readonly { readonly claim: Claim; readonly other: T }[] {
    const found: { claim: Claim; other: T }[] = []
    for (const claim of claimant.claims) {
      const other = this.rival(claim, claimant)
      if (other) found.push({ claim, other })
      this.#exact.set(claimKey(claim), claimant)
      if (claim.type === 'path') this.#paths.set(claim.path, claimant)
      if (claim.type === 'tree') this.#trees.set(claim.path, claimant)
      if (claim.type === 'part') this.#parts.set(claim.path, claimant)
    }
    return found
  }

  /** Who claims the same thing, or a part of it, or the tree that it is in. */
  rival(claim: Claim, self?: T): T | undefined {
    const differ = (other: T | undefined) => (other === self ? undefined : other)
    const same = differ(this.#exact.get(claimKey(claim)))
    if (same || claim.type === 'name') return same
    if (claim.type === 'path') {
      const overlapping = differ(this.#parts.get(claim.path))
      if (overlapping) return overlapping
    }
    if (claim.type === 'part') {
      const whole = differ(this.#paths.get(claim.path))
      if (whole) return whole
    }
    if (claim.type === 'tree') {
      const inside = `${claim.path === '/' ? '' : claim.path}/`
      for (const map of [this.#paths, this.#trees, this.#parts])
        for (const [at, other] of map) if ((at === claim.path || at.startsWith(inside)) && other !== self) return other
    }
    if (this.#trees.size === 0) return undefined
    for (let at = claim.path; ; at = folderOf(at)) {
      const owner = differ(this.#trees.get(at))
      if (owner) return owner
      if (at === '/') return undefined
    }
  }

  /** Who provides what is used: for a path the claimant of the nearest folder at or above it. */
  provider(use: Claim, self?: T): T | undefined {
    if (use.type === 'name') {
      const found = this.#exact.get(claimKey(use))
      return found === self ? undefined : found
    }
    for (let at = use.path; ; at = folderOf(at)) {
      const found = this.#paths.get(at) ?? this.#trees.get(at) ?? this.#parts.get(at)
      if (found && found !== self) return found
      if (at === '/') return undefined
    }
  }
}

/** The leaves in an order of execution, each with what comes before it. */
export interface Graph {
  /** Sorted so that everything comes after what it depends on; otherwise as in the project file. */
  readonly order: readonly Leaf[]
  /** For each leaf, the addresses it directly depends on. */
  readonly after: ReadonlyMap<string, readonly string[]>
  readonly index: ClaimIndex<Leaf>
}

/**
 * Derives the graph.
 * @throws HarmonyError `claim-conflict` with all conflicts, `cycle` with the path of one, `unresolved-reference`.
 */
export function deriveGraph(leaves: readonly Leaf[]): Graph {
  const index = new ClaimIndex<Leaf>()
  const issues: Issue[] = []
  const byAddress = new Map<string, Leaf>()
  for (const leaf of leaves) {
    byAddress.set(leaf.address, leaf)
    for (const { claim, other } of index.add(leaf))
      issues.push({ address: leaf.address, path: [], message: `claims ${describeClaim(claim)}, and so does ${other.address}` })
  }
  if (issues.length > 0)
    throw new HarmonyError('claim-conflict', issues.length === 1 ? `${issues[0]?.address} ${issues[0]?.message}` : `${issues.length} conflicting claims`, {
      issues,
      hint: 'one thing on a host has one owner: remove one of the two Scores',
    })

  const after = new Map<string, readonly string[]>()
  for (const leaf of leaves) after.set(leaf.address, dependenciesOf(leaf, index, byAddress, issues))
  if (issues.length > 0)
    throw new HarmonyError('unresolved-reference', `${issues[0]?.address} ${issues[0]?.message}`, { issues })
  return { order: sort(leaves, after, byAddress), after, index }
}

/** Addresses of the Scores whose outputs a spec takes. */
export function referencesOf(spec: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof spec !== 'object' || spec === null) return found
  if (isRef(spec) && spec.$ref !== '') found.add(spec.$ref)
  for (const key in spec) {
    const value = (spec as Record<string, unknown>)[key]
    if (typeof value === 'object' && value !== null) referencesOf(value, found)
  }
  return found
}

function dependenciesOf(leaf: Leaf, index: ClaimIndex<Leaf>, byAddress: ReadonlyMap<string, Leaf>, issues: Issue[]): readonly string[] {
  const { options, uses, address } = leaf
  const found = new Set<string>()
  for (const use of uses) {
    const provider = index.provider(use, leaf)
    if (provider) found.add(provider.address)
  }
  for (const each of options.after) found.add(each)
  for (const name in options.reactions) for (const cause of options.reactions[name] ?? []) found.add(cause)
  for (const each of referencesOf(leaf.score.spec)) {
    if (!byAddress.has(each)) issues.push({ address, path: [], message: `takes an output of ${each}, which is not part of this deployment` })
    found.add(each)
  }
  found.delete(address)
  return [...found]
}

function sort(leaves: readonly Leaf[], after: ReadonlyMap<string, readonly string[]>, byAddress: ReadonlyMap<string, Leaf>): readonly Leaf[] {
  const state = new Map<string, 'open' | 'done'>()
  const order: Leaf[] = []
  // An explicit stack: a chain of ten thousand Scores must not exhaust the call stack.
  for (const start of leaves) {
    if (state.has(start.address)) continue
    const stack: { leaf: Leaf; next: number }[] = [{ leaf: start, next: 0 }]
    state.set(start.address, 'open')
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const dependencies = after.get(top.leaf.address) ?? []
      const dependency = dependencies[top.next++]
      if (dependency === undefined) {
        state.set(top.leaf.address, 'done')
        order.push(top.leaf)
        stack.pop()
        continue
      }
      const seen = state.get(dependency)
      if (seen === 'open') throw cycle(stack.map(({ leaf }) => leaf.address), dependency)
      const leaf = byAddress.get(dependency)
      if (seen === undefined && leaf) {
        state.set(dependency, 'open')
        stack.push({ leaf, next: 0 })
      }
    }
  }
  return order
}

function cycle(open: readonly string[], back: string): HarmonyError {
  const loop = [...open.slice(open.indexOf(back)), back]
  return new HarmonyError('cycle', `the Scores wait for each other: ${loop.join(' → ')}`, {
    address: back,
    hint: 'each arrow reads "comes after": remove one of them (after, restartOn, a reference, or a path inside another)',
    data: { cycle: loop },
  })
}
