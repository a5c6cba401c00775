/**
 * Specs of every kind of Score with text in them that breaks what is careless with text: it asks shells, in every way of
 * quoting, to leave a canary, and looks like options, paths, further lines, and more than fits.
 */
import type { AnyScore } from '@harmony-iac/core'
import { type Path, textsOf, withValue } from '@harmony-iac/core/testing'
import * as scores from '@harmony-iac/scores'
import { type Kind, type Names, type Prey, prey } from './hostile-prey.ts'

/** The file that nothing may ever make. */
export const canary = 'hostile-canary'
const touch = `touch ${canary}`

/** In every way of quoting at once, in one line. */
const worst = `'"$(${touch})\`${touch}\`; ${touch} | %n $HOME * é`
const hostile: readonly string[] = [
  worst,
  `$(${touch})`,
  `'; ${touch}; '`,
  `"; ${touch}; "`,
  `two\n${touch}\nlines\r\n`,
  `../../../../etc/${canary}`,
  '--help',
  '\u001b[2J\u001b]0;title\u0007 \u202etxt.exe \u{1d4b3}',
  'a\0b',
  'half \ud800 a pair',
  '__proto__',
  'long'.repeat(2000),
]

/** A Score to be: of this kind, from this spec. */
export interface Attempt {
  readonly kind: Kind
  readonly spec: unknown
  readonly address: string
  /** Which field has the hostile text. */
  readonly what: string
}

/** What became of the hostile specs of a kind at its schema. */
export interface Tally {
  accepted: number
  refused: number
}

const factories = new Map<string, unknown>(Object.entries(scores))

/** The hostile specs that schemas accept, each of another thing, and how many of each kind those are. */
export function hostileScores(names: Names): {
  readonly accepted: readonly Attempt[]
  readonly tallies: Readonly<Record<string, Tally>>
} {
  const accepted: Attempt[] = []
  const tallies: Record<string, Tally> = {}
  let count = 0
  for (const [kind, preys] of Object.entries(prey(names)) as [Kind, readonly Prey[]][]) {
    const make = factories.get(kind) as (spec: unknown) => AnyScore
    const tally: Tally = { accepted: 0, refused: 0 }
    tallies[kind] = tally
    const isAccepted = (spec: unknown) => {
      const is = make(spec)['~score'].issues.length === 0
      tally[is ? 'accepted' : 'refused']++
      return is
    }
    for (const each of preys) {
      const next = () => each.spec(`${names.prefix}${(count++).toString(36)}`)
      for (const { spec, what } of specsOf(each, next, isAccepted))
        accepted.push({ kind, spec, address: make(spec).id, what: `${kind} ${what}` })
    }
  }
  return { accepted, tallies }
}

interface Found {
  readonly spec: unknown
  readonly what: string
}

function* specsOf(each: Prey, next: () => unknown, isAccepted: (spec: unknown) => boolean): Generator<Found> {
  const { code = [], together = [], records = [] } = each
  const values = each.values === undefined ? hostile : each.values === 'worst' ? [worst] : ['--help']
  const fields = [...textsOf(next())].map(({ path }) => path)
  const isOneOf = (list: readonly string[]) => (path: Path) => list.includes(path.join('.'))
  for (const path of fields.filter((path) => !isOneOf([...code, ...together])(path)))
    for (const value of values) {
      const fresh = next()
      // Where it may not stand alone it may stand behind what does.
      const text = [value, textAt(fresh, path) + value].find((each) =>
        isAccepted(withValue(fresh, path, each)),
      )
      if (text !== undefined)
        yield { spec: withValue(fresh, path, text), what: `${path.join('.')} = ${shown(text)}` }
    }
  for (const value of together.length > 0 ? values : []) {
    let spec = next()
    for (const path of fields.filter(isOneOf(together))) {
      const old = textAt(spec, path)
      const bad = withValue(spec, path, old.startsWith('/') ? old + value : value)
      if (isAccepted(bad)) spec = bad
    }
    yield { spec, what: `with ${shown(value)} everywhere` }
  }
  for (const record of records)
    for (const value of values) {
      const spec = withValue(next(), record.split('.'), { [value]: 'x' })
      if (isAccepted(spec)) yield { spec, what: `with ${shown(value)} as a name in ${record}` }
    }
}

function textAt(spec: unknown, path: Path): string {
  return [...textsOf(spec)].find((found) => found.path.join('.') === path.join('.'))?.text ?? ''
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
