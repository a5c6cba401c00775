/** Converged is verified, not assumed: after a change the thing is looked at until nothing differs, or what does is final. */
import { HarmonyError } from '../errors.ts'
import type { Look } from '../interpret.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { ShownDifference } from '../plan/plan.ts'
import { type Observation, observe, show, verbsOf } from './observe.ts'
import type { Pass } from './pass.ts'
import type { ResolvedSpec } from './resolve.ts'

/** A thing that differs still after `converge`. */
export class NotConverged extends HarmonyError {
  readonly differences: readonly ShownDifference[]
  /** `why`: what the kind says about it, line by line. */
  constructor(address: string, differences: readonly ShownDifference[], why: readonly string[] = []) {
    const paths = differences.map((difference) => difference.path || 'the thing itself').join(', ')
    super('not-converged', [`is still not as wanted after the change: ${paths}`, ...why].join('\n'), {
      address,
      hint:
        why.length > 0
          ? 'see what the lines above say, and apply again'
          : 'something else may be changing it, or the Score cannot reach the wanted state there',
      data: { paths: differences.map((difference) => difference.path), ...(why.length > 0 && { why }) },
    })
    this.differences = differences
  }
}

/** Looks until nothing differs, or until what is left is final. */
export async function settle(
  pass: Pass,
  leaf: Leaf,
  resolved: ResolvedSpec,
  look: Look,
  releaseSlot: () => void,
): Promise<Observation> {
  const { clock, emit, topology } = pass.context
  const began = clock.now()
  let announced = false
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    const seen = await observe(leaf.definition, resolved, topology, look)
    if (seen.differences.length === 0) return seen
    const left = seen.differences.map((difference) => (difference.settleMs ?? 0) - (clock.now() - began))
    if (left.some((ms) => ms <= 0)) {
      const why = await explain(leaf, resolved, topology, seen)
      throw new NotConverged(leaf.address, show(seen.differences, resolved), why)
    }
    if (!announced) {
      announced = true
      releaseSlot()
      const paths = seen.differences.map((difference) => difference.path)
      emit({
        type: 'settling',
        topology: topology.name,
        address: leaf.address,
        paths,
        timeoutMs: Math.max(...left),
      })
    }
    await clock.sleep(Math.min(wait, ...left), look.signal)
  }
}

async function explain(
  { definition }: Leaf,
  { spec, redact }: ResolvedSpec,
  on: unknown,
  { state, differences }: Observation,
): Promise<readonly string[]> {
  try {
    const lines = await verbsOf(definition).explain?.(spec, on, state, differences)
    return lines?.map(redact) ?? []
  } catch {
    // That it failed matters more than that nobody can say why.
    return []
  }
}
