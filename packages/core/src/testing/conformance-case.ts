/** One case of the conformance kit at work: its stage set up, its Scores conducted, its ledger looked at. */
import { canonical } from '../canonical.ts'
import type { PlanRequest } from '../engine/contract.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { LedgerRecord } from '../ledger/record.ts'
import { expand } from '../plan/leaf.ts'
import { acts } from '../plan/plan.ts'
import { deploy } from '../project.ts'
import type { AnyScore, Scores } from '../score.ts'
import { type Conducted, type ConductOptions, conduct, type Passed } from './conduct.ts'
import { demand, lines } from './demand.ts'
import { compareSnapshots, type Snapshot } from './simulated-disk.ts'
import type { Stage } from './stage.ts'

/** Scores on a fresh stage. */
export type ScoresOn<T> = (stage: T) => readonly Scores<T>[]

/** Something that is done to a stage behind Harmony's back. */
export type Deed<T> = (stage: T) => void | Promise<void>

/** One way to use a kind of Score. */
export interface ConformanceCase<T extends Stage> {
  readonly name: string
  /** The Scores: of the kind, with whatever they stand on. Called for each fresh stage. */
  readonly scores: ScoresOn<T>
  /** The same project a version later: other values in as many fields as can be changed. */
  readonly updated?: ScoresOn<T>
  /** Makes what the Scores expect to be there. */
  readonly prepare?: Deed<T>
  /** Puts something of somebody else's where the things of the Scores are to be: it is adopted, and put back later. */
  readonly occupied?: Deed<T>
  /** For fields of the schema: changes exactly that on the applied thing. The empty path: takes the thing away. */
  readonly tampers?: Readonly<Record<string, Deed<T>>>
  /** Contents of `asset(…)`, by path. */
  readonly assets?: NonNullable<ConductOptions['assets']>
}

/** A stage that is set up for one case. */
export class Rehearsal<T extends Stage> {
  readonly stage: T
  /** What was there before Harmony came. */
  readonly before: Snapshot
  readonly #options: ConductOptions

  private constructor(stage: T, before: Snapshot, options: ConductOptions) {
    this.stage = stage
    this.before = before
    this.#options = options
  }

  /** Sets a fresh stage up. */
  static async open<T extends Stage>(
    open: () => T | Promise<T>,
    of: ConformanceCase<T>,
    ...deeds: readonly (Deed<T> | undefined)[]
  ): Promise<Rehearsal<T>> {
    const stage = await open()
    for (const deed of [of.prepare, ...deeds]) await deed?.(stage)
    const rehearsal = new Rehearsal(stage, await stage.snapshot(), { assets: of.assets ?? {} })
    stage.faults.forget()
    return rehearsal
  }

  conducted(scores: readonly Scores<T>[]): Conducted {
    return conduct<T>(this.stage, scores, this.#options)
  }

  /** Applies, and fails unless every step ended well. */
  async apply(scores: readonly Scores<T>[], request: PlanRequest = {}): Promise<Passed> {
    const passed = await this.conducted(scores).apply(request)
    const failed = passed.results.filter(
      (result) => result.outcome === 'failure' || result.outcome === 'blocked',
    )
    demand(
      failed.length === 0,
      `not every step ended well:${lines(failed.map(({ address, error }) => `${address}: ${error?.message} (${error?.code})`))}`,
    )
    return passed
  }

  /** Fails unless nothing is to be done, nothing is done when told to, and the ledger holds exactly what is there. */
  async demandConverged(scores: readonly Scores<T>[], after: string): Promise<void> {
    this.stage.faults.forget()
    const { plan, changed } = await this.apply(scores)
    const busy = plan.steps.filter((step) => step.action !== 'unchanged')
    demand(
      !acts(plan) && changed === 0,
      `${after}, another pass still had something to do:${lines(busy.map((step) => `${step.address}: ${step.action} ${canonical(step.differences)}`))}`,
    )
    const writes = this.stage.faults.writes.map(describeWrite)
    demand(writes.length === 0, `${after}, a pass with nothing to do wrote all the same:${lines(writes)}`)
    const owned = (await this.records()).map(({ address, unfinished }) =>
      unfinished ? `${address} (unfinished)` : address,
    )
    const wanted = [...expand(deploy<T>(this.stage, scores).scores).keys()]
    const difference = compareSnapshots(asSet(wanted), asSet(owned))
    demand(
      difference.length === 0,
      `${after}, the ledger does not hold exactly what is there:${lines(difference)}`,
    )
  }

  /** Fails unless the stage looks like this. */
  async demandLooks(like: Snapshot, after: string): Promise<void> {
    const difference = compareSnapshots(like, await this.stage.snapshot())
    demand(difference.length === 0, `${after}, it is not as it should be:${lines(difference)}`)
  }

  /** Destroys, and fails unless everything is as it was before, without a trace. */
  async demandNoTrace(scores: readonly Scores<T>[], after: string): Promise<void> {
    await this.apply(scores, { destroy: true })
    await this.demandLooks(this.before, `${after}, once destroyed`)
    const residue = await this.stage.residue()
    demand(
      residue.length === 0,
      `${after}, once destroyed, Harmony has left something of its own:${lines(residue)}`,
    )
  }

  /** The ledger's records, of whoever. */
  async records(): Promise<readonly LedgerRecord[]> {
    return [...(await Ledger.load(this.stage.home)).records.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage.close?.()
    await this.stage.dispose?.()
  }
}

/** The leaves and composites of a case that are of one kind. */
export function scoresOfKind<T extends Stage>(
  kind: string,
  stage: T,
  scores: readonly Scores<T>[],
): readonly AnyScore[] {
  const found: AnyScore[] = []
  const visit = (score: AnyScore): void => {
    if (score.kind === kind) found.push(score)
    else for (const child of score['~score'].children ?? []) visit(child)
  }
  for (const score of deploy<T>(stage, scores).scores) visit(score)
  return found
}

/** A write, for a message. */
export function describeWrite({
  port,
  method,
  subject,
}: {
  readonly port: string
  readonly method: string
  readonly subject: string
}): string {
  return `${port}.${method} ${subject}`.trimEnd()
}

function asSet(list: readonly string[]): Snapshot {
  return Object.fromEntries(list.map((each) => [each, 'in the ledger']))
}
