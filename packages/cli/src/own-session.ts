/**
 * The session of one project, with a look at what else the ledgers hold of it. Nothing that a project has applied may
 * get out of sight: not when its `harmony.lock` is lost, nor when a topology leaves the project or is renamed.
 */
import type { LedgerOwner } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Context } from './context.ts'
import { hostTarget } from './hosts.ts'
import { lockText, readLock } from './project/lineage.ts'
import type { OpenProject } from './project/open.ts'
import { openSession, type Session, type Target, targetsOf } from './session.ts'

/** The name that a topology of this machine has unless it is given another one. */
const local = 'local'

/**
 * Opens the targets for their project.
 * @param strays what to do about things on topologies that left the project: `include` those on this machine, for
 *   commands that read or remove; `refuse` for those that make reality what the project says.
 * @throws HarmonyError `invalid-project` for a lost `harmony.lock` and for strays that are refused.
 */
export async function openOwnSession(
  context: Context,
  open: OpenProject,
  targets: readonly Target[],
  strays: 'include' | 'refuse',
): Promise<Session> {
  const owner = { project: open.project.name, lineage: open.lineage }
  const start = (all: readonly Target[]) => openSession(context, all, owner, open.sources)
  // A project without deployments names no ledger: the one of this machine is the most likely.
  const session = await start(targets.length > 0 ? targets : [await hostTarget('localhost')])
  let gone: ReadonlyMap<string, number>
  try {
    const owners = await allOwners(session)
    if (open.lineage === undefined) refuseLost(open, owners)
    gone = countGone(open, owners)
    if (strays === 'refuse' && gone.size > 0) throw refusal(gone)
  } catch (error) {
    await session.close()
    throw error
  }
  if (targets.length > 0 && !gone.has(local)) return tellLeft(context, gone, session)
  await session.close()
  return tellLeft(
    context,
    gone,
    await start(gone.has(local) ? [...targets, await hostTarget('localhost')] : targets),
  )
}

/** A ledger that cannot be read is told by the command itself, for its topology. */
async function allOwners({ groups }: Session): Promise<readonly LedgerOwner[]> {
  const lists = await Promise.all(
    groups.map(async ([first]) => (await first?.maestro.owners().catch(() => [])) ?? []),
  )
  return lists.flat()
}

function refuseLost({ project, lockFile }: OpenProject, owners: readonly LedgerOwner[]): void {
  const lost = owners.filter((owner) => owner.project === project.name)
  const count = lost.reduce((sum, { records }) => sum + records, 0)
  const lineages = [...new Set(lost.map(({ lineage }) => lineage))]
  if (lineages.length === 0) return
  if (readLock(lockFile))
    throw new HarmonyError('plan-stale', `another apply of this project was first and made ${lockFile}`, {
      hint: 'run it again',
    })
  const texts = lineages.map((lineage) => lockText({ lineage, project: project.name }))
  throw new HarmonyError(
    'invalid-project',
    `${lockFile} is missing, but ${things(count)} of a project ${project.name} ${count === 1 ? 'is' : 'are'} here`,
    {
      hint: `if that is this project, restore the file from version control, or write into it:\n${texts.join('\nor, since there are several projects of this name:\n')}\nif it is not, give this project another name`,
      data: { lineages },
    },
  )
}

/** By topology: how much of this project is on one that the project does not have. */
function countGone(
  { project, lineage }: OpenProject,
  owners: readonly LedgerOwner[],
): ReadonlyMap<string, number> {
  const names = new Set(targetsOf(project).map(({ topology }) => topology.name))
  const gone = new Map<string, number>()
  for (const owner of owners)
    if (owner.lineage === lineage && !names.has(owner.topology))
      gone.set(owner.topology, (gone.get(owner.topology) ?? 0) + owner.records)
  return gone
}

function refusal(gone: ReadonlyMap<string, number>): HarmonyError {
  const issues = [...gone].map(([topology, count]) => ({ path: [], message: goneText(topology, count) }))
  const [only] = issues
  return new HarmonyError(
    'invalid-project',
    issues.length === 1 && only ? only.message : 'topologies with things of this project have left it',
    { issues, hint: 'put the topology back, or remove what is there with: harmony destroy' },
  )
}

function goneText(topology: string, count: number): string {
  return `${things(count)} of this project ${count === 1 ? 'was' : 'were'} applied to the topology ${topology}, which is no longer in the project`
}

function tellLeft({ reporter }: Context, gone: ReadonlyMap<string, number>, session: Session): Session {
  for (const [topology, count] of gone)
    if (topology !== local) reporter.warn(`${goneText(topology, count)}: put it back to reach them`)
  return session
}

const things = (count: number): string => (count === 1 ? '1 thing' : `${count} things`)
