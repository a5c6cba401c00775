/** All generated pages. */
import { knownKinds } from '@harmony-iac/core'
import { cliPage } from './cli.ts'
import { errorsPage } from './errors.ts'
import { eventsPage } from './events.ts'
import { samples } from './samples.ts'
import { scorePages } from './scores.ts'
import { wirePage } from './wire.ts'

/** Pages beside them that are written by hand. */
export const byHand: readonly string[] = ['conformance.md']

/** By path below `docs/reference`. */
export function referencePages(): Readonly<Record<string, string>> {
  for (const { kind } of knownKinds())
    if (!samples[kind]) throw new Error(`the kind ${kind} has no sample in scripts/reference/samples.ts`)
  return {
    'cli.md': cliPage(),
    'errors.md': errorsPage(),
    'events.md': eventsPage(),
    'wire.md': wirePage(),
    ...Object.fromEntries(Object.entries(scorePages()).map(([name, text]) => [`scores/${name}`, text])),
  }
}
