/** What follows groundwork, as tasks: in either direction one task stands for a list of many, so that edges stay few. */
import { kindOf } from '../kinds.ts'
import { isRemoval, type Step } from '../plan/plan.ts'
import type { Task } from './schedule.ts'

/** For each list that is followed a task that comes after all of it, whatever becomes of it. */
export class Fences {
  readonly #tasks: Task[]
  readonly #ids = new Map<readonly string[], readonly string[]>()

  /** Adds tasks to these. */
  constructor(tasks: Task[]) {
    this.#tasks = tasks
  }

  /** What to follow in place of a list. */
  behind(list: readonly string[]): readonly string[] {
    if (list.length <= 1) return list
    const known = this.#ids.get(list)
    if (known) return known
    const ids = [`~groundwork ${this.#ids.size}`]
    this.#ids.set(list, ids)
    this.#tasks.push({
      id: ids[0] as string,
      after: [],
      follows: list,
      run: async () => true,
      blocked: () => undefined,
    })
    return ids
  }
}

/**
 * For each removal of groundwork the removals that it follows: all that do not come after such a removal themselves. A
 * package that goes first would leave its folders behind, for the files of others are in them.
 */
export function lastRemovals(steps: readonly Step[]): ReadonlyMap<string, readonly string[]> {
  const removals = steps.filter(isRemoval)
  const groundwork = removals.filter(({ kind }) => kindOf(kind)?.groundwork).map(({ address }) => address)
  if (groundwork.length === 0) return new Map()
  const dependents = new Map<string, string[]>()
  for (const { address, after } of steps)
    for (const each of after) dependents.set(each, [...(dependents.get(each) ?? []), address])
  const behind = new Set<string>()
  const open = [...groundwork]
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (behind.has(address)) continue
    behind.add(address)
    open.push(...(dependents.get(address) ?? []))
  }
  const before = removals.map(({ address }) => address).filter((address) => !behind.has(address))
  return new Map(groundwork.map((address) => [address, before]))
}
