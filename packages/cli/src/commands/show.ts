/** `harmony show`: what the ledger holds for this project, as a list or, for one address, as a document. */
import type { LedgerEntry } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Run } from '../context.ts'
import { hostStatus } from '../failures.ts'
import { openProject } from '../project/open.ts'
import { sanitizeLine } from '../render/sanitize.ts'
import { eachMember, openSession, targetsOf } from '../session.ts'
import { tellFailures } from './planning.ts'

export const run: Run = async (context) => {
  const { args, io, reporter } = context
  const { project, lineage, sources } = await openProject(context, false)
  const targets = targetsOf(project)
  const session = await openSession(context, targets, { project: project.name, lineage }, sources)
  try {
    const failures = [...session.failures]
    const read = await eachMember(session.groups, failures, ({ maestro }) => maestro.entries('own'))
    tellFailures(context, failures)
    const entries = read.flatMap(({ value }) => value)
    const status = hostStatus(failures, targets.length)
    const [address] = args.positionals
    const chosen = address === undefined ? entries : entries.filter((entry) => matches(entry, address))
    if (address !== undefined && chosen.length === 0)
      throw new HarmonyError('usage', `the ledger knows no ${address} of the project ${project.name}`, {
        hint: 'harmony show lists what it knows',
      })
    if (args.options.json || address !== undefined) {
      const document = address !== undefined && chosen.length === 1 ? chosen[0] : chosen
      io.out.write(`${JSON.stringify(document, undefined, 2)}\n`)
    } else if (chosen.length === 0) reporter.say(`The project ${project.name} has not been applied.`)
    else for (const entry of chosen) io.out.write(`${line(entry, targets.length > 1)}\n`)
    return { status }
  } finally {
    await session.close()
  }
}

function matches({ address, topology, project }: LedgerEntry, wanted: string): boolean {
  return (
    wanted === address ||
    wanted === `${topology}/${address}` ||
    wanted === `${project}/${topology}/${address}`
  )
}

function line({ address, topology, protect, retain, unfinished }: LedgerEntry, several: boolean): string {
  const marks = [protect && 'protected', retain && 'retained', unfinished && 'unfinished'].filter(Boolean)
  return sanitizeLine(
    `${several ? `${topology}/` : ''}${address}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`,
  )
}
