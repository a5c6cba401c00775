/**
 * Kills a pass before, within and after each of its writes, starts anew, and looks whether the next pass completes it:
 * the same end, nothing left over, the ledger right, and no trace once destroyed.
 */
import type { Scores } from '../score.ts'
import {
  type ConformanceCase,
  type Deed,
  describeWrite,
  Rehearsal,
  type ScoresOn,
} from './conformance-case.ts'
import { demand, NonConforming } from './demand.ts'
import type { Moment, WriteCall } from './faults.ts'
import type { Snapshot } from './simulated-disk.ts'
import type { Stage } from './stage.ts'

/** Which pass is killed. */
export interface Doomed<T extends Stage> {
  /** What is applied before, undisturbed. */
  readonly first?: ScoresOn<T> | undefined
  readonly scores: ScoresOn<T>
  readonly occupied?: Deed<T> | undefined
  readonly request?: { readonly adopt?: true; readonly destroy?: true }
}

/** What is done after a kill. */
type Sequel =
  /** The same once more. */
  | 'applied again'
  /** What was there before the pass is wanted again. */
  | 'taken back'
  /** Everything is to go. */
  | 'destroyed'

/** Kills the pass everywhere. @throws NonConforming naming the first write after which a kill is not survived. */
export async function killEverywhere<T extends Stage>(
  open: () => T | Promise<T>,
  of: ConformanceCase<T>,
  doomed: Doomed<T>,
): Promise<void> {
  const { calls, end, back } = await undisturbed(open, of, doomed)
  demand(calls.length > 0, 'the pass wrote nothing, so it cannot be killed anywhere')
  for (const [i, call] of calls.entries())
    for (const moment of momentsOf(call))
      for (const sequel of sequelsOf(doomed)) {
        const where = `${describeMoment(moment)} write ${i + 1} of ${calls.length} (${describeWrite(call)})`
        const when = `killed ${where} and ${sequel}`
        try {
          await killed(open, of, doomed, {
            n: i + 1,
            moment,
            sequel,
            like: sequel === 'taken back' ? back : [end],
            when,
          })
        } catch (thrown) {
          if (thrown instanceof NonConforming && thrown.message.startsWith('killed')) throw thrown
          throw new NonConforming(
            `${when}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
            thrown,
          )
        }
      }
}

interface Undisturbed {
  readonly calls: readonly WriteCall[]
  /** What it looks like after the pass. */
  readonly end: Snapshot
  /** What each path may look like when the pass is taken back: as before, or as after there and back again. */
  readonly back: readonly Snapshot[]
}

async function undisturbed<T extends Stage>(
  open: () => T | Promise<T>,
  of: ConformanceCase<T>,
  doomed: Doomed<T>,
): Promise<Undisturbed> {
  await using rehearsal = await Rehearsal.open(open, of, doomed.occupied)
  const scores = await setUp(rehearsal, doomed)
  const begin = await rehearsal.stage.snapshot()
  await rehearsal.apply(scores, doomed.request)
  const { stage } = rehearsal
  const calls = stage.faults.writes
  const end = await stage.snapshot()
  if (!doomed.first) return { calls, end, back: [] }
  // A field that the earlier version does not name keeps what the later one made of it: a mode, say.
  await rehearsal.apply(doomed.first(stage))
  return { calls, end, back: [begin, await stage.snapshot()] }
}

interface Kill {
  readonly n: number
  readonly moment: Moment
  readonly sequel: Sequel
  /** What it should look like after the sequel, path by path like one of these. */
  readonly like: readonly Snapshot[]
  readonly when: string
}

async function killed<T extends Stage>(
  open: () => T | Promise<T>,
  of: ConformanceCase<T>,
  doomed: Doomed<T>,
  { n, moment, sequel, like, when }: Kill,
): Promise<void> {
  await using rehearsal = await Rehearsal.open(open, of, doomed.occupied)
  const { stage } = rehearsal
  const scores = await setUp(rehearsal, doomed)
  stage.faults.killAt(n, moment)
  try {
    await rehearsal.conducted(scores).apply(doomed.request)
  } catch (thrown) {
    if (!stage.faults.killed) throw thrown
  }
  // Steps run side by side: another order may have had fewer writes.
  stage.faults.restart()

  if (sequel === 'destroyed') {
    await rehearsal.apply(scores, { destroy: true })
    await rehearsal.demandLooks(rehearsal.before, when)
    // A copy of what was there may be left, of which no record knows: it is found again by whoever adopts it next.
    await rehearsal.apply(scores, doomed.request)
    await rehearsal.demandNoTrace(scores, when)
    return
  }
  const wanted = sequel === 'taken back' ? (doomed.first ?? doomed.scores)(stage) : scores
  const request = sequel === 'taken back' ? {} : doomed.request
  await rehearsal.apply(wanted, request)
  await rehearsal.demandLooks(await likest(rehearsal.stage, like), when)
  if (request?.destroy) demand((await rehearsal.records()).length === 0, `${when}, the ledger is not empty`)
  else await rehearsal.demandConverged(wanted, when)
  await rehearsal.demandNoTrace(wanted, when)
}

/** Of several snapshots one that has for each path what is there now, if any of them has it. */
async function likest(stage: Stage, [first, ...others]: readonly Snapshot[]): Promise<Snapshot> {
  const now = await stage.snapshot()
  const mixed: Record<string, string> = { ...first }
  for (const other of others)
    for (const path of new Set([...Object.keys(other), ...Object.keys(mixed)])) {
      if (now[path] !== other[path]) continue
      if (other[path] === undefined) delete mixed[path]
      else mixed[path] = other[path]
    }
  return mixed
}

function sequelsOf<T extends Stage>({ first, request }: Doomed<T>): readonly Sequel[] {
  const sequels: Sequel[] = ['applied again']
  if (first) sequels.push('taken back')
  if (!request?.destroy) sequels.push('destroyed')
  return sequels
}

async function setUp<T extends Stage>(
  rehearsal: Rehearsal<T>,
  { first, scores }: Doomed<T>,
): Promise<readonly Scores<T>[]> {
  if (first) await rehearsal.apply(first(rehearsal.stage))
  rehearsal.stage.faults.forget()
  return scores(rehearsal.stage)
}

function momentsOf({ moments }: WriteCall): readonly Moment[] {
  return ['before', ...Array.from({ length: moments }, (_, i) => i + 1), 'after']
}

function describeMoment(moment: Moment): string {
  return typeof moment === 'number' ? 'within' : moment
}
