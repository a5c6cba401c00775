/**
 * The maestros of one project, one for each topology. Hosts work side by side; topologies that share a ledger one
 * after another. A host that fails fails alone.
 */
import type { AnyScore, Project, StateHome, Topology } from '@harmony-iac/core'
import { type Maestro, type Owner, openMaestro, type Sources } from '@harmony-iac/core/engine'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import { attendHere } from './attend.ts'
import type { Context } from './context.ts'
import { mergeErrors, type TopologyError } from './failures.ts'

/** Scores for one topology. */
export interface Target {
  readonly topology: Topology
  readonly scores: readonly AnyScore[]
}

/** A topology whose maestro is open. */
export interface Member {
  readonly name: string
  /** Where its ledger is, for people. */
  readonly home: string
  readonly maestro: Maestro
}

/** What a project is conducted with. */
export interface Session {
  /** Topologies that share a ledger stand together. */
  readonly groups: readonly (readonly Member[])[]
  /** Those that could not be opened. */
  readonly failures: readonly TopologyError[]
  /** Gives back every lock and closes every topology. */
  close(): Promise<void>
}

/** The deployments of a project by topology: those to the same one are put together. */
export function targetsOf(project: Project): readonly Target[] {
  const byTopology = new Map<Topology, AnyScore[]>()
  for (const { topology, remote, scores } of project.deployments) {
    if (!topology) {
      const name = remote?.device ?? remote?.selector ?? '?'
      throw new HarmonyError(
        'invalid-project',
        `the deployment to ${name} needs an agent, and agents come with a later version`,
        {
          hint: 'deploy to a topology that this command can reach, such as new LocalTopology()',
        },
      )
    }
    const list = byTopology.get(topology)
    if (list) list.push(...scores)
    else byTopology.set(topology, [...scores])
  }
  return [...byTopology].map(([topology, scores]) => ({ topology, scores }))
}

/** What goes where, by name, agents and fleets included: for commands that look at no host. */
export function placesOf(
  project: Project,
): readonly { readonly name: string; readonly scores: readonly AnyScore[] }[] {
  const byName = new Map<string, AnyScore[]>()
  for (const { topology, remote, scores } of project.deployments) {
    const name = topology?.name ?? remote?.device ?? remote?.selector ?? '?'
    byName.set(name, [...(byName.get(name) ?? []), ...scores])
  }
  return [...byName].map(([name, scores]) => ({ name, scores }))
}

/** Opens a maestro for each target; what cannot be opened is told, and left out. */
export async function openSession(
  context: Context,
  targets: readonly Target[],
  owner: Owner,
  sources: Sources,
): Promise<Session> {
  const { reporter, interrupts, args } = context
  attendHere(context, sources.secret)
  const opened: { readonly member: Member; readonly home: string }[] = []
  const failures: TopologyError[] = []
  let spare: Promise<StateHome> | undefined
  const holder = await describeHolder(`harmony ${args.command}`)
  await Promise.all(
    targets.map(async ({ topology, scores }, i) => {
      const { name } = topology
      try {
        const emit = (event: Parameters<typeof reporter.emit>[0]) => reporter.emit(event)
        const ownHome = () => {
          spare ??= localHome()
          return spare
        }
        const maestro = await openMaestro({ owner, topology, home: ownHome, scores, sources, emit, holder })
        const home = topology.home ?? (await ownHome())
        opened[i] = { member: { name, maestro, home: home.description }, home: home.id }
      } catch (error) {
        failures.push({ topology: name, error: toHarmonyError(error) })
      }
    }),
  )
  const groups = Object.values(
    Object.groupBy(opened.filter(Boolean), ({ home }) => home),
  ) as (typeof opened)[]
  const close = async () => {
    for (const result of await Promise.allSettled(
      opened.filter(Boolean).map(({ member }) => member.maestro.close()),
    ))
      if (result.status === 'rejected') reporter.error({ code: 'internal', message: String(result.reason) })
  }
  if (interrupts.interrupted) {
    await close()
    interrupts.throwIfInterrupted()
  }
  const fatal = mergeErrors(failures)
  if (fatal) {
    await close()
    throw fatal
  }
  return { groups: groups.map((group) => group.map(({ member }) => member)), failures, close }
}

/** Does something with every member: groups side by side, within a group one after another. */
export async function eachMember<T>(
  groups: readonly (readonly Member[])[],
  failures: TopologyError[],
  work: (member: Member, first: boolean, group: readonly Member[]) => Promise<T>,
): Promise<readonly { readonly member: Member; readonly value: T }[]> {
  const lists = await Promise.all(
    groups.map(async (group) => {
      const done: { member: Member; value: T }[] = []
      for (const [i, member] of group.entries())
        try {
          done.push({ member, value: await work(member, i === 0, group) })
        } catch (error) {
          failures.push({ topology: member.name, error: toHarmonyError(error) })
        }
      return done
    }),
  )
  return lists.flat()
}

async function localHome(): Promise<StateHome> {
  const { hostHome, localFacts, localHost } = await import('@harmony-iac/topologies')
  return hostHome(localHost(), localFacts())
}

/** Who holds a lock, for whoever waits for it. */
async function describeHolder(what: string): Promise<string> {
  const { hostname, userInfo } = await import('node:os')
  let user: string
  try {
    user = userInfo().username
  } catch {
    user = `uid ${process.getuid?.()}` // a user that no database knows, as in many containers
  }
  return `${user}@${hostname()}, ${what}, pid ${process.pid}`
}
