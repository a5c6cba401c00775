/**
 * Carries out one step: looks again, refuses when reality moved since the plan, writes the intent, converges, verifies
 * by looking once more, runs the reactions that are due, writes the result. Every step of every surface goes through
 * here; it is the only place where a Score changes anything.
 */
import type { Json } from '../canonical.ts'
import { HarmonyError } from '../errors.ts'
import { isCreation, type Look } from '../interpret.ts'
import {
  isHalfPutBack,
  type LedgerRecord,
  type ReactionRecord,
  reliableMemory,
  specOf,
} from '../ledger/record.ts'
import type { Leaf } from '../plan/leaf.ts'
import type { ShownDifference, Step } from '../plan/plan.ts'
import type { KindDefinition } from '../score.ts'
import { claimsSame } from './leaf-steps.ts'
import { type Observation, observe, placeOf, preconditionOf, show, verbsOf } from './observe.ts'
import type { Pass } from './pass.ts'
import { react } from './react.ts'
import { alsoTainted, assetFacts, digestOfSpec, type ResolvedSpec, resolveSpec } from './resolve.ts'
import { guarded, makeRun } from './run.ts'
import { settle } from './settle.ts'

/** How a step ended well. */
export interface Done {
  readonly outcome: 'noop' | 'success'
}

/** Brings one leaf to its wanted state. `changed` is told before the first write. */
export async function convergeLeaf(
  pass: Pass,
  step: Step,
  leaf: Leaf,
  changed: () => void,
  releaseSlot: () => void,
): Promise<Done> {
  const { context } = pass
  const { address, definition } = leaf
  const verbs = verbsOf(definition)
  let before = pass.recordBefore(step)
  const applied = before && specOf(definition, before)
  if (before?.unfinished) await verbs.recover?.(applied, context.topology)

  const digest = await digestOfSpec(leaf.score, context.sources)
  if (digest !== step.spec) throw stale(address, ['its spec is another one than when the plan was made'])
  const resolved = alsoTainted(await resolveSpec(leaf.score, context.sources, pass.outputOf), before)
  const look = { address, digest, memory: reliableMemory(before), signal: pass.abort }
  let first = await observe(definition, resolved, context.topology, look)
  let putBack = false
  if (before && isHalfPutBack(before) && first.differences.length > 0) {
    // The removal is completed first: only then is it certain that what was there is there, to be kept anew.
    const { previous, memory } = before
    changed()
    await verbs.remove(
      { address: before.address, spec: applied, previous, memory },
      context.topology,
      makeRun(pass, look, resolved, first, () => undefined),
    )
    pass.drop(before.address)
    await context.ledger.flush()
    before = undefined
    putBack = true
    first = await observe(definition, resolved, context.topology, look)
  }
  const { forced } = step
  // A thing of several parts was shown half put back; the other half has moved it, as it was asked to.
  if (!putBack) checkPrecondition(pass, step, definition, resolved, first)
  const foreign = !before && first.differences.length > 0 && !isCreation(first.differences)
  // What a package has brought since the plan was shown is taken over if the Score says so, as if it had been there.
  const adopts = step.adopts || (leaf.options.adopt && pass.changedBefore(step))
  if (foreign && !adopts)
    throw new HarmonyError('plan-conflict', 'exists, was not made by this project, and differs', {
      address,
      hint: 'take it over with adopt: true (what was there is put back on removal), or remove it by hand',
    })

  // What another place remembers, and what was there before, is of no meaning for the place it moves to.
  const moved = before !== undefined && step.renamedFrom !== undefined && !claimsSame(before, leaf)
  const held = moved ? undefined : before
  let memory: Json | undefined = held?.memory
  const remember = (kept: Json) => {
    memory = kept
  }
  const run = makeRun(pass, look, resolved, first, remember, releaseSlot)
  let seen = first
  let outcome: Done['outcome'] = 'noop'
  // Found as wanted, and always there: a later version of the project may change it, and that is when it would be missed.
  const asFound =
    !before && first.differences.length === 0 && !forced && definition.standing?.(leaf.score.spec)
      ? await verbs.keep?.(resolved.spec, context.topology, first.state)
      : undefined
  if (first.differences.length > 0 || forced) {
    outcome = 'success'
    // What was there is kept before the intent is written, and the intent says so: a crash in between loses nothing.
    const previous = foreign
      ? await verbs.keep?.(resolved.spec, context.topology, first.state)
      : held?.previous
    await pass.intend(step, leaf, { previous })
    pass.abort.throwIfAborted()
    changed()
    let work = run
    // What differs anyway and is a path is replaced at once by its kind: never a moment without it, and with a
    // candidate that is refused the old one stays.
    const atOnce = first.differences.length > 0 && leaf.claims.every((claim) => claim.type === 'path')
    if (forced && before && !atOnce) {
      await verbs.remove({ address, spec: applied, previous: undefined, memory }, context.topology, run)
      work = makeRun(
        pass,
        look,
        resolved,
        await observe(definition, resolved, context.topology, look),
        remember,
        releaseSlot,
      )
    }
    try {
      await guarded(resolved, work, (run) => verbs.converge(resolved.spec, context.topology, run))
    } catch (thrown) {
      const hides = definition.unseen?.(leaf.score.spec, memory) === true
      if (!before && !foreign && !hides) await withdrawIfAbsent(pass, step, leaf, resolved, look)
      throw thrown
    }
    seen = await settle(pass, leaf, resolved, { ...look, memory }, releaseSlot)
  }

  const reactions = await react(pass, step, leaf, resolved, {
    first,
    seen,
    look,
    before,
    changed,
    remember,
    memory: () => memory,
    releaseSlot,
  })
  if (reactions.ran) {
    outcome = 'success'
    seen = reactions.seen
  }
  pass.states.set(address, { definition, state: seen.state })
  const finished = finishedRecord(pass, step, leaf, held, {
    previous: asFound,
    memory,
    reactions: reactions.records,
    assets: await assetFacts(leaf.score, context.sources),
  })
  if (before && moved && !before.options.retain && !pass.leaf(before.address)) {
    changed()
    outcome = 'success'
    await verbs.remove(
      { address: before.address, spec: applied, previous: before.previous, memory: before.memory },
      context.topology,
      run,
    )
  }
  pass.finish(step, finished)
  // What a crash could not find out by looking (a job that ran, a restart) must be durable before it counts as done.
  if (reactions.ran || (verbs.incarnation && memory !== before?.memory)) await context.ledger.flush()
  return { outcome }
}

