/**
 * From plans to deeds, for `apply` and `destroy`: plan, lock, show, ask, carry out. What cannot be undone happens in
 * `carryOut` and nowhere else.
 */
import { basename } from 'node:path'
import type { Plan } from '@harmony-iac/core'
import type { ApplyResult, PlanRequest } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Context, Ending } from '../context.ts'
import { hostStatus, statusOfAll, type TopologyError } from '../failures.ts'
import { openOwnSession } from '../own-session.ts'
import { newLineage, writeLock } from '../project/lineage.ts'
import type { OpenProject } from '../project/open.ts'
import { errorData } from '../render/error-data.ts'
import { anyActs, anyChanges, sumPlans } from '../render/plan-sums.ts'
import type { Summary } from '../render/reporter.ts'
import { eachMember, type Member, type Session, targetsOf } from '../session.ts'
import { refusalStatus, tellFailures } from './planning.ts'

/** How long another holder of a lock is waited for. */
const lockWaitMs = 10_000

interface Begun {
  readonly what: PlanRequest | readonly Plan[]
  /** Locks that were asked for while the plan was being made. */
  readonly early: ReadonlyMap<Member, Promise<boolean>>
}

interface Planned {
  readonly member: Member
  readonly value: Plan
}

/** Plans and carries out; with plans that were saved, carries out those. */
export async function conduct(
  context: Context,
  open: OpenProject,
  what: PlanRequest | readonly Plan[],
): Promise<Ending> {
  const { interrupts, reporter } = context
  let started = performance.now()
  const targets = targetsOf(open.project)
  const { lineage } = open
  const saved = isSaved(what) ? what : undefined
  const used = saved
    ? targets.filter(({ topology }) => saved.some((plan) => plan.topology === topology.name))
    : targets
  if (saved)
    refuseForeign(
      saved,
      open,
      used.map(({ topology }) => topology.name),
    )
  const strays = context.args.command === 'destroy' ? 'include' : 'refuse'
  const session = await openOwnSession(context, open, used, strays)
  try {
    const failures = [...session.failures]
    const early = new Map<Member, Promise<boolean>>()
    let planned = await planAll(context, session, failures, what, early)
    interrupts.throwIfInterrupted()
    let told = tellFailures(context, failures)
    let plans = planned.map(({ value }) => value)
    if (saved || (anyChanges(plans) && !refusalStatus(plans))) {
      planned = await lockAll(context, session, planned, failures, { what, early })
      interrupts.throwIfInterrupted()
      told += tellFailures(context, failures.slice(told))
      plans = planned.map(({ value }) => value)
    }
    const end = (status: number, results: readonly ApplyResult[]): Ending => ({
      status,
      summary: summarize(context, plans, results, started),
    })

    const refused = refusalStatus(plans)
    if (refused || anyChanges(plans)) await reporter.plans(plans)
    if (refused) {
      reporter.say(
        refused === 65 ? 'Nothing was changed: decide about the conflicts first.' : 'Nothing was changed.',
      )
      return end(refused, [])
    }
    if (!anyChanges(plans)) {
      if (plans.length > 0 || used.length === 0) reporter.say(idleText(context, plans))
      return end(hostStatus(failures, used.length), [])
    }
    const asked = performance.now()
    if (anyActs(plans) && !(await agreed(context, plans))) {
      reporter.say('Nothing was changed.')
      return end(1, [])
    }
    started += performance.now() - asked // a person's time is not ours
    interrupts.startApplying((text) => reporter.warn(text))
    const line = lineage ?? (await beginLineage(context, open))
    const results = await carryOut(context, session, planned, failures, line)
    const late = failures.slice(told)
    const cut = ({ error }: TopologyError) => error.code === 'interrupted'
    for (const { topology, error } of late.filter((each) => !cut(each)))
      reporter.error(errorData(error, context.io.env), topology)
    if (late.some(cut) || results.some(({ interrupted, lost }) => interrupted && !lost))
      return end(130, results)
    for (const { lost } of results) if (lost) reporter.error(errorData(lost, context.io.env))
    if (results.some(({ lost }) => lost)) return end(1, results)
    if (failures.length > 0 || results.some(({ outcomes }) => outcomes.failure + outcomes.blocked > 0))
      return end(results.length === 0 ? statusOfAll(late) : 1, results)
    if (!anyActs(plans)) reporter.say(recordedText(plans))
    else if (results.every(({ outcomes }) => outcomes.success === 0))
      reporter.say('Nothing was left to do: all of it is as wanted by now.')
    return end(0, results)
  } finally {
    await session.close()
  }
}

function isSaved(what: PlanRequest | readonly Plan[]): what is readonly Plan[] {
  return Array.isArray(what)
}

function refuseForeign(
  saved: readonly Plan[],
  { project, lineage }: OpenProject,
  topologies: readonly string[],
): void {
  const fail = (why: string) =>
    new HarmonyError('invalid-project', `the saved plan ${why}`, {
      hint: 'make a new one with harmony plan --out',
    })
  for (const plan of saved) {
    if (plan.project !== project.name)
      throw fail(`is one of the project ${plan.project}, not of ${project.name}`)
    if (plan.lineage !== undefined && plan.lineage !== lineage)
      throw fail('is one of another project of the same name (its lineage differs)')
    if (!topologies.includes(plan.topology))
      throw fail(`is for the topology ${plan.topology}, which the project does not have any more`)
  }
}

/**
 * Plans without the lock: most passes have nothing to do, and then nobody need wait for anybody. As soon as there is
 * something to do, the lock is asked for: another process takes it, which can begin meanwhile.
 */
