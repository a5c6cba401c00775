/**
 * Carries out a plan: exactly its steps, in its order, as many side by side as asked for.
 */
import { describeClaim } from '../claims.ts'
import { HarmonyError, isHarmonyError, toHarmonyError } from '../errors.ts'
import type { ErrorData, Outcome } from '../events.ts'
import { kindOf } from '../kinds.ts'
import { isHalfPutBack, specOf } from '../ledger/record.ts'
import type { Graph } from '../plan/graph.ts'
import { isRemoval, isSealed, type Plan, type Step } from '../plan/plan.ts'
import type { Context } from './context.ts'
import type { ApplyRequest, ApplyResult, StepResult } from './contract.ts'
import { Fences, lastRemovals } from './fences.ts'
import { verbsOf } from './observe.ts'
import { Pass } from './pass.ts'
import { resolveSpec } from './resolve.ts'
import { makeRun, nothingSecret } from './run.ts'
import { schedule, type Task } from './schedule.ts'
import { NotConverged } from './settle.ts'
import { convergeLeaf, stale } from './step.ts'
import { Belongings } from './surplus.ts'

const created = '~everything that is created'

/** Carries out a plan; resolves whatever becomes of its steps. */
export async function carryOut(
  context: Context,
  graph: Graph,
  plan: Plan,
  request: ApplyRequest,
): Promise<ApplyResult> {
  refuseUnfit(context, plan)
  const stop = request.stop ?? new AbortController().signal
  const abort = request.abort ?? new AbortController().signal
  const pass = new Pass(context, graph, plan, abort)
  const conductor = new Conductor(pass, plan)

  const either = AbortSignal.any([stop, abort])
  await schedule(conductor.tasks(), {
    ...(request.parallel === undefined ? usualParallel : { parallel: request.parallel }),
    stop: either,
    onReady: (tasks) => conductor.announce(tasks),
  })
  pass.withdraw()
  await finishLedger(context, conductor)
  return conductor.result(either.aborted, lossBehind(abort))
}

// Ten jobs are what a small host stands; of requests that mostly wait for their answers it stands many more.
const usualParallel = { parallel: 10, light: 64 }

function refuseUnfit(context: Context, plan: Plan): void {
  const unfit = (message: string, hint: string) => new HarmonyError('plan-stale', message, { hint })
  if (!isSealed(plan))
    throw unfit('the plan was changed after it was made: its digest is wrong', 'plan again')
  if (plan.project !== context.owner.project || plan.topology !== context.topology.name)
    throw unfit(`the plan is for ${plan.project} on ${plan.topology}`, 'plan this project again')
  if (plan.lineage !== undefined && plan.lineage !== context.owner.lineage)
    throw unfit('the plan was made for another lineage of this project (harmony.lock)', 'plan again')
  if (plan.conflicts.length > 0)
    throw new HarmonyError('plan-conflict', 'the plan has conflicts', { hint: 'resolve them and plan again' })
  if (plan.failures.length > 0)
    throw new HarmonyError('plan-stale', 'not everything could be observed', {
      hint: 'resolve that and plan again',
    })
}

/** The steps of one plan as tasks, and what becomes of them. */
class Conductor {
  readonly #pass: Pass
  readonly #plan: Plan
  readonly #steps: ReadonlyMap<string, Step>
  readonly #results = new Map<string, StepResult>()
  #tainted = false

  constructor(pass: Pass, plan: Plan) {
    this.#pass = pass
    this.#plan = plan
    this.#steps = new Map(plan.steps.map((step) => [step.address, step]))
  }

  get tainted(): boolean {
    return this.#tainted
  }

