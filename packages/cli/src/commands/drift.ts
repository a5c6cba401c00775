/**
 * `harmony drift`: compares what was last applied with what is there. Edits of the project do not count, so nothing is
 * compiled; without a project everything that Harmony put on this machine is compared.
 */
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { DriftReport, Owner, Sources } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Context, Run } from '../context.ts'
import { hostStatus } from '../failures.ts'
import { lookForProject } from '../project/find.ts'
import { openProject } from '../project/open.ts'
import { eachMember, openSession, type Target, targetsOf } from '../session.ts'
import { tellFailures } from './planning.ts'

export const run: Run = async (context) => {
  const { reporter, interrupts } = context
  const { targets, owner, sources, owners } = await choose(context)
  const session = await openSession(context, targets, owner, sources)
  try {
    const failures = [...session.failures]
    const done = await eachMember(session.groups, failures, ({ maestro }) =>
      maestro.drift({ owners, signal: interrupts.reading }),
    )
    interrupts.throwIfInterrupted()
    tellFailures(context, failures)
    const reports = done.map(({ member, value }) => ({ topology: member.name, report: value }))
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

interface Choice {
  readonly targets: readonly Target[]
  readonly owner: Owner
  readonly sources: Sources
  readonly owners: 'all' | 'own'
}

/** The project that is named or lies here; else the host that is named, or this machine. */
async function choose(context: Context): Promise<Choice> {
  const { args, io } = context
  const [word] = args.positionals
  const isPath =
    word !== undefined && statSync(resolve(io.cwd, word), { throwIfNoEntry: false }) !== undefined
  if (word !== undefined && args.options.project !== undefined)
    throw new HarmonyError(
      'usage',
      `drift takes a host or a project, not both: ${word} and ${args.options.project}`,
    )
  const path = args.options.project ?? (isPath ? word : undefined)
  if (path !== undefined || (word === undefined && lookForProject(io.cwd, undefined))) {
    const options = path === undefined ? args.options : { ...args.options, project: path }
    const { project, lineage, sources } = await openProject({ ...context, args: { ...args, options } }, false)
    return { targets: targetsOf(project), owner: { project: project.name, lineage }, sources, owners: 'own' }
  }
  if (word !== undefined && ![hostname(), 'localhost'].includes(word))
    throw new HarmonyError(
      'usage',
      `${word} is neither a path nor this machine; other hosts come with a later version`,
      {
        hint: 'harmony drift localhost compares this machine',
      },
    )
  return await thisMachine()
}

async function thisMachine(): Promise<Choice> {
  const [{ LocalTopology }] = await Promise.all([
    import('@harmony-iac/topologies'),
    // What the ledger speaks of must have its verbs here.
    import('@harmony-iac/scores'),
  ])
  const refuse = async (): Promise<never> => {
    throw new HarmonyError('secret-missing', 'the values of secrets are known to their project only', {
      hint: 'run drift with the project: -p PATH',
    })
  }
  const topology = new LocalTopology({ shell: true })
  return {
    targets: [{ topology, scores: [] }],
    owner: { project: '', lineage: undefined },
    sources: { secret: refuse, asset: refuse },
    owners: 'all',
  }
}
