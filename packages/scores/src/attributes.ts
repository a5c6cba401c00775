/** Mode, owner and group, as files, directories and links share them: schemas, and what differs. */
import type { Difference } from '@harmony-iac/core'
import type { EntryAttributes, EntryFacts, Principal } from '@harmony-iac/core/capabilities'
import * as z from 'zod'

/** Four octal digits in quotes: a bare `640` would be decimal, and `999` no mode at all. */
export const mode: z.ZodString = z
  .string({ error: (issue) => `must be four octal digits in quotes, such as ${exampleMode(issue.input)}` })
  .regex(/^[0-7]{4}$/, { error: (issue) => `must be four octal digits, such as ${exampleMode(issue.input)}` })

function exampleMode(input: unknown): string {
  const digits = typeof input === 'number' || typeof input === 'string' ? String(input) : ''
  return /^[0-7]{3}$/.test(digits) ? `'0${digits}'` : "'0640'"
}

// uid_t is 32 bits wide and (uid_t)-1 means "leave as it is" to chown(2).
const largestId = 4294967294

/** A user or group: its name, or its number. */
export const principal: z.ZodUnion<readonly [z.ZodString, z.ZodNumber]> = z.union([
  z.string({ error: 'must be a name or a whole number' }).regex(/^(?![0-9]+$)[^\s:/,\p{Cc}\p{Cs}]+$/u, {
    error: ({ input }) =>
      /^[0-9]+$/.test(String(input))
        ? `is a number in quotes; write ${String(input)} without them`
        : 'must be a name without spaces, colons, commas and slashes, or a number',
  }),
  z
    .int({ error: 'must be a name or a whole number' })
    .min(0, 'must not be negative')
    .max(largestId, 'is too large'),
])

/** The attributes that a spec may name. */
export interface WantedAttributes {
  readonly mode?: string | undefined
  readonly owner?: string | number | undefined
  readonly group?: string | number | undefined
}

/** The attributes of a spec, without its other fields. */
export function attributesOf({ mode, owner, group }: WantedAttributes): EntryAttributes {
  return { mode, owner, group }
}

/** What a spec names is compared, what it leaves out is not. */
export function compareAttributes(wanted: WantedAttributes, found: EntryFacts, into: Difference[]): void {
  if (wanted.mode !== undefined && wanted.mode !== found.mode)
    into.push({ path: 'mode', from: found.mode, to: wanted.mode })
  comparePrincipal('owner', wanted.owner, found.owner, into)
  comparePrincipal('group', wanted.group, found.group, into)
}

function comparePrincipal(
  path: 'owner' | 'group',
  wanted: string | number | undefined,
  found: Principal,
  into: Difference[],
): void {
  if (wanted === undefined) return
  const now = as(wanted, found)
  if (now !== wanted) into.push({ path, from: now, to: wanted })
}

/** The attributes that something new would get, for the preview. */
export function attributesToCome(wanted: WantedAttributes, into: Difference[]): void {
  for (const field of ['mode', 'owner', 'group'] as const) {
    const value = wanted[field]
    if (value !== undefined) into.push({ path: field, from: null, to: value })
  }
}

/** Whoever is wanted by number is compared by number, and shown by it. */
function as(wanted: string | number, found: Principal): string | number {
  return typeof wanted === 'number' ? found.id : (found.name ?? found.id)
}
