/** `harmony doctor`: what hosts lack for what; with a project, for what its Scores need. */
import type { AnyScore, Topology } from '@harmony-iac/core'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import type { Host } from '@harmony-iac/core/host'
import type { Concern } from '@harmony-iac/topologies'
import { attendHere } from '../attend.ts'
import type { Context, Run } from '../context.ts'
import { hostStatus, mergeErrors, type TopologyError } from '../failures.ts'
import { machineOf } from '../hosts.ts'
import { lookForProject } from '../project/find.ts'
import { openProject } from '../project/open.ts'
import { coloursOf, wantsColour } from '../render/colours.ts'
import { doctorText, type Examined, lacking, problemText, verdictText } from '../render/doctor-text.ts'
import { errorData } from '../render/error-data.ts'
import type { Meaning } from '../render/reporter.ts'
import { type Target, targetsOf } from '../session.ts'

/** A host that is to be examined. */
interface Patient {
  readonly name: string
  readonly means: Meaning
  /** `kiosk, a topology of the project site` */
  readonly title: string
  readonly host: Host
  readonly needed: ReadonlySet<Concern> | undefined
  readonly close: () => Promise<void>
}

export const run: Run = async (context) => {
  const { args, io, reporter, interrupts } = context
  const { examine } = await import('@harmony-iac/topologies')
  const patients = await choosePatients(context, args.positionals[0])
  const failures: TopologyError[] = []
  const found = await Promise.all(
    patients.map(async (patient) => {
      try {
        return { patient, diagnosis: await examine(patient.host, { signal: interrupts.reading }) }
      } catch (error) {
        failures.push({ topology: patient.name, error: toHarmonyError(error) })
        return undefined
      } finally {
        await patient.close()
      }
    }),
  )
  interrupts.throwIfInterrupted()
  const fatal = mergeErrors(failures)
  if (fatal) throw fatal

  const examined: Examined[] = []
  const counts = { ok: 0, limited: 0, missing: 0, unreachable: failures.length }
  const colours = coloursOf(wantsColour(io.env, io.out, args.options['no-color']))
  for (const each of found) {
    if (!each) continue
    const { diagnosis, patient } = each
    const { title, needed, means, name } = patient
    examined.push({ title, diagnosis, needed })
    const about = { ...(means === 'topology' && { topology: name }), host: diagnosis.host }
    reporter.emit({ type: 'examined', ...about, means, user: diagnosis.user, uid: diagnosis.uid })
    for (const { concern, status, problems } of diagnosis.findings) {
      counts[status]++
      const told = problems.map((problem) => {
        const { code, ...data } = problem
        return { code, ...problemText(problem), data }
      })
      const isNeeded = needed?.has(concern) ?? false
      reporter.emit({ type: 'finding', ...about, concern, status, needed: isNeeded, problems: told })
    }
    if (!args.options.json) io.out.write(doctorText({ title, diagnosis, needed }, colours))
  }
  for (const { topology, error } of failures) reporter.error(errorData(error, io.env), topology)
  if (patients.length > 0) reporter.say(verdictText(examined, failures.length))
  const lacks = examined.some(({ diagnosis, needed }) => lacking(diagnosis.findings, needed).length > 0)
  return {
    status: hostStatus(failures, patients.length) || (lacks ? 1 : 0),
    summary: { command: 'doctor', ...counts },
  }
}

/**
 * A word is a topology of the project before it is anything else: in the folder of a project its names are what people
 * mean. Where `-p` says which project, it is nothing else.
 */
async function choosePatients(context: Context, word: string | undefined): Promise<readonly Patient[]> {
  const { args, io } = context
  const given = args.options.project
  if (given === undefined && !lookForProject(io.cwd, undefined)) {
    attendHere(context, async () => {
      throw new HarmonyError('secret-missing', 'secrets are known to projects only, and there is none here')
    })
    return [await machine(word ?? 'localhost')]
  }
  const { project, sources } = await openProject(context, false)
  attendHere(context, sources.secret)
  const targets = targetsOf(project)
  const chosen = word === undefined ? targets : targets.filter(({ topology }) => topology.name === word)
  if (word !== undefined && chosen.length === 0) {
    if (given === undefined) return [await machine(word)]
    const names = targets.map(({ topology }) => topology.name).join(', ')
    throw new HarmonyError('usage', `the project ${project.name} has no topology ${word}`, {
      hint: names === '' ? 'it has none' : `it has: ${names}`,
    })
  }
  const patients: Patient[] = []
  for (const target of chosen) {
    const host = machineIn(target.topology)
    if (host) patients.push(await patientOf(target, host, project.name))
    else context.reporter.warn(`${target.topology.name} is not a Linux machine that could be examined`)
  }
  return patients
}

async function patientOf({ topology, scores }: Target, host: Host, project: string): Promise<Patient> {
  return {
    name: topology.name,
    means: 'topology',
    title: `${topology.name}, a topology of the project ${project}`,
    host,
    needed: await needsOf(scores),
    close: async () => await topology.close?.(),
  }
}

async function machine(word: string): Promise<Patient> {
  const { host, means, title } = await machineOf(word)
  return { name: word, means, title, host, needed: undefined, close: () => host.close() }
}

/** Topologies of a Linux machine say which; told by shape, as everything that a project brings along. */
function machineIn(topology: Topology): Host | undefined {
  const { host } = topology as { readonly host?: Partial<Host> }
  return typeof host?.exec === 'function' && typeof host.dial === 'function' ? (host as Host) : undefined
}

/** A ledger is needed by any project; the rest by what the Scores need. */
async function needsOf(scores: readonly AnyScore[]): Promise<ReadonlySet<Concern>> {
  const { expand } = await import('@harmony-iac/core/engine')
  const needs = [...expand(scores).values()].flatMap(({ definition }) =>
    definition.needs.map(({ name }) => name),
  )
  const known: readonly string[] = ['files', 'services', 'users', 'packages', 'containers', 'system']
  return new Set<Concern>(['ledger', ...needs.filter((name): name is Concern => known.includes(name))])
}
