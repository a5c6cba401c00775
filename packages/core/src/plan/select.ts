/**
 * Which part of a plan is wanted: `--target` pulls in what it depends on, `--exclude` drops what depends on it; both
 * say so.
 */
import { HarmonyError } from '../errors.ts'
import type { Leaf } from './leaf.ts'

/** What was chosen, and what a person should know about it. */
export interface Selection {
  /** Whether an address belongs to the chosen part. */
  has(address: string): boolean
  /** Whether something that left the project may be removed: nothing is pulled in for it. */
  mayRemove(address: string): boolean
  readonly notes: readonly string[]
}

/** Everything. */
const everything: Selection = { has: () => true, mayRemove: () => true, notes: [] }

/** An address pattern: `*` stands for any characters, `?` for one. */
export function matcher(pattern: string): (address: string) => boolean {
  if (!/[*?]/.test(pattern)) return (address) => address === pattern
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 's')
  return (address) => expression.test(address)
}

/**
 * Chooses by patterns over addresses, of leaves or of their composites.
 * @throws HarmonyError `usage` when a pattern matches nothing.
 */
export function select(
  order: readonly Leaf[],
  removable: readonly string[],
  targets: readonly string[],
  excludes: readonly string[],
): Selection {
  if (targets.length === 0 && excludes.length === 0) return everything
  const notes: string[] = []
  const matched = (patterns: readonly string[], option: string) => {
    refuseUnmatched(order, removable, patterns, option)
    const tests = patterns.map(matcher)
    return (addresses: readonly string[]) => tests.some((test) => addresses.some(test))
  }

  const chosen = new Set<string>()
  const isTarget = matched(targets, '--target')
  if (targets.length === 0) for (const leaf of order) chosen.add(leaf.address)
  else {
    const pulled: string[] = []
    // Backwards: whoever is chosen chooses what comes before it.
    for (const leaf of [...order].reverse()) {
      const wanted = isTarget(names(leaf))
      if (!wanted && !chosen.has(leaf.address)) continue
      if (!wanted) pulled.push(leaf.address)
      chosen.add(leaf.address)
      for (const each of leaf.after) chosen.add(each)
    }
    if (pulled.length > 0) notes.push(`included, because targets depend on them: ${list(pulled.reverse())}`)
  }

  const isExcluded = matched(excludes, '--exclude')
  const dropped: string[] = []
  if (excludes.length > 0)
    for (const leaf of order) {
      const named = isExcluded(names(leaf))
      const lost = leaf.after.some((each) => !chosen.has(each))
      if (named) chosen.delete(leaf.address)
      else if (lost && chosen.delete(leaf.address)) dropped.push(leaf.address)
    }
  if (dropped.length > 0) notes.push(`left out, because they depend on what is excluded: ${list(dropped)}`)

  return {
    has: (address) => chosen.has(address),
    mayRemove: (address) => (targets.length === 0 || isTarget([address])) && !isExcluded([address]),
    notes,
  }
}

/**
 * Refuses a pattern that stands for nothing: it is a slip of the pen, and doing nothing would look like having done it.
 * @throws HarmonyError `usage`.
 */
export function refuseUnmatched(
  order: readonly Leaf[],
  removable: readonly string[],
  patterns: readonly string[],
  option: string,
): void {
  for (const pattern of patterns) {
    const test = matcher(pattern)
    if (order.some((leaf) => names(leaf).some(test)) || removable.some(test)) continue
    throw new HarmonyError('usage', `${option} ${pattern} matches no Score`, {
      hint: 'see the addresses with: harmony graph',
    })
  }
}

function names(leaf: Leaf): readonly string[] {
  return leaf.parent === undefined ? [leaf.address] : [leaf.address, leaf.parent]
}

function list(addresses: readonly string[]): string {
  const shown = addresses.slice(0, 10).join(', ')
  return addresses.length > 10 ? `${shown} and ${addresses.length - 10} more` : shown
}
