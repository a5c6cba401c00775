/** What `plan`, `apply` and `destroy` share. */
import type { Plan } from '@harmony-iac/core'
import type { PlanRequest } from '@harmony-iac/core/engine'
import type { Context } from '../context.ts'
import { mergeErrors, type TopologyError } from '../failures.ts'
import { errorData } from '../render/error-data.ts'
import type { OptionValues } from './table.ts'

/** The options of the command line as a request to the engine. */
export function planRequest(options: OptionValues, signal: AbortSignal): PlanRequest {
  return {
    targets: options.target ?? [],
    excludes: options.exclude ?? [],
    replace: options.replace ?? [],
    adopt: options.adopt === true,
    allowRemoval: options['allow-removal'] === true,
    signal,
  }
}

/** 65 when a person must decide something first, 1 when something could not be observed, otherwise 0. */
export function refusalStatus(plans: readonly Plan[]): 0 | 1 | 65 {
  if (plans.some((plan) => plan.conflicts.length > 0)) return 65
  return plans.some((plan) => plan.failures.length > 0) ? 1 : 0
}

/**
 * Tells what went wrong with single hosts, and how many.
 * @throws HarmonyError what concerns the project as a whole.
 */
export function tellFailures({ reporter, io }: Context, failures: readonly TopologyError[]): number {
  const fatal = mergeErrors(failures)
  if (fatal) throw fatal
  for (const { topology, error } of failures) reporter.error(errorData(error, io.env), topology)
  return failures.length
}
