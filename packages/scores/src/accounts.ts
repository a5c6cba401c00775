/** Names, numbers and texts of accounts, as users, groups and keys share them. */
import { claim, type Json } from '@harmony-iac/core'
import * as z from 'zod'
import { once } from './once.ts'

// What useradd of every Debian takes, of all releases. Not what its files can hold: a name goes into paths, into lists
// with commas and into lines with colons.
const longestName = 32

/** The name of a user or group. */
export const accountName: () => z.ZodString = once(() =>
  z
    .string({ error: 'must be a name' })
    .max(longestName, `is longer than ${longestName} characters`)
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, {
      error: 'must be letters, digits, _ . and -, and start with a letter or _',
    }),
)

// 65535 and 4294967295 are -1 in 16 and in 32 bits, which means "leave as it is" to chown(2).
const minusOne = 65535
const largestId = 4294967294

/** The number of a user or group. */
export const accountNumber: () => z.ZodInt = once(() =>
  z
    .int({ error: 'must be a whole number' })
    .min(0, 'must not be negative')
    .max(largestId, 'is too large')
    .refine((id) => id !== minusOne, 'stands for "nobody in particular" on many systems'),
)

/** Names, each once. */
export const accountNames: () => z.ZodReadonly<z.ZodArray<z.ZodString>> = once(() =>
  z
    .array(accountName(), { error: 'must be a list of names' })
    .refine((names) => new Set(names).size === names.length, 'names something twice')
    .readonly(),
)

/** Whether text can stand in a field of passwd(5): one line, no colon, nothing that turns a terminal around. */
export function fitsField(text: string): boolean {
  return text.isWellFormed() && !/[:\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text)
}

/** Where the home of a user is unless it is said: what a project can know before it has seen the host. */
export function usualHome(user: string): string {
  return user === 'root' ? '/root' : `/home/${user}`
}

/** The folder that holds a path, unless that is the root of the file system. */
export function standsIn(path: string): readonly claim.Claim[] {
  const folder = claim.folderOf(path)
  return folder === '/' ? [] : [claim.path(folder)]
}

/**
 * What is remembered of an account that was made or taken over. An account that is there and not remembered is
 * somebody's, also when it is just as wanted: taken over silently it would be removed with its Score one day, and an
 * account that others rely on does not come back. So it is a difference, a conflict to be resolved by `adopt: true`,
 * and then kept as it was.
 */
export const ours: Json = 'ours'

/** What is said of an account that is there and not {@link ours}. */
export const othersMadeIt = 'made by others'

/** Whether two lists name the same, in whatever order. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}
