/** From a path to a project that may be conducted: found, compiled, loaded. */
import type { Project } from '@harmony-iac/core'
import type { Sources } from '@harmony-iac/core/engine'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Context } from '../context.ts'
import { findProject, type ProjectPlace } from './find.ts'
import { lockFileOf, readLock, refuseOtherProject } from './lineage.ts'
import { loadProject } from './load.ts'
import { noteLoads, recallVerdict, type VerdictStore, verdictStore } from './verdict.ts'

/** A project, ready to be conducted. */
export interface OpenProject {
  readonly project: Project
  readonly place: ProjectPlace
  /** Where its `harmony.lock` is, or will be. */
  readonly lockFile: string
  /** From there; absent before the first apply. */
  readonly lineage: string | undefined
  readonly sources: Sources
}

/**
 * Opens the project that the options name. The compiler speaks first: code that does not compile is not run.
 * @throws HarmonyError `project-unreadable`, `invalid-project`, `compile-failed`, `interrupted`.
 */
export async function openProject(context: Context, compile: boolean): Promise<OpenProject> {
  const { args, io } = context
  const place = findProject(io.cwd, args.options.project)
  const lockFile = lockFileOf(place)
  const lock = readLock(lockFile)
  const store = verdictStore(place.file, io.env)
  const check = compile && !args.options['no-check']
  const loads = check ? (await compileAndTell(context, place, store)).loads : recallVerdict(store)?.loads
  const project = await load(context, place, loads === true)
  if (loads === false) noteLoads(store)
  refuseOtherProject(lockFile, lock, project.name)
  return { project, place, lockFile, lineage: lock?.lineage, sources: lateSources(context, place.folder) }
}

/** How the check went; a project that does not pass is an error instead. */
export interface Compiled {
  /** `skipped` for JavaScript, which has no types to check. */
  readonly verdict: 'fresh' | 'cached' | 'skipped'
  /** Whether the project ran to its end with these very files; `undefined` when nobody remembers. */
  readonly loads: boolean | undefined
}

/** Compiles, unless nothing has changed since the last time; tells programs how it went. */
export async function compileAndTell(
  context: Context,
  place: ProjectPlace,
  store: VerdictStore,
): Promise<Compiled> {
  const { interrupts, reporter } = context
  const started = performance.now()
  const known = recallVerdict(store)
  const verdict = known
    ? 'cached'
    : await (await import('./compile.ts')).compileProject(place, store, interrupts.reading)
  const durationMs = Math.round(performance.now() - started)
  reporter.emit({ type: 'compiled', file: place.file, verdict, durationMs })
  return { verdict, loads: known ? known.loads : verdict === 'fresh' ? false : undefined }
}

/** Loads; a project that is not known to finish loading is watched, and Ctrl-C ends even one that spins. */
async function load(context: Context, place: ProjectPlace, trusted: boolean): Promise<Project> {
  const { interrupts, io, giveUp } = context
  const limitMs = loadLimit(io.env.HARMONY_LOAD_TIMEOUT)
  // A read that never ends (of a pipe, say) holds this thread whether the project is known or not.
  interrupts.deafen()
  const unwatch = trusted ? undefined : (await import('./watchdog.ts')).watchThread(place, limitMs, giveUp)
  context.loading(place.file)
  try {
    return await loadProject(place, limitMs)
  } finally {
    context.loading(undefined)
    await unwatch?.()
    interrupts.listen()
  }
}

/** In milliseconds. */
function loadLimit(text: string | undefined): number {
  if (text === undefined || text === '') return 30_000
  const seconds = Number(text)
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400) return seconds * 1000
  throw new HarmonyError('usage', `HARMONY_LOAD_TIMEOUT is ${JSON.stringify(text)}, not a number of seconds`)
}

/** Few projects have secrets or assets: what reads them is loaded when the first is asked for. */
function lateSources({ io, reporter }: Context, folder: string): Sources {
  let made: Promise<Sources> | undefined
  const warn = (message: string) => reporter.warn(message)
  const sources = () => {
    made ??= import('./sources.ts').then(({ projectSources }) =>
      projectSources({ folder, env: io.env, warn }),
    )
    return made
  }
  return {
    secret: async (secret) => await (await sources()).secret(secret),
    asset: async (path) => await (await sources()).asset(path),
  }
}
