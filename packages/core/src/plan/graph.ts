/**
 * Order and exclusion, derived from what Scores claim and stand on. Pure, linear in the number of claims times the
 * depth of their paths.
 */
import { type Claim, describeClaim, folderOf } from '../claims.ts'
import { HarmonyError, type Issue } from '../errors.ts'
import { isRef } from '../late.ts'
import { noOptions } from '../make-score.ts'
import type { AnyScore } from '../score.ts'
import type { Leaf, Leaves } from './leaf.ts'

/** Whoever claims something: a leaf of this deployment, or a record of somebody else. */
export interface Claimant {
  readonly address: string
  readonly claims: readonly Claim[]
}

/** Finds who claims what. */
export class ClaimIndex<T extends Claimant> {
  readonly #paths = new Map<string, T>()
  readonly #trees = new Map<string, T>()
  /** By file, then by part. */
  readonly #parts = new Map<string, Map<string, T>>()
  /** By space, then by name. */
  readonly #names = new Map<string, Map<string, T>>()

  /** Enters a claimant; returns whoever claims the same already. */
  add(claimant: T): readonly { readonly claim: Claim; readonly other: T }[] {
    let found: { claim: Claim; other: T }[] | undefined
    for (const claim of claimant.claims) {
      const other = this.rival(claim, claimant)
      if (other) {
        found ??= []
        found.push({ claim, other })
      }
      if (claim.type === 'path') this.#paths.set(claim.path, claimant)
      else if (claim.type === 'tree') this.#trees.set(claim.path, claimant)
      else if (claim.type === 'part') nested(this.#parts, claim.path).set(claim.part, claimant)
      else nested(this.#names, claim.space).set(claim.name, claimant)
    }
    return found ?? none
  }

  /** Who claims the same thing, or a part of it, or the tree that it is in. */
  rival(claim: Claim, self?: T): T | undefined {
    if (claim.type === 'name') return other(this.#names.get(claim.space)?.get(claim.name), self)
    const whole = claim.type === 'tree' ? undefined : other(this.#paths.get(claim.path), self)
    if (whole) return whole
    if (claim.type === 'path' && this.#parts.size > 0) {
      const part = first(this.#parts.get(claim.path), self)
      if (part) return part
    }
    if (claim.type === 'part') {
      const same = other(this.#parts.get(claim.path)?.get(claim.part), self)
      if (same) return same
    }
    if (claim.type === 'tree') {
      const inside = this.#inside(claim.path, self)
      if (inside) return inside
    }
    if (this.#trees.size === 0) return undefined
    return above(claim.path, (at) => other(this.#trees.get(at), self))
  }

  /** Who provides what is used: for a path the claimant of the nearest folder at or above it. */
  provider(use: Claim, self?: T): T | undefined {
    if (use.type === 'name') return other(this.#names.get(use.space)?.get(use.name), self)
    return above(
      use.path,
      (at) =>
        other(this.#paths.get(at), self) ??
        other(this.#trees.get(at), self) ??
        first(this.#parts.get(at), self),
    )
  }

  /** Everybody who claims this path or something below it. */
  *within(tree: string): Iterable<T> {
    const prefix = tree === '/' ? '/' : `${tree}/`
    const isWithin = (at: string) => at === tree || at.startsWith(prefix)
    for (const map of [this.#paths, this.#trees]) for (const [at, owner] of map) if (isWithin(at)) yield owner
    for (const [at, parts] of this.#parts) if (isWithin(at)) yield* parts.values()
  }

  #inside(tree: string, self: T | undefined): T | undefined {
    for (const owner of this.within(tree)) if (owner !== self) return owner
    return undefined
  }
}

const none: readonly never[] = Object.freeze([])

function other<T>(found: T | undefined, self: T | undefined): T | undefined {
  return found === self ? undefined : found
}

function first<T>(among: ReadonlyMap<string, T> | undefined, self: T | undefined): T | undefined {
  if (among) for (const found of among.values()) if (found !== self) return found
  return undefined
}

/** The first answer for a path or a folder above it, the nearest first. */
function above<T>(path: string, look: (at: string) => T | undefined): T | undefined {
  for (let at = path; ; at = folderOf(at)) {
    const found = look(at)
    if (found !== undefined || at === '/') return found
  }
}

function nested<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let inner = map.get(key)
  if (!inner) {
    inner = new Map()
    map.set(key, inner)
  }
  return inner
}

/** The leaves in an order of execution; each knows what comes before it. */
export interface Graph {
  /** Sorted so that everything comes after what it depends on; otherwise as in the project file. */
  readonly order: readonly Leaf[]
  readonly index: ClaimIndex<Leaf>
  readonly leaves: Leaves
}

/**
 * Derives the graph, and enters into each leaf what it depends on.
 * @throws HarmonyError `claim-conflict` with all conflicts, `cycle` with the path of one, `unresolved-reference`.
 */
export function deriveGraph(leaves: Leaves): Graph {
  const index = new ClaimIndex<Leaf>()
  const issues: Issue[] = []
  const all = [...leaves.values()]
  for (const leaf of all)
    for (const { claim, other } of index.add(leaf))
      issues.push({
        address: leaf.address,
        path: [],
        message: `claims ${describeClaim(claim)}, and so does ${other.address}`,
      })
  if (issues.length > 0)
    throw new HarmonyError(
      'claim-conflict',
      issues.length === 1
        ? `${issues[0]?.address} ${issues[0]?.message}`
        : `${issues.length} conflicting claims`,
      {
        issues,
        hint: 'one thing on a host has one owner: remove one of the two Scores',
      },
    )

  const dependencies = new Dependencies(index)
  for (const leaf of all) {
    const references = referencesOf(leaf.score)
    for (const each of references) {
      const source = leaves.get(each)
      if (source) source.isReferenced = true
      else {
        const message = `takes an output of ${each}, which is not part of this deployment`
        issues.push({ address: leaf.address, path: [], message })
      }
    }
    leaf.after = dependencies.of(leaf, references)
    for (const each of leaf.after) {
      const awaited = leaves.get(each)
      if (awaited) awaited.isAwaited = true
    }
  }
  if (issues.length > 0)
    throw new HarmonyError('unresolved-reference', `${issues[0]?.address} ${issues[0]?.message}`, { issues })
  const order = sort(all, leaves)
  followGroundwork(all, leaves)
  return { order, index, leaves }
}

/**
 * Has what is listed after groundwork follow it, unless groundwork itself depends on that. Such an order forms no cycle:
 * it only leads from groundwork to what no groundwork comes after. It is not entered into `after`, for what fails blocks
 * nothing but what depends on it.
 */
function followGroundwork(all: readonly Leaf[], leaves: Leaves): void {
  const groundwork = all.filter(({ definition }) => definition.groundwork)
  if (groundwork.length === 0) return
  const below = new Set<string>()
  const open = groundwork.map(({ address }) => address)
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (below.has(address)) continue
    below.add(address)
    open.push(...(leaves.get(address)?.after ?? none))
  }
  // One list for all that stand between two pieces of groundwork.
  let listed: readonly string[] = none
  let next = 0
  for (const leaf of all) {
    if (groundwork[next] === leaf) {
      listed = [...listed, leaf.address]
      next++
    } else if (!below.has(leaf.address)) leaf.follows = listed
  }
}

/** Addresses of the Scores whose outputs a spec takes. */
function referencesOf({ spec, '~score': { late } }: AnyScore): readonly string[] {
  if (!late) return none
  let found: string[] | undefined
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (isRef(value) && value.$ref !== '') {
      found ??= []
      found.push(value.$ref)
    }
    for (const key in value) visit((value as Record<string, unknown>)[key])
  }
  visit(spec)
  return found ?? none
}

/** Finds what a leaf depends on. */
class Dependencies {
  readonly #index: ClaimIndex<Leaf>
  #lastUses: Leaf['uses'] = none
  #last: readonly string[] = none

  constructor(index: ClaimIndex<Leaf>) {
    this.#index = index
  }

  of(leaf: Leaf, references: readonly string[]): readonly string[] {
    const { options, address } = leaf
    const providers = this.#providers(leaf)
    if (options === noOptions && references.length === 0) return providers
    const { after, reactions } = options
    const all = new Set([...providers, ...after, ...Object.values(reactions).flat(), ...references])
    all.delete(address)
    return all.size > 0 ? [...all] : none
  }

  /** Thousands of files in one folder use the very same thing, and so come after the same. */
  #providers(leaf: Leaf): readonly string[] {
    const { uses, address } = leaf
    if (uses !== this.#lastUses) {
      this.#lastUses = uses
      this.#last = this.#find(uses)
    }
    return this.#last.includes(address) ? this.#find(uses, leaf) : this.#last
  }

  #find(uses: Leaf['uses'], self?: Leaf): readonly string[] {
    const found = new Set<string>()
    for (const use of uses) {
      const provider = this.#index.provider(use, self)
      if (provider) found.add(provider.address)
      // Who stands on a tree stands on all that others put into it.
      if (use.type === 'tree')
        for (const each of this.#index.within(use.path)) if (each !== self) found.add(each.address)
    }
    return found.size > 0 ? [...found] : none
  }
}

function sort(all: readonly Leaf[], leaves: Leaves): readonly Leaf[] {
  const states = new Uint8Array(all.length)
  const [open, done] = [1, 2]
  const isDone = (address: string) => {
    const leaf = leaves.get(address)
    return leaf !== undefined && states[leaf.place] === done
  }
  const order: Leaf[] = []
  // An explicit stack: a chain of ten thousand Scores must not exhaust the call stack.
  for (const start of all) {
    if (states[start.place] === done) continue
    if (start.after.every(isDone)) {
      states[start.place] = done
      order.push(start)
      continue
    }
    const stack: { leaf: Leaf; next: number }[] = [{ leaf: start, next: 0 }]
    states[start.place] = open
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const dependency = top.leaf.after[top.next++]
      if (dependency === undefined) {
        states[top.leaf.place] = done
        order.push(top.leaf)
        stack.pop()
        continue
      }
      const leaf = leaves.get(dependency)
      if (!leaf || states[leaf.place] === done) continue
      if (states[leaf.place] === open)
        throw cycle(
          stack.map((each) => each.leaf.address),
          dependency,
        )
      states[leaf.place] = open
      stack.push({ leaf, next: 0 })
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
