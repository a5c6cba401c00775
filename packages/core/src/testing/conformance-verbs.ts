/** Watches the verbs of a kind while the engine uses them: pure ones for purity, repeatable ones by repeating them. */
import { canonical } from '../canonical.ts'
import type { Interpret, Run } from '../interpret.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import type { AnyScore, KindDefinition, ScoreInternals } from '../score.ts'
import { demand } from './demand.ts'

type Verbs = Interpret<unknown, unknown, unknown, unknown, unknown, unknown>

/** The same Scores, their verbs wrapped; composites through and through. */
export function withVerbs<S>(scores: S, wrap: (verbs: Verbs) => Verbs): S {
  if (Array.isArray(scores)) return scores.map((each: unknown) => withVerbs(each, wrap)) as S
  if (typeof scores !== 'object' || scores === null) return scores
  const { definition, children, ...rest } = (scores as unknown as AnyScore)['~score']
  const wrapped: KindDefinition = definition.interpret
    ? { ...definition, interpret: wrap(definition.interpret) }
    : definition
  const internals: ScoreInternals = {
    ...rest,
    definition: wrapped,
    children: children && withVerbs(children, wrap),
  }
  return Object.create(scores, { '~score': { value: internals } }) as S
}

/** Fails when `compare` changes what it is given, or says something else the second time. */
export function comparePurely(verbs: Verbs): Verbs {
  return {
    ...verbs,
    compare(spec, state) {
      freeze(spec)
      freeze(state)
      const bytes = bytesOf(state)
      const first = verbs.compare(spec, state)
      const second = verbs.compare(spec, state)
      demand(
        canonical(first) === canonical(second),
        `compare is not pure: of one state it says ${canonical(first)}, then ${canonical(second)}`,
      )
      demand(bytesOf(state) === bytes, 'compare is not pure: it changes the bytes of the state')
      return first
    },
  }
}

/** Converges twice, each time after a look. */
export function convergeTwice(verbs: Verbs): Verbs {
  return {
    ...verbs,
    async converge(spec, on, run) {
      await verbs.converge(spec, on, run)
      const state = await verbs.observe(spec, on, run)
      await verbs.converge(spec, on, { ...run, state, differences: verbs.compare(spec, state) })
    },
  }
}

/** Removes the things of records, the last applied first, as the engine does. */
export async function removeAll(
  records: readonly LedgerRecord[],
  kindOf: (kind: string) => KindDefinition | undefined,
  on: unknown,
): Promise<void> {
  for (const { kind, address, spec, previous, memory } of [...records].reverse())
    await kindOf(kind)?.interpret?.remove({ address, spec, previous, memory }, on, silent(address, memory))
}

function silent(
  address: string,
  memory: LedgerRecord['memory'],
): Omit<Run<undefined>, 'state' | 'differences' | 'digest'> {
  const nothing = () => undefined
  const { signal } = new AbortController()
  const told = { progress: nothing, note: nothing, output: nothing, audit: nothing, remember: nothing }
  return { address, memory, signal, ...told, standBy: nothing }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value))
    return
  Object.freeze(value)
  for (const each of Object.values(value)) freeze(each)
}

/** The bytes within a value, which cannot be frozen. */
function bytesOf(value: unknown): string {
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (typeof value !== 'object' || value === null) return ''
  return Object.values(value).map(bytesOf).join()
}
