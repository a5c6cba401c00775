/** Text that breaks what is careless with text, in every field of a kind that takes text. */
import { toHarmonyError } from '../errors.ts'
import type { AnyScore, Scores } from '../score.ts'
import type { Conducted } from './conduct.ts'
import type { Rehearsal } from './conformance-case.ts'
import { demandRoundTrip } from './conformance-schema.ts'
import { demand } from './demand.ts'
import type { Stage } from './stage.ts'

// Quotes, line breaks, substitutions, options, escapes for terminals, text that turns around, what no string of C can
// hold, what no UTF-8 can hold, and what is more than it seems to be.
const hostile: readonly string[] = [
  `it's "quoted"`,
  'two\nlines\r\n',
  '$(touch /tmp/harmony-was-here) `id` ${HOME} %s',
  '; rm -rf / #',
  '--help',
  '\u001b[2J\u001b]0;title\u0007',
  '\u202etxt.exe',
  'a\0b',
  'half \ud800 a pair',
  '__proto__',
  '../../etc/passwd',
  ' ',
]

/** Where in a spec. */
export type Path = readonly (string | number)[]

/** One field with one hostile value, in a valid spec. */
export interface HostileSpec {
  readonly path: Path
  readonly value: string
  readonly spec: unknown
}

/** The spec with each of its texts replaced, and extended, by each hostile one. */
export function* hostileSpecs(spec: unknown): Generator<HostileSpec> {
  for (const { path, text } of textsOf(spec))
    for (const bad of hostile)
      for (const value of [bad, text + bad]) yield { path, value, spec: withValue(spec, path, value) }
}

/** The Score of a hostile spec; `undefined` when the schema refuses it, as it may. */
export function hostileScore(
  factory: (spec: never) => AnyScore,
  { path, value, spec }: HostileSpec,
): AnyScore | undefined {
  const score = factory(spec as never)
  const { issues } = score['~score']
  if (issues.length > 0) {
    demand(
      issues.every((issue) => issue.message !== ''),
      `${path.join('.')} is refused without a word`,
    )
    return undefined
  }
  demand(pick(score.spec, path) === pick(spec, path), `${path.join('.')} is accepted, and changed`)
  // Half a surrogate cannot travel at all: then the engine refuses it, if the schema does not.
  if (JSON.stringify(score.spec).isWellFormed() && value.isWellFormed()) demandRoundTrip(score)
  return score
}

/** Plays a hostile Score: it is applied, kept and taken away again, or refused with an error that says why. */
export async function playHostile<T extends Stage>(
  rehearsal: Rehearsal<T>,
  scores: readonly Scores<T>[],
  { path, value }: HostileSpec,
  mayFail: boolean,
): Promise<void> {
  const what = `${path.join('.')} = ${JSON.stringify(value)}`
  const problems = await problemsOf(rehearsal.conducted(scores))
  const broken = problems.find(({ code }) => code === 'internal' || (code === 'not-converged' && !mayFail))
  demand(broken === undefined, `${what} is accepted, and breaks: ${broken?.message}`)
  if (problems.length > 0) return
  await rehearsal.demandConverged(scores, `with ${what}`)
  // Whether that leaves no trace is another rule: what a program was told to undo may have been its hostile text.
  await rehearsal.apply(scores, { destroy: true })
}

interface Problem {
  readonly code: string
  readonly message: string
}

/** What is wrong with a plan, or with what became of it. */
async function problemsOf(project: Conducted): Promise<readonly Problem[]> {
  try {
    const { conflicts, failures } = await project.plan()
    const blocked = [...failures, ...conflicts.map(({ type, message }) => ({ code: type, message }))]
    if (blocked.length > 0) return blocked
    const { results } = await project.apply()
    return results.flatMap(({ error }) => error ?? [])
  } catch (thrown) {
    return [toHarmonyError(thrown)]
  }
}

/** Every text in a spec, and where it stands; what stands for a late value is none. */
export function* textsOf(
  value: unknown,
  path: Path = [],
): Generator<{ readonly path: Path; readonly text: string }> {
  if (typeof value === 'string') yield { path, text: value }
  if (typeof value !== 'object' || value === null || isLate(value)) return
  for (const [key, each] of Object.entries(value))
    yield* textsOf(each, [...path, Array.isArray(value) ? Number(key) : key])
}

/** The spec with another value at that place. */
export function withValue(spec: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by
  if (Array.isArray(spec))
    return spec.map((each: unknown, i) => (i === step ? withValue(each, rest, by) : each))
  const record = spec as Record<string, unknown>
  return { ...record, [step]: withValue(record[step], rest, by) }
}

function pick(value: unknown, path: Path): unknown {
  let here = value
  for (const step of path) here = (here as Record<string, unknown>)[step]
  return here
}

function isLate(value: object): boolean {
  return Object.keys(value).some((key) => key.startsWith('$'))
}