  tasks(): readonly Task[] {
    const tasks: Task[] = []
    const creations: string[] = []
    const last = lastRemovals(this.#plan.steps)
    const fences = new Fences(tasks)
    const first = new Set(this.#plan.steps.flatMap((step) => (isRemoval(step) ? [] : step.after)))
    for (const step of this.#plan.steps) {
      if (step.action === 'create' || step.action === 'deferred') creations.push(step.address)
      // What is created may be what replaces it; what must make room goes first.
      const after = isRemoval(step) && !first.has(step.address) ? [...step.after, created] : step.after
      const leaf = isRemoval(step) ? undefined : this.#pass.leaf(step.address)
      tasks.push({
        id: step.address,
        after,
        light: this.#isLight(step),
        follows: fences.behind(leaf ? leaf.follows : (last.get(step.address) ?? [])),
        run: (releaseSlot) => this.#run(step, releaseSlot),
        blocked: (by) => this.#block(step, by),
      })
    }
    tasks.push({ id: created, after: creations, run: async () => true, blocked: () => undefined })
    return tasks
  }

  #isLight({ address }: Step): boolean {
    const kind = this.#pass.leaf(address)?.definition ?? kindOf(this.#pass.current(address)?.kind ?? '')
    return kind?.interpret?.light === true
  }

  /** Writes the intents of what is ready, all together; taken back for whatever does not begin. */
  announce(tasks: readonly Task[]): void {
    for (const { id } of tasks) {
      const step = this.#steps.get(id)
      if (step?.action !== 'create' && step?.action !== 'update') continue
      const leaf = this.#pass.leaf(step.address)
      if (leaf && !step.adopts && !isHalfPutBack(this.#pass.current(step.address)))
        this.#pass.announce(step, leaf)
    }
  }

  result(interrupted: boolean, lost: HarmonyError | undefined): ApplyResult {
    const outcomes: Record<Outcome, number> = { noop: 0, success: 0, failure: 0, blocked: 0 }
    const results = [...this.#results.values()]
    for (const { outcome } of results) outcomes[outcome]++
    const changed = results.filter((result) => result.changed).length
    return { results, outcomes, changed, interrupted, lost }
  }

  async #run(step: Step, releaseSlot: () => void): Promise<boolean> {
    if (step.action === 'unchanged' && !step.records) {
      this.#leave(step)
      return true
    }
    const { emit, topology, clock } = this.#pass.context
    const to = { topology: topology.name, address: step.address, action: step.action }
    const quiet = step.action === 'unchanged'
    if (!quiet) emit({ type: 'started', ...to })
    const began = clock.now()
    let changed = false
    let outcome: Outcome
    let error: ErrorData | undefined
    let differences: Step['differences'] = []
    try {
      outcome = await this.#carryOut(step, releaseSlot, () => {
        changed = true
        this.#pass.markChanged(step.address)
      })
    } catch (thrown) {
      outcome = 'failure'
      this.#pass.withdraw(step.address)
      error = describe(thrown, step.address, this.#pass.abort)
      if (thrown instanceof NotConverged) differences = thrown.differences
    }
    const durationMs = Math.round((clock.now() - began) * 10) / 10
    this.#results.set(step.address, { address: step.address, outcome, changed, durationMs, error })
    if (!quiet || outcome === 'failure')
      emit({ type: 'finished', ...to, outcome, durationMs, error, differences })
    return outcome !== 'failure'
  }

  async #carryOut(step: Step, releaseSlot: () => void, changed: () => void): Promise<Outcome> {
    switch (step.action) {
      case 'remove':
        return await this.#remove(step, changed, releaseSlot)
      case 'forget':
        this.#refuseStaleRemoval(step)
        this.#pass.drop(step.address)
        return 'success'
      case 'purge':
        return await this.#purge(step, changed)
      default: {
        const leaf = this.#pass.leaf(step.address)
        if (!leaf)
          throw new HarmonyError('plan-stale', 'is no longer in the project', {
            address: step.address,
            hint: 'plan again',
          })
        if (JSON.stringify(leaf.score.spec).includes('"$secret"')) this.#tainted = true
        const done = await convergeLeaf(this.#pass, step, leaf, changed, releaseSlot)
        return done.outcome
      }
    }
  }

  /** A saved plan may be old: what is wanted again, applied anew or protected since is not what was shown. */
  #refuseStaleRemoval(step: Step): void {
    const record = this.#pass.current(step.address)
    const moved: string[] = []
    if (!this.#plan.destroys && this.#pass.leaf(step.address)) moved.push('it is part of the project again')
    if (record && record.digest !== step.spec) moved.push('it was applied with another spec')
    if (record?.options.protect) moved.push('it is protected')
    if (record?.options.retain && step.action === 'remove') moved.push('it is to be retained')
    if (moved.length > 0) throw stale(step.address, moved)
  }

  async #remove(step: Step, changed: () => void, releaseSlot: () => void): Promise<Outcome> {
    const record = this.#pass.current(step.address)
    if (!record) return 'noop'
    this.#refuseStaleRemoval(step)
    const definition = kindOf(record.kind)
    if (!definition)
      throw new HarmonyError('unknown-kind', `the kind ${record.kind} is not known here`, {
        address: step.address,
      })
    const verbs = verbsOf(definition)
    const { topology } = this.#pass.context
    const spec = specOf(definition, record)
    if (record.unfinished) await verbs.recover?.(spec, topology)
    await this.#pass.intendRemoval(step)
    this.#pass.abort.throwIfAborted()
    changed()
    const { address, previous, memory } = record
    const run = makeRun(
      this.#pass,
      this.#look(step),
      nothingSecret,
      { state: undefined, differences: [] },
      () => undefined,
      releaseSlot,
    )
    await verbs.remove({ address, spec, previous, memory }, topology, run)
    this.#pass.drop(address)
    return 'success'
  }

  async #purge(step: Step, changed: () => void): Promise<Outcome> {
    const leaf = this.#pass.leaf(step.address.slice(0, -'#surplus'.length))
    const discard = leaf?.definition.interpret?.discard
    if (!leaf || !discard)
      throw new HarmonyError('plan-stale', 'is no longer kept pure', {
        address: step.address,
        hint: 'plan again',
      })
    const { topology, sources, ledger } = this.#pass.context
    const belongings = new Belongings([...this.#pass.leaves, ...ledger.records.values()])
    const unwanted = belongings.unwanted(step.surplus, leaf)
    const claimed = step.surplus.filter((each) => !unwanted.includes(each))
    if (claimed.length > 0)
      throw stale(
        step.address,
        claimed.map(({ claim }) => `${describeClaim(claim)} belongs to somebody now`),
      )
    const resolved = await resolveSpec(leaf.score, sources, this.#pass.outputOf)
    const run = makeRun(
      this.#pass,
      this.#look(step),
      resolved,
      { state: undefined, differences: [] },
      () => undefined,
    )
    changed()
    await discard(step.surplus, resolved.spec, topology, run as never)
    return 'success'
  }

  #look(step: Step) {
    return { address: step.address, digest: step.spec, memory: undefined, signal: this.#pass.abort }
  }

  /** Nothing was to be done, and nothing was. */
  #leave({ address }: Step): void {
    this.#results.set(address, { address, outcome: 'noop', changed: false, durationMs: 0, error: undefined })
  }

  #block(step: Step, by: string | undefined): void {
    if (step.action === 'unchanged') {
      this.#leave(step)
      return
    }
    const { emit, topology } = this.#pass.context
    const error: ErrorData = {
      code: by === undefined ? 'interrupted' : 'blocked',
      message: by === undefined ? 'was not started' : `waits for ${by}, which failed`,
      address: step.address,
    }
    this.#results.set(step.address, {
      address: step.address,
      outcome: 'blocked',
      changed: false,
      durationMs: 0,
      error,
    })
    emit({
      type: 'finished',
      topology: topology.name,
      address: step.address,
      action: step.action,
      outcome: 'blocked',
      durationMs: 0,
      error,
      differences: [],
    })
  }
}

