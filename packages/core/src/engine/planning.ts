/**
 * Makes a plan: classifies every leaf, works out removals, purges, reactions and conflicts, and puts the steps in
 * order. Reads everything, writes nothing.
 */
import type { Graph } from '../plan/graph.ts'
import { type Plan, sealPlan } from '../plan/plan.ts'
import { refuseUnmatched, select } from '../plan/select.ts'
import { classifyAll } from './classify.ts'
import { type Context, ownRecords } from './context.ts'
import type { PlanRequest } from './contract.ts'
import { LeafSteps } from './leaf-steps.ts'
import { planRemovals, withDependents } from './removal.ts'
import { findRenames } from './renames.ts'
import { planPurges } from './surplus.ts'

const none: readonly never[] = Object.freeze([])

/** Plans for one topology. */
export async function makePlan(context: Context, graph: Graph, request: PlanRequest): Promise<Plan> {
  const own = ownRecords(context)
  const signal = request.signal ?? new AbortController().signal
  const renames = findRenames(graph, own)
  const renamed = new Set([...renames.records.values()].map((record) => record.address))
  const left = own.without(graph.leaves).filter(({ address }) => !renamed.has(address))
  const selection = select(
    graph.order,
    left.map((record) => record.address),
    request.targets ?? none,
    request.excludes ?? none,
  )

  refuseUnmatched(graph.order, none, request.replace ?? none, '--replace')

  const removals = planRemovals(
    withDependents(left, (record) => selection.mayRemove(record.address)),
    graph,
    own.size,
    request,
    (address) => own.get(address) ?? renames.records.get(address),
  )
  const first = removals.before
  const anew = (request.replace ?? none).length > 0
  const about = { context, graph, own, renames: renames.records, signal, onChange: request.onChange }
  const verdicts = await classifyAll(
    { ...about, isUsual: (leaf) => !anew && !first.has(leaf.address) },
    selection.has,
  )
  const steps = new LeafSteps(context, graph, verdicts, removals.before, request)
  for (const leaf of graph.order) steps.add(leaf)
  const { adopt } = request
  const purges = await planPurges(context, graph, verdicts, removals.steps, { adopt, signal })

  return sealPlan({
    project: context.owner.project,
    lineage: context.owner.lineage,
    destroys: request.destroy === true,
    topology: context.topology.name,
    home: context.home.description,
    steps: [...steps.steps, ...removals.steps, ...purges.steps],
    conflicts: [...renames.conflicts, ...steps.conflicts, ...removals.conflicts, ...purges.conflicts],
    failures: [...steps.failures, ...purges.failures],
    notes: [...selection.notes, ...removals.notes],
  })
}
