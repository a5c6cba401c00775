/** A plan as people read it: what changes and why; what stays as it is is counted, not listed. */
import type { Action, Conflict, Plan, Step } from '@harmony-iac/core'
import type { Colours } from './colours.ts'
import { differenceText } from './difference-text.ts'
import { sumPlans } from './plan-sums.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

/** So many creations and updates are listed; nobody reads further. What takes something away is always listed. */
const mostSteps = 500
const takesAway: ReadonlySet<Action> = new Set(['replace', 'remove', 'forget', 'purge'])

interface Look {
  readonly symbol: string
  readonly colour: 'green' | 'yellow' | 'red' | 'dim' | 'cyan'
  readonly words: string
}

const looks: Readonly<Record<Action, Look>> = {
  create: { symbol: '+', colour: 'green', words: '' },
  update: { symbol: '~', colour: 'yellow', words: '' },
  replace: { symbol: '-/+', colour: 'red', words: 'is made anew' },
  react: { symbol: '~', colour: 'yellow', words: '' },
  remove: { symbol: '-', colour: 'red', words: 'is removed' },
  forget: { symbol: '-', colour: 'dim', words: 'stays, but is no longer looked after' },
  purge: { symbol: '-', colour: 'red', words: '' },
  deferred: { symbol: '?', colour: 'cyan', words: 'is decided once what it depends on is done' },
  unchanged: { symbol: '=', colour: 'dim', words: '' },
}

/** The symbol of an action, painted. */
function symbolOf(action: Action, colours: Colours): string {
  const { symbol, colour } = looks[action]
  return colours[colour](symbol)
}

/** All of a plan, with a heading when there are several. */
export async function planText(plan: Plan, colours: Colours, heading: boolean): Promise<string> {
  const lines: string[] = []
  if (heading) lines.push(colours.bold(sanitizeLine(plan.topology)), '')
  const shown = plan.steps.filter((step) => step.action !== 'unchanged' || step.records)
  let listed = 0
  const left = { create: 0, update: 0 }
  for (const step of shown)
    if (takesAway.has(step.action) || listed++ < mostSteps) lines.push(...(await stepLines(step, colours)))
    else left[step.action === 'create' ? 'create' : 'update']++
  const more = [
    left.create > 0 ? `${left.create} to create` : '',
    left.update > 0 ? `${left.update} to update` : '',
  ]
  if (listed > mostSteps)
    lines.push(colours.dim(`  … and ${more.filter(Boolean).join(', ')}; --json lists them`))
  // What a step tells already is not told again by the conflict about it.
  const told = new Set(shown.filter((step) => step.differences.length > 0).map(({ address }) => address))
  for (const conflict of plan.conflicts)
    lines.push(...(await conflictLines(conflict, colours, told.has(conflict.address))))
  for (const { address, message, hint } of plan.failures) {
    lines.push(
      `  ${colours.red('!')} ${colours.bold(sanitizeLine(address))} cannot be observed: ${sanitize(message)}`,
    )
    if (hint) lines.push(`      ${colours.cyan('hint')}: ${sanitize(hint)}`)
  }
  for (const note of plan.notes) lines.push(`  ${colours.dim('note:')} ${sanitize(note)}`)
  if (lines.length > 0 && lines.at(-1) !== '') lines.push('')
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

/** `Plan: 3 to create, 1 to update, 0 to remove, 12 unchanged.` */
export function countsText(plans: readonly Plan[]): string {
  const { create, update, remove, unchanged } = sumPlans(plans)
  return `Plan: ${create} to create, ${update} to update, ${remove} to remove, ${unchanged} unchanged.`
}

async function stepLines(step: Step, colours: Colours): Promise<readonly string[]> {
  const silent = step.action === 'unchanged' && step.reasons.length === 0 && step.renamedFrom === undefined
  const words = silent ? 'is as wanted: only the ledger is brought up to date' : looks[step.action].words
  const indent = '      '
  const lines = [
    `  ${symbolOf(step.action, colours)} ${colours.bold(sanitizeLine(step.address))}${words ? ` ${words}` : ''}`,
  ]
  if (step.renamedFrom !== undefined) lines.push(`${indent}formerly ${sanitizeLine(step.renamedFrom)}`)
  for (const reason of step.reasons) lines.push(`${indent}${sanitize(reason)}`)
  for (const difference of step.differences)
    for (const line of await differenceText(difference, colours)) lines.push(`${indent}${line}`)
  for (const { name, causes } of step.reactions) {
    const because = causes.map(sanitizeLine).join(', ')
    lines.push(`${indent}${sanitizeLine(name)}${because ? `, because of ${because}` : ''}`)
  }
  for (const { claim } of step.surplus)
    lines.push(
      `${indent}${colours.red('-')} ${sanitizeLine('path' in claim ? claim.path : `${claim.space} ${claim.name}`)}`,
    )
  return lines
}

async function conflictLines(
  conflict: Conflict,
  colours: Colours,
  told: boolean,
): Promise<readonly string[]> {
  const lines = [
    `  ${colours.red('!')} ${colours.bold(sanitizeLine(conflict.address))} ${sanitize(conflict.message)}`,
  ]
  for (const difference of told ? [] : conflict.differences)
    for (const line of await differenceText(difference, colours)) lines.push(`      ${line}`)
  lines.push(`      ${colours.cyan('hint')}: ${sanitize(conflict.hint)}`)
  return lines
}
