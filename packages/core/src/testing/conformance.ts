/**
 * The conformance kit: what every kind of Score must keep, played through the real engine. It yields checks with names
 * and needs no test runner: `for (const check of scoreConformance({ … })) test(check.name, check.run)`.
 */
import { acts } from '../plan/plan.ts'
import type { AnyScore, Scores } from '../score.ts'
import { type ConformanceCase, type Deed, Rehearsal, scoresOfKind } from './conformance-case.ts'
import { killEverywhere } from './conformance-kills.ts'
import {
  type Conformance,
  demandIdlePlans,
  demandPure,
  demandPutBack,
  demandRemovable,
  demandRepaired,
  demandSecrecy,
  demandTampers,
  demandUnbroken,
  demandUpdated,
} from './conformance-rules.ts'
import { demandEarlyIdentity, demandRoundTrip, demandStrict, demandUnchanging } from './conformance-schema.ts'
import { convergeTwice, withVerbs } from './conformance-verbs.ts'
import { demand } from './demand.ts'
import type { Stage } from './stage.ts'

export type { ConformanceCase } from './conformance-case.ts'
export type { Conformance } from './conformance-rules.ts'
export { NonConforming } from './demand.ts'

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
