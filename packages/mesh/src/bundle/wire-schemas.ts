/** Every document of the protocol by its name, for whoever publishes or checks schemas. */
import type * as z from 'zod'
import { bundleSchema } from './bundle.ts'
import { manifestSchema } from './chunks.ts'
import { desiredStateSchema } from './desired-state.ts'
import { envelopeSchema } from './envelope.ts'

/** The schemas by name. */
export function wireSchemas(): Readonly<
  Record<'bundle' | 'envelope' | 'desired-state' | 'manifest', z.ZodType>
> {
  return {
    bundle: bundleSchema(),
    envelope: envelopeSchema(),
    'desired-state': desiredStateSchema(),
    manifest: manifestSchema(),
  }
}
