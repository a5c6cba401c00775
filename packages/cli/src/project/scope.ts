/** Whose things a command that reads the ledger is about: those of a project, or everybody's on a host. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Owner } from '@harmony-iac/core/engine'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core/errors'
import type { Context } from '../context.ts'
import { hostTarget } from '../hosts.ts'
import { openOwnSession } from '../own-session.ts'
import { openSession, type Session, type Target, targetsOf } from '../session.ts'
import { lookForProject } from './find.ts'
import { openProject } from './open.ts'

/** What is looked at, and for whom. */
export interface Scope {
  readonly targets: readonly Target[]
  readonly owner: Owner
  readonly owners: 'all' | 'own'
  readonly open: () => Promise<Session>
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
    const project = await openProject({ ...context, args: { ...args, options } }, false)
    const targets = targetsOf(project.project)
    return {
      targets,
      owner: { project: project.project.name, lineage: project.lineage },
      owners: 'own',
      open: () => openOwnSession(context, project, targets, 'include'),
    }
  }
  if (word === undefined) tellScope(context)
  return await everybodyOn(context, word ?? 'localhost')
}

/** Whoever is in the wrong folder must see it before the result. */
function tellScope({ args, io, reporter }: Context): void {
  const message = 'no project here: looking at everything that Harmony put on this machine'
  if (args.options.json && args.command === 'drift')
    reporter.emit({ type: 'note', topology: 'local', address: undefined, message })
  else io.err.write(`${message}\n`)
}

async function everybodyOn(context: Context, word: string): Promise<Scope> {
  const refuse = async (): Promise<never> => {
    throw new HarmonyError('secret-missing', 'the values of secrets are known to their project only', {
      hint: 'name the project: -p PATH',
    })
  }
  const targets = [await targetOf(word)]
  const owner = { project: '', lineage: undefined }
  const sources = { secret: refuse, asset: refuse }
  return { targets, owner, owners: 'all', open: () => openSession(context, targets, owner, sources) }
}

async function targetOf(word: string): Promise<Target> {
  try {
    return await hostTarget(word)
  } catch (error) {
    if (!isHarmonyError(error) || error.code !== 'invalid-value') throw error
    throw new HarmonyError(
      'usage',
      `there is no ${word} here, and it names no host either: ${error.message}`,
      {
        hint: error.hint,
        cause: error,
      },
    )
  }
}