async function planAll(
  { interrupts }: Context,
  session: Session,
  failures: TopologyError[],
  what: PlanRequest | readonly Plan[],
  early: Map<Member, Promise<boolean>>,
): Promise<readonly Planned[]> {
  return await eachMember(session.groups, failures, async (member, first) => {
    const { maestro, name } = member
    const onChange = async () => {
      const locking = maestro.lock({ waitMs: lockWaitMs, signal: interrupts.reading })
      locking.catch(() => {}) // told where it is waited for, if it is
      early.set(member, locking)
    }
    if (!isSaved(what)) return await maestro.plan(first ? { ...what, onChange } : what)
    const plan = what.find(({ topology }) => topology === name)
    if (!plan) throw new HarmonyError('internal', `no plan for ${name}`)
    return plan
  })
}

/**
 * Takes the locks, one for each ledger: who shares one with the first of a group gets the lock after that. A plan from
 * a ledger that somebody has written since is made anew.
 */
async function lockAll(
  { interrupts, reporter }: Context,
  session: Session,
  planned: readonly Planned[],
  failures: TopologyError[],
  { what, early }: Begun,
): Promise<readonly Planned[]> {
  const planOf = new Map(planned.map(({ member, value }) => [member, value]))
  const anew = new Set<readonly Member[]>()
  const locking = eachMember(groupsOf(session, planOf), failures, async (member, first, group) => {
    const plan = planOf.get(member)
    if (!plan) throw new HarmonyError('internal', `no plan for ${member.name}`)
    const lock = () => member.maestro.lock({ waitMs: lockWaitMs, signal: interrupts.reading })
    if (first && !(await (early.get(member) ?? lock()))) anew.add(group)
    if (isSaved(what) || !anew.has(group)) return plan
    if (first) return await member.maestro.plan(what)
    throw new HarmonyError('plan-stale', 'the ledger was changed by somebody else meanwhile', {
      hint: 'run it again',
    })
  })
  // Other processes take the locks; this one would wait.
  const [locked] = await Promise.all([locking, reporter.prepare()])
  return locked
}

function groupsOf(session: Session, planOf: ReadonlyMap<Member, Plan>): readonly (readonly Member[])[] {
  return session.groups.map((group) => group.filter((member) => planOf.has(member)))
}

async function agreed({ args, io, interrupts }: Context, plans: readonly Plan[]): Promise<boolean> {
  if (args.options.yes) return true
  if (args.options.json || !io.interactive)
    throw new HarmonyError('usage', 'nobody can be asked here', {
      hint: `harmony ${args.command} --yes does it without a question`,
    })
  const { create, update, remove } = sumPlans(plans)
  const question =
    args.command === 'destroy'
      ? `Remove all of this (${remove})?`
      : `Carry out these ${create + update + remove} changes?`
  const answer = await io.ask(question, interrupts.reading)
  interrupts.throwIfInterrupted()
  return answer
}

async function beginLineage({ reporter }: Context, { project, lockFile }: OpenProject): Promise<string> {
  const lineage = newLineage()
  await writeLock(lockFile, { lineage, project: project.name })
  reporter.say(`Wrote ${basename(lockFile)}, by which Harmony knows what belongs to this project: commit it.`)
  return lineage
}

async function carryOut(
  context: Context,
  session: Session,
  planned: readonly Planned[],
  failures: TopologyError[],
  lineage: string,
): Promise<readonly ApplyResult[]> {
  const { args, interrupts, reporter } = context
  const planOf = new Map(planned.map(({ member, value }) => [member, value]))
  const done = await reporter.working(planned.map(({ value }) => value))
  try {
    const applied = await eachMember(groupsOf(session, planOf), failures, async (member, first) => {
      const plan = planOf.get(member)
      if (!plan) throw new HarmonyError('internal', `no plan for ${member.name}`)
      if (!first) await member.maestro.lock({ waitMs: lockWaitMs, signal: interrupts.stop })
      const { parallel } = args.options
      try {
        return await member.maestro.apply(plan, {
          lineage,
          stop: interrupts.stop,
          abort: interrupts.abort,
          ...(parallel === undefined ? {} : { parallel }),
        })
      } finally {
        // The next one of this group waits for the lock that this one holds.
        await member.maestro.close()
      }
    })
    return applied.map(({ value }) => value)
  } finally {
    await done()
  }
}

function idleText({ args }: Context, plans: readonly Plan[]): string {
  const { unchanged } = sumPlans(plans)
  if (args.command === 'destroy') return 'Nothing to remove: the project owns nothing here.'
  return `Nothing to do: ${unchanged} ${unchanged === 1 ? 'Score is' : 'Scores are'} as wanted.`
}

function recordedText(plans: readonly Plan[]): string {
  const { unchanged } = sumPlans(plans)
  return `The ledger was brought up to date; ${unchanged} ${unchanged === 1 ? 'Score is' : 'Scores are'} as wanted.`
}

function summarize(
  { args }: Context,
  plans: readonly Plan[],
  results: readonly ApplyResult[],
  started: number,
): Summary {
  const command = args.command === 'destroy' ? 'destroy' : 'apply'
  const outcomes = { noop: 0, success: 0, failure: 0, blocked: 0 }
  let changed = 0
  for (const result of results) {
    changed += result.changed
    for (const key of Object.keys(outcomes) as (keyof typeof outcomes)[])
      outcomes[key] += result.outcomes[key]
  }
  // Nothing ran: what is as wanted is a noop, the rest did not happen.
  if (results.length === 0) outcomes.noop = sumPlans(plans).unchanged
  return { command, outcomes, changed, durationMs: Math.round(performance.now() - started) }
}
