/**
 * The conformance kit: what every kind of Score must keep, played through the real engine. It yields checks with names
 * and needs no test runner: `for (const check of scoreConformance({ … })) test(check.name, check.run)`.
 */
import { kindOf } from '../kinds.ts'
import { acts } from '../plan/plan.ts'
import type { AnyScore, KindDefinition, Scores } from '../score.ts'
import { secretValueOf } from './conduct.ts'
import {
  type ConformanceCase,
  type Deed,
  describeWrite,
  Rehearsal,
  scoresOfKind,
} from './conformance-case.ts'
import { hostileScore, hostileSpecs, playHostile } from './conformance-hostile.ts'
import { killEverywhere } from './conformance-kills.ts'
import {
  demandEarlyIdentity,
  demandRoundTrip,
  demandStrict,
  demandUnchanging,
  fieldsOf,
  publishedSchema,
} from './conformance-schema.ts'
import { comparePurely, convergeTwice, removeAll, withVerbs } from './conformance-verbs.ts'
import { demand, lines } from './demand.ts'
import { SimulatedTopology } from './simulated.ts'
import type { Stage } from './stage.ts'

export type { ConformanceCase } from './conformance-case.ts'
export { NonConforming } from './demand.ts'

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

/** What is checked. */
export type Rule =
  | 'schema is strict'
  | 'schema changes nothing'
  | 'wire form round-trips'
  | 'identity is known early'
  | 'hostile text is refused or kept'
  | 'every field is tampered with or exempt'
  | 'plan writes nothing'
  | 'apply converges'
  | 'second pass changes nothing'
  | 'compare is pure'
  | 'converge can run twice'
  | 'remove can run twice'
  | 'destroy leaves no trace'
  | 'tamper is seen and repaired'
  | 'update converges'
  | 'what was there is put back'
  | 'secrets stay secret'
  | 'apply survives kills'
  | 'update survives kills'
  | 'adoption survives kills'
  | 'destroy survives kills'

/** One check. */
export interface Check {
  /** `File, with a mode: plan writes nothing`. */
  readonly name: string
  readonly rule: Rule
  /** @throws NonConforming (or whatever the kind throws) when the kind does not keep the rule. */
  run(): Promise<void>
}

/** All checks of a kind: those of the kind itself, then those of each case. */
export function scoreConformance<T extends Stage>(kit: Conformance<T>): readonly Check[] {
  const { kind } = kit.factory
  const ofKind = kindRules(kit).map(([rule, run]) => ({ name: `${kind}: ${rule}`, rule, run }))
  const ofCases = kit.cases.flatMap((each) =>
    caseRules(kit, each).map(([rule, run, detail]) => ({
      name: `${kind}, ${each.name}: ${rule}${detail === undefined ? '' : ` (${detail || 'the thing itself'})`}`,
      rule,
      run,
    })),
  )
  return [...ofKind, ...ofCases]
}

type Ruled = readonly [rule: Rule, run: () => Promise<void>, detail?: string]

function kindRules<T extends Stage>(kit: Conformance<T>): readonly Ruled[] {
  const { kind, '~definition': definition } = kit.factory
  /** For every Score of the kind in every case. */
  const each = (work: (score: AnyScore) => void) => async () => {
    for (const of of kit.cases) {
      await using rehearsal = await Rehearsal.open(kit.topology, of)
      const scores = scoresOfKind(kind, rehearsal.stage, of.scores(rehearsal.stage))
      demand(scores.length > 0, `the case "${of.name}" has no ${kind}`)
      for (const score of scores) work(score)
    }
  }
  return [
    ['schema is strict', async () => demandStrict(definition)],
    ['schema changes nothing', each((score) => demandUnchanging(definition, score.spec))],
    ['wire form round-trips', each(demandRoundTrip)],
    ['identity is known early', each((score) => demandEarlyIdentity(definition, score.spec))],
    ['hostile text is refused or kept', () => demandUnbroken(kit)],
    ['every field is tampered with or exempt', async () => demandTampers(kit)],
  ]
}

function caseRules<T extends Stage>(kit: Conformance<T>, of: ConformanceCase<T>): readonly Ruled[] {
  const { topology: open } = kit
  const play =
    (
      work: (rehearsal: Rehearsal<T>, scores: readonly Scores<T>[]) => Promise<void>,
      ...deeds: readonly Deed<T>[]
    ) =>
    async () => {
      await using rehearsal = await Rehearsal.open(open, of, ...deeds)
      await work(rehearsal, of.scores(rehearsal.stage))
    }
  const rules: Ruled[] = [
    ['plan writes nothing', play(demandIdlePlans)],
    [
      'apply converges',
      play(async (rehearsal, scores) => {
        const plan = await rehearsal.conducted(scores).plan()
        demand(acts(plan), 'on a fresh stage a plan finds nothing to do, so the case shows nothing')
        await rehearsal.apply(scores)
      }),
    ],
    [
      'second pass changes nothing',
      play(async (rehearsal, scores) => {
        await rehearsal.apply(scores)
        await rehearsal.demandConverged(scores, 'applied once')
      }),
    ],
    ['compare is pure', play((rehearsal, scores) => demandPure(rehearsal, scores, of))],
    [
      'converge can run twice',
      play(async (rehearsal, scores) => {
        await using reference = await Rehearsal.open(open, of)
        await reference.apply(of.scores(reference.stage))
        await rehearsal.apply(withVerbs(scores, convergeTwice))
        await rehearsal.demandLooks(await reference.stage.snapshot(), 'converged twice')
      }),
    ],
    ['remove can run twice', play(demandRemovable)],
    [
      'destroy leaves no trace',
      play(async (rehearsal, scores) => {
        await rehearsal.apply(scores)
        await rehearsal.demandNoTrace(scores, 'applied')
      }),
    ],
    ...Object.entries(of.tampers ?? {}).map(
      ([field, tamper]): Ruled => [
        'tamper is seen and repaired',
        play((...on) => demandRepaired(...on, tamper)),
        field,
      ],
    ),
    ['secrets stay secret', play(demandSecrecy)],
    ['apply survives kills', () => killEverywhere(open, of, { scores: of.scores })],
    [
      'destroy survives kills',
      () => killEverywhere(open, of, { first: of.scores, scores: of.scores, request: { destroy: true } }),
    ],
  ]
  const { updated, occupied } = of
  if (updated)
    rules.push(
      [
        'update converges',
        play((rehearsal, scores) => demandUpdated(rehearsal, scores, updated(rehearsal.stage))),
      ],
      ['update survives kills', () => killEverywhere(open, of, { first: of.scores, scores: updated })],
    )
  if (occupied)
    rules.push(
      ['what was there is put back', play(demandPutBack, occupied)],
      [
        'adoption survives kills',
        () => killEverywhere(open, of, { scores: of.scores, occupied, request: { adopt: true } }),
      ],
    )
  return rules
}

function demandTampers<T extends Stage>({ factory, cases, exempt = {} }: Conformance<T>): void {
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

async function demandIdlePlans<T extends Stage>(
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

async function demandPure<T extends Stage>(
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

async function demandRemovable<T extends Stage>(
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

async function demandRepaired<T extends Stage>(
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

async function demandUpdated<T extends Stage>(
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

async function demandPutBack<T extends Stage>(
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

async function demandSecrecy<T extends Stage>(
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

async function demandUnbroken<T extends Stage>(kit: Conformance<T>): Promise<void> {
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
