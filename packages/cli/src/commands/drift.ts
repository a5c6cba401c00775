/**
 * `harmony drift`: compares what was last applied with what is there. Edits of the project do not count, so nothing is
 * compiled; of a host, everything that Harmony put there is compared, whichever project it is of.
 */
import type { DriftReport } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Run } from '../context.ts'
import { hostStatus } from '../failures.ts'
import { chooseScope } from '../project/scope.ts'
import { eachMember } from '../session.ts'
import { tellFailures } from './planning.ts'

export const run: Run = async (context) => {
  const { args, reporter, interrupts } = context
  const [word] = args.positionals
  if (word !== undefined && args.options.project !== undefined)
    throw new HarmonyError(
      'usage',
      `drift takes a host or a project, not both: ${word} and ${args.options.project}`,
    )
  const { targets, owners, open } = await chooseScope(context, word)
  const session = await open()
  try {
    const failures = [...session.failures]
    const done = await eachMember(session.groups, failures, ({ maestro }) =>
      maestro.drift({ owners, signal: interrupts.reading }),
    )
    interrupts.throwIfInterrupted()
    tellFailures(context, failures)
    const reports = done.map(({ member, value }) => ({
      topology: member.name,
      home: member.home,
      report: value,
    }))
    await reporter.drift(reports)
    const entries = reports.flatMap(({ report }) => report.entries)
    const unchanged = reports.reduce((sum, { report }) => sum + report.unchanged, 0)
    const summary = { command: 'drift', ...countDrift(entries), unchanged } as const
    return { status: hostStatus(failures, targets.length) || (entries.length > 0 ? 2 : 0), summary }
  } finally {
    await session.close()
  }
}

/** What an apply would have to do about it. */
function countDrift(entries: DriftReport['entries']): {
  readonly create: number
  readonly update: number
  readonly remove: number
} {
  const create = entries.filter(({ status }) => status === 'missing').length
  return { create, update: entries.length - create, remove: 0 }
}
