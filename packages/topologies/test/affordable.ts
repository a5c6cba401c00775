/**
 * What of the conformance kit is played on a real host. In memory every kind passes all of it; a kill at every write is
 * several passes each, which there take minutes, so one or two cases stand for all. `docs/reference/conformance.md` lists
 * what is left out, and why.
 */
import type { Check } from '@harmony-iac/core/testing'

/** The checks but those of `without`, and of kills only those whose name matches `kills`. */
export function affordable(
  checks: readonly Check[],
  { kills, without }: { readonly kills: RegExp; readonly without?: RegExp },
): readonly Check[] {
  return checks.filter(
    ({ name, rule }) =>
      !without?.test(name) && !without?.test(rule) && (!rule.endsWith('survives kills') || kills.test(name)),
  )
}
