/** What drift found, as people read it. */
import type { DriftReport } from '@harmony-iac/core/engine'
import type { Colours } from './colours.ts'
import { differenceText } from './difference-text.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

const words = {
  missing: 'is gone',
  changed: 'has changed',
  unfinished: 'was not finished',
  unknown: 'cannot be told',
} as const

/** All reports: entries by topology and owner, then the count. */
export async function driftText(
  reports: readonly { readonly topology: string; readonly report: DriftReport }[],
  colours: Colours,
): Promise<string> {
  const lines: string[] = []
  const owners = new Set(reports.flatMap(({ report }) => report.entries.map((entry) => entry.owner.project)))
  for (const { report } of reports)
    for (const { address, owner, topology, status, differences, error } of report.entries) {
      const place = [owners.size > 1 && owner.project, reports.length > 1 && topology].filter(
        (word) => word !== false,
      )
      const where = place.length > 0 ? colours.dim(` (${place.map(sanitizeLine).join(', ')})`) : ''
      const symbol =
        status === 'missing' ? colours.red('-') : colours.yellow(status === 'changed' ? '~' : '?')
      lines.push(`  ${symbol} ${colours.bold(sanitizeLine(address))} ${words[status]}${where}`)
      // From what was applied to what is there: the other way round than a plan, which tells what it will do.
      for (const { from, to, ...rest } of differences)
        for (const line of await differenceText({ ...rest, from: to, to: from }, colours))
          lines.push(`      ${line}`)
      if (error) lines.push(`      ${sanitize(error.message)}`)
    }
  if (lines.length > 0) lines.push('')
  const count = reports.reduce((sum, { report }) => sum + report.entries.length, 0)
  const same = reports.reduce((sum, { report }) => sum + report.unchanged, 0)
  lines.push(
    colours.bold(
      count === 0
        ? `No drift: ${same} as last applied.`
        : `Drift: ${count} not as last applied, ${same} as last applied.`,
    ),
  )
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}
