/** Runs the reactions that are due, once the thing itself is as wanted. When one is due is decided in `reactions.ts`. */
import type { Json } from '../canonical.ts'
import { isCreation, type Look } from '../interpret.ts'
import type { LedgerRecord, ReactionRecord } from '../ledger/record.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { Step } from '../plan/plan.ts'
import { type Observation, verbsOf } from './observe.ts'
import type { Pass } from './pass.ts'
import { causesOf, digestOfCauses, dueReactions } from './reactions.ts'
import type { ResolvedSpec } from './resolve.ts'
import { guarded, makeRun } from './run.ts'
import { settle } from './settle.ts'

interface Reacting {
  readonly first: Observation
  readonly seen: Observation
  readonly look: Look
  readonly before: LedgerRecord | undefined
  readonly changed: () => void
  readonly remember: (memory: Json) => void
  /** What was last remembered. */
  readonly memory: () => Json | undefined
  readonly releaseSlot: () => void
}

/** What ran, and what the ledger is to remember of it. */
export async function react(
  pass: Pass,
  step: Step,
  leaf: Leaf,
  resolved: ResolvedSpec,
  at: Reacting,
): Promise<{ ran: boolean; seen: Observation; records: Readonly<Record<string, ReactionRecord>> }> {
  const names = Object.keys(leaf.options.reactions)
  if (names.length === 0) return { ran: false, seen: at.seen, records: {} }
  const { context } = pass
  const verbs = verbsOf(leaf.definition)
  const incarnation = (observation: Observation) => verbs.incarnation?.(observation.state)
  // A fresh start has met the causes as they are: it satisfies every reaction.
  const started = incarnation(at.seen)
  const startedAnew =
    isCreation(at.first.differences) || (started !== undefined && started !== incarnation(at.first))
  const due = startedAnew ? [] : dueReactions(leaf, at.before, pass.causeOf)
  let seen = at.seen
  for (const { name, causes } of due) {
    context.emit({
      type: 'reaction',
      topology: context.topology.name,
      address: leaf.address,
      reaction: name,
      causes,
    })
    if (!pass.isIntended(step)) await pass.intend(step, leaf, { previous: at.before?.previous })
    at.changed()
    const run = makeRun(pass, at.look, resolved, seen, at.remember)
    await guarded(resolved, run, async (work) =>
      leaf.definition.reactions?.[name]?.(resolved.spec, context.topology, work),
    )
    seen = await settle(pass, leaf, resolved, { ...at.look, memory: at.memory() }, at.releaseSlot)
  }
  const records: Record<string, ReactionRecord> = {}
  for (const name of names) {
    const causes = digestOfCauses(causesOf(leaf.options.reactions[name] ?? [], pass.causeOf))
    records[name] = { causes, incarnation: incarnation(seen) }
  }
  return { ran: due.length > 0, seen, records }
}
