/** `harmony show`: what the ledger holds for this project, as a list or, for one address, as a document. */
import type { LedgerEntry } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Run } from '../context.ts'
import { hostStatus } from '../failures.ts'
import { chooseScope } from '../project/scope.ts'
import { jsonText, sanitizeLine } from '../render/sanitize.ts'
import { eachMember } from '../session.ts'
import { tellFailures } from './planning.ts'

export const run: Run = async (context) => {
  const { args, io, reporter } = context
  const { targets, owner, owners, open } = await chooseScope(context, undefined)
  const session = await open()
  try {
    const failures = [...session.failures]
    const read = await eachMember(session.groups, failures, ({ maestro }) => maestro.entries(owners))
    tellFailures(context, failures)
    const entries = read.flatMap(({ value }) => value)
    const status = hostStatus(failures, targets.length)
    const [address] = args.positionals
    const chosen = address === undefined ? entries : entries.filter((entry) => matches(entry, address))
    if (address !== undefined && chosen.length === 0)
      throw new HarmonyError(
        'usage',
        `the ledger knows no ${address}${owners === 'own' ? ` of the project ${owner.project}` : ''}`,
        {
          hint: 'harmony show lists what it knows',
        },
      )
    if (args.options.json || address !== undefined) {
      const document = address !== undefined && chosen.length === 1 ? chosen[0] : chosen
      io.out.write(`${jsonText(document, 2)}\n`)
    } else if (chosen.length === 0)
      reporter.say(
        owners === 'all'
          ? 'Nothing on this machine is Harmony’s.'
          : `Nothing is applied: the ledger knows nothing of ${owner.project}.`,
      )
    else for (const entry of chosen) io.out.write(`${line(entry, owners === 'all', targets.length > 1)}\n`)
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

function line(entry: LedgerEntry, owners: boolean, topologies: boolean): string {
  const { address, project, topology, protect, retain, unfinished } = entry
  const marks = [protect && 'protected', retain && 'retained', unfinished && 'unfinished'].filter(Boolean)
  return sanitizeLine(
    `${owners ? `${project}/${topology}/` : topologies ? `${topology}/` : ''}${address}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`,
  )
}
