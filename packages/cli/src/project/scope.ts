/** Whose things a command that reads the ledger is about: those of a project, or everybody's on a host. */
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Owner, Sources } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Context } from '../context.ts'
import { type Target, targetsOf } from '../session.ts'
import { lookForProject } from './find.ts'
import { openProject } from './open.ts'

/** What is looked at, and for whom. */
export interface Scope {
  readonly targets: readonly Target[]
  readonly owner: Owner
  readonly sources: Sources
  readonly owners: 'all' | 'own'
}

/**
 * The project that is named or lies here, without being compiled; else the host that is named, or this machine.
 * @param word a path or a host.
 */
export async function chooseScope(context: Context, word: string | undefined): Promise<Scope> {
  const { args, io } = context
  const isPath =
    word !== undefined && statSync(resolve(io.cwd, word), { throwIfNoEntry: false }) !== undefined
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
        hint: 'localhost means this machine',
      },
    )
  return await thisMachine()
}

async function thisMachine(): Promise<Scope> {
  const [{ LocalTopology }] = await Promise.all([
    import('@harmony-iac/topologies'),
    // What the ledger speaks of must have its verbs here.
    import('@harmony-iac/scores'),
  ])
  const refuse = async (): Promise<never> => {
    throw new HarmonyError('secret-missing', 'the values of secrets are known to their project only', {
      hint: 'name the project: -p PATH',
    })
  }
  return {
    targets: [{ topology: new LocalTopology({ shell: true }), scores: [] }],
    owner: { project: '', lineage: undefined },
    sources: { secret: refuse, asset: refuse },
    owners: 'all',
  }
}
