/** The rules of the conformance kit that are more than a line. */

import { kindOf } from '../kinds.ts'
import { acts } from '../plan/plan.ts'
import type { KindDefinition, Scores } from '../score.ts'
import { secretValueOf } from './conduct.ts'
import {
  type ConformanceCase,
  type Deed,
  describeWrite,
  Rehearsal,
  scoresOfKind,
} from './conformance-case.ts'
import { hostileScore, hostileSpecs, playHostile } from './conformance-hostile.ts'
import { fieldsOf, publishedSchema } from './conformance-schema.ts'
import { comparePurely, removeAll, withVerbs } from './conformance-verbs.ts'
import { demand, lines } from './demand.ts'
import { SimulatedTopology } from './simulated.ts'
import type { Stage } from './stage.ts'

/** A kind of Score to be checked. */
export interface Conformance<T extends Stage> {
  /** Its factory. */
  readonly factory: { readonly kind: string; readonly '~definition': KindDefinition }
  /** A fresh stage each time: `() => new SimulatedTopology()`. */
  readonly topology: () => T | Promise<T>
  readonly cases: readonly ConformanceCase<T>[]
  /** Fields that no case can tamper with, each with the reason. */
  readonly exempt?: Readonly<Record<string, string>>
  /**
   * Why what the schema accepts need not get to its wanted state when its text is hostile: a job runs whatever program
   * its text names. Default: it must.
   */
  readonly hostileMayFail?: string
}

/** Every field of the schema has a tamper in some case, or an exemption with its reason. */
export function demandTampers<T extends Stage>({ factory, cases, exempt = {} }: Conformance<T>): void {
  const fields = ['', ...fieldsOf(publishedSchema(factory['~definition']))]
  const tampered = new Set(cases.flatMap((each) => Object.keys(each.tampers ?? {})))
  const named = (field: string) => field || 'the thing itself (the empty path)'
  for (const field of fields) {
    demand(
      tampered.has(field) || exempt[field] !== undefined,
      `nothing shows that a change of ${named(field)} is noticed: give it a tamper, or an exemption with its reason`,
    )
    demand(
      !tampered.has(field) || exempt[field] === undefined,
      `${named(field)} has a tamper and an exemption`,
    )
    demand(exempt[field]?.trim() !== '', `the exemption of ${named(field)} gives no reason`)
  }
  for (const field of [...tampered, ...Object.keys(exempt)])
    demand(
      fields.includes(field),
      `${field} is no field of the schema; it has: ${fields.filter(Boolean).join(', ')}`,
    )
}

/** Plan and drift write nothing, before the first apply and after it. */
export async function demandIdlePlans<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
): Promise<void> {
  const { faults } = rehearsal.stage
  const idle = async (when: string) => {
    faults.forget()
    await rehearsal.conducted(scores).plan()
    await rehearsal.conducted(scores).drift()
    demand(
      faults.writes.length === 0,
      `${when}, a plan or drift wrote:${lines(faults.writes.map(describeWrite))}`,
    )
  }
  await idle('before the first apply')
  await rehearsal.apply(scores)
  await idle('once applied')
}

/** `compare` is pure for whatever the case makes it see. */
export async function demandPure<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
  of: ConformanceCase<T>,
): Promise<void> {
  const watched = withVerbs(scores, comparePurely)
  const plan = async () => {
    const { failures } = await rehearsal.conducted(watched).plan()
    demand(
      failures.length === 0,
      lines(failures.map(({ address, message }) => `${address}: ${message}`)).trim(),
    )
  }
  await plan()
  await rehearsal.apply(scores)
  await plan()
  for (const tamper of Object.values(of.tampers ?? {})) {
    await tamper(rehearsal.stage)
    await plan()
    await rehearsal.apply(scores)
  }
}

/** Removing what is gone already changes nothing and is no error. */
export async function demandRemovable<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
): Promise<void> {
  await rehearsal.apply(scores)
  const records = await rehearsal.records()
  await removeAll(records, kindOf, rehearsal.stage)
  const once = await rehearsal.stage.snapshot()
  await removeAll(records, kindOf, rehearsal.stage)
  await rehearsal.demandLooks(once, 'removed twice')
}

/** A tamper is seen by plan and drift; the next apply leaves everything as it was. */
export async function demandRepaired<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
  tamper: Deed<T>,
): Promise<void> {
  await rehearsal.apply(scores)
  const applied = await rehearsal.stage.snapshot()
  await tamper(rehearsal.stage)
  demand(acts(await rehearsal.conducted(scores).plan()), 'a plan does not see it')
  const { entries } = await rehearsal.conducted(scores).drift()
  demand(entries.length > 0, 'drift does not see it')
  await rehearsal.apply(scores)
  await rehearsal.demandLooks(applied, 'repaired')
  await rehearsal.demandConverged(scores, 'repaired')
}

/** The later version of the project is reached, and leaves no trace either. */
export async function demandUpdated<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
  updated: readonly Scores<T>[],
): Promise<void> {
  await rehearsal.apply(scores)
  const { changed } = await rehearsal.apply(updated)
  demand(changed > 0, 'the update changes nothing, so the case shows nothing')
  await rehearsal.demandConverged(updated, 'updated')
  await rehearsal.demandNoTrace(updated, 'updated')
}

/** What is there and not ours is a conflict; adopted, it comes back at the end. */
export async function demandPutBack<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
): Promise<void> {
  const { conflicts } = await rehearsal.conducted(scores).plan()
  demand(
    conflicts.some((conflict) => conflict.type === 'exists'),
    'what is there already is no conflict: either compare does not see it, or it says that nothing is there',
  )
  await rehearsal.apply(scores, { adopt: true })
  await rehearsal.demandConverged(scores, 'adopted')
  await rehearsal.demandNoTrace(scores, 'adopted')
}

/** The value of a secret stands nowhere but in the thing itself. */
export async function demandSecrecy<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
): Promise<void> {
  const told: unknown[] = [await rehearsal.conducted(scores).plan()]
  const { plan, events, results } = await rehearsal.apply(scores)
  told.push(plan, events, results, await rehearsal.records(), await rehearsal.conducted(scores).drift())
  demand(
    !JSON.stringify(told).includes(secretValueOf('')),
    'the value of a secret stands in a plan, an event or the ledger',
  )
}

/** Hostile text in any field is refused by the schema, or kept as it is. */
export async function demandUnbroken<T extends Stage>(kit: Conformance<T>): Promise<void> {
  const { kind } = kit.factory
  for (const of of kit.cases) {
    await using rehearsal = await Rehearsal.open(kit.topology, of)
    for (const score of scoresOfKind(kind, rehearsal.stage, of.scores(rehearsal.stage)))
      for (const spec of hostileSpecs(score.spec)) {
        const bad = hostileScore(kit.factory as never, spec)
        // Only where nothing real can break.
        if (!bad || !(rehearsal.stage instanceof SimulatedTopology)) continue
        await using fresh = await Rehearsal.open(kit.topology, of)
        const others = of.scores(fresh.stage).filter((each) => !isScore(each, score.id))
        await playHostile(fresh, [...others, bad as never], spec, kit.hostileMayFail !== undefined)
      }
  }
}

function isScore<T extends Stage>(each: Scores<T>, id: string): boolean {
  return typeof each === 'object' && 'id' in each && each.id === id
}