function describe(thrown: unknown, address: string, abort: AbortSignal): ErrorData {
  if (abort.aborted) {
    const { code = 'interrupted', message = 'was interrupted', hint } = lossBehind(abort) ?? {}
    return { code, message: `${message}; the next apply completes it`, hint, address }
  }
  const { code, message, hint, issues, data } = toHarmonyError(thrown, { address })
  return { code, message, address, hint, issues: issues.length > 0 ? issues : undefined, data }
}

/** What ended the pass, when it was not a person: the lock went, and with it the connection. */
function lossBehind({ aborted, reason }: AbortSignal): HarmonyError | undefined {
  return aborted && isHarmonyError(reason) && reason.code !== 'interrupted' ? reason : undefined
}

async function finishLedger({ ledger, key, emit, topology }: Context, { tainted }: Conductor): Promise<void> {
  if (tainted && !key && ledger.records.size > 0) await ledger.makeKey()
  try {
    await ledger.tidy()
  } catch (thrown) {
    const error = toHarmonyError(thrown)
    emit({
      type: 'note',
      topology: topology.name,
      address: undefined,
      message: `the ledger could not be written: ${error.message}`,
    })
    throw new HarmonyError(
      error.code,
      `the steps were done, but the ledger could not be written: ${error.message}`,
      {
        cause: thrown,
        hint: 'resolve that and apply again: what is as wanted is recognized',
      },
    )
  }
}
