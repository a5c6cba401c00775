/**
 * A composite is a Score that stands for others: it has a spec of its own and expands into children, which may need
 * only what it declares. It has no verbs; plans, outcomes and the ledger speak of its leaves.
 */
import type * as z from 'zod'
import type { Capability, Needs } from './capability.ts'
import { makeFactory } from './make-score.ts'
import type { Definition, ScoreFactory, Scores } from './score.ts'

/**
 * Defines a kind of composite. Prefer an arrow that returns a list: a misfit is then reported on the guilty child.
 * (`NoInfer` keeps the children from widening `needs`.)
 */
export function defineComposite<
  const Kind extends string,
  S extends z.ZodType,
  C extends readonly Capability[] | [],
>(
  definition: Omit<Definition<Kind, S, C>, 'claims' | 'uses'> & {
    readonly compose: (spec: z.output<S>) => NoInfer<readonly Scores<Needs<C>>[]>
  },
): ScoreFactory<Kind, z.input<S>, Needs<C>> {
  return makeFactory(definition as never) as never
}