/** After a creation that failed: if there is nothing still, nothing is ours, and what somebody puts there is theirs. */
async function withdrawIfAbsent(
  pass: Pass,
  step: Step,
  leaf: Leaf,
  resolved: ResolvedSpec,
  look: Look,
): Promise<void> {
  try {
    const { differences } = await observe(leaf.definition, resolved, pass.context.topology, look)
    if (isCreation(differences)) pass.neverBegan(step)
  } catch {
    // What cannot be told stays ours until it can: the next pass looks again.
  }
}

function checkPrecondition(
  pass: Pass,
  step: Step,
  definition: KindDefinition,
  resolved: ResolvedSpec,
  { state, differences }: Observation,
): void {
  if (step.action === 'unchanged' || step.action === 'react') {
    if (differences.length > 0)
      throw stale(step.address, movedPaths(show(differences, resolved), step.differences))
    return
  }
  if (step.precondition === undefined || differences.length === 0) return
  const place = placeOf(definition, state)
  if (preconditionOf(differences, resolved, pass.context.key, place) === step.precondition) return
  // A step of this very plan may have moved it: a link that now leads elsewhere, a folder that was made anew.
  if (pass.changedBefore(step)) return
  const moved = movedPaths(show(differences, resolved), step.differences)
  throw stale(step.address, moved.length > 0 ? moved : ['the place that it would be written to'])
}

function movedPaths(now: readonly ShownDifference[], planned: readonly ShownDifference[]): readonly string[] {
  const was = new Map(planned.map((difference) => [difference.path, JSON.stringify(difference.from)]))
  const moved = now.filter(
    (difference) => difference.masked || was.get(difference.path) !== JSON.stringify(difference.from),
  )
  const gone = planned.filter((difference) => !now.some((each) => each.path === difference.path))
  return [...moved, ...gone].map((difference) => difference.path || 'the thing itself')
}

/** What a step says that is not what it was when the plan was shown. */
export function stale(address: string, moved: readonly string[]): HarmonyError {
  return new HarmonyError('plan-stale', `has changed since the plan was shown: ${moved.join(', ')}`, {
    address,
    hint: 'plan again, and look at what is different now; nothing of this step was done',
    data: { moved },
  })
}

function finishedRecord(
  pass: Pass,
  step: Step,
  leaf: Leaf,
  before: LedgerRecord | undefined,
  end: {
    /** Kept of a thing that was not changed. */
    readonly previous: Json | undefined
    readonly memory: Json | undefined
    readonly reactions: Readonly<Record<string, ReactionRecord>>
    readonly assets: LedgerRecord['assets']
  },
): LedgerRecord {
  // A step that found everything as wanted has begun nothing: its revision stays, and no reaction is due.
  const current = pass.isIntended(step) ? pass.current(leaf.address) : before
  return {
    ...pass.ownerOf(leaf.address),
    kind: leaf.score.kind,
    version: leaf.score.version,
    spec: leaf.score.spec,
    digest: step.spec,
    options: leaf.options,
    claims: leaf.claims,
    after: pass.dependenciesOf(leaf.address),
    parent: leaf.parent,
    revision: current?.revision ?? 0,
    reactions: end.reactions,
    previous: current?.previous ?? end.previous,
    memory: end.memory,
    assets: end.assets,
    unfinished: undefined,
  }
}
