/** Schemas of everything that `--json` prints. */
import * as z from 'zod'

/** By type. */
export const commandEvents = { summary: z.strictObject({ type: z.literal('summary') }) }
