/** What several hosts mean for one exit status. */
import { exitStatusOf, type HarmonyError } from '@harmony-iac/core/errors'

/** What went wrong with one topology. */
export interface TopologyError {
  readonly topology: string
  readonly error: HarmonyError
}

/** The error that concerns the project and not one host: a project that is invalid, or an interruption. */
export function mergeErrors(failures: readonly TopologyError[]): HarmonyError | undefined {
  const fatal = failures.filter(({ error }) => [65, 64, 130].includes(exitStatusOf[error.code]))
  return fatal.find(({ error }) => error.code === 'interrupted')?.error ?? fatal[0]?.error
}

/** 69 when no host could be reached at all, 1 when some could, 0 when nothing went wrong. */
export function hostStatus(failures: readonly TopologyError[], hosts: number): number {
  if (failures.length === 0) return 0
  return failures.length === hosts && failures.every(({ error }) => exitStatusOf[error.code] === 69) ? 69 : 1
}

/** The status that all of these errors have in common, otherwise 1. */
export function statusOfAll(failures: readonly TopologyError[]): number {
  const [status = 1, ...others] = new Set(failures.map(({ error }) => exitStatusOf[error.code]))
  return others.length === 0 ? status : 1
}
