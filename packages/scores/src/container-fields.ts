/** What the names, references and numbers of containers may be. */
import * as z from 'zod'
import { once } from './once.ts'

/** Ends of names that Harmony gives to containers while one takes the place of another. */
export const suffixes = { candidate: '.harmony-new', old: '.harmony-old', aside: '.harmony-aside' } as const

// Room for a suffix, and short enough for a name in DNS.
const longestName = 63

/** A name of a network, a volume, an alias. */
export function objectName(what: string): z.ZodString {
  return z
    .string({ error: `must be the name of a ${what}` })
    .max(longestName, `is longer than ${longestName} characters`)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]+$/, {
      error: 'must be two or more letters, digits, _ . and -, and start with a letter or digit',
    })
}

/** A name of a container. */
export const containerName: () => z.ZodString = once(() =>
  objectName('container').refine(
    (name) => !Object.values(suffixes).some((suffix) => name.endsWith(suffix)),
    'ends as the names of containers that are about to be replaced',
  ),
)

const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const registry = '[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?'
const reference = new RegExp(
  `^(?:${registry}/)?${part}(?:/${part})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
)
const imageId = /^sha256:[0-9a-f]{64}$/

/** A reference to an image, or the id of one. */
export const imageReference: () => z.ZodString = once(() =>
  z
    .string()
    .max(400, 'is longer than 400 characters')
    .refine((text) => imageId.test(text) || reference.test(text), {
      error: 'must be a reference to an image, such as nginx:1.27 or registry.lan/app@sha256:…',
    }),
)

/** Whether a reference leaves open which image of that name is meant. */
export function leavesTagOpen(text: string): boolean {
  return reference.test(text) && !imageId.test(text) && !/@sha256:|:[^/:]+$/.test(text)
}

/** Whether a reference can only ever mean one content. */
export function isPinned(text: string): boolean {
  return imageId.test(text) || text.includes('@sha256:')
}

/** A whole number that is not less. */
export function atLeast(least: number, said: string): z.ZodInt {
  return z.int('must be a whole number').min(least, `must be at least ${said}`)
}

/** Of a host or of a container. */
export const portNumber: () => z.ZodInt = once(() =>
  z.int('must be a port, 1 to 65535').min(1, 'must be at least 1').max(65_535, 'must be at most 65535'),
)

/** A time. */
export const milliseconds: () => z.ZodInt = once(() =>
  z.int('must be a whole number of milliseconds').min(1, 'must be positive'),
)

/** As `kill -l` lists them. */
export const signalName: () => z.ZodString = once(() =>
  z.string().regex(/^SIG[A-Z0-9]+(?:[+-][0-9]{1,2})?$/, 'must be the name of a signal, such as SIGINT'),
)

/** As capabilities(7) lists them, without CAP_. */
export const capabilityName: () => z.ZodString = once(() =>
  z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'must be a capability, such as NET_ADMIN, or ALL')
    .refine((name) => !name.startsWith('CAP_'), 'is written without CAP_'),
)

/** Labels of a container, a network, a volume. */
export function labelNames(text: z.ZodString): z.ZodReadonly<z.ZodRecord<z.ZodString, z.ZodString>> {
  return z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9_./-]*$/, 'must be letters, digits and _ . / -')
        .refine((name) => !name.startsWith('harmony-iac.'), 'is a label of Harmony itself'),
      text,
    )
    .readonly()
}

/** A check of health. */
export function healthCheck(line: z.ZodString, words: z.ZodType<readonly string[], readonly string[]>) {
  return z.strictObject({
    command: z.union(
      [
        line.min(1, 'is empty'),
        words.refine((list) => list.length > 0 && list[0] !== '', 'must name a program'),
      ],
      { error: 'must be a line for the shell, or a list: the program, then its arguments' },
    ),
    intervalMs: milliseconds().optional(),
    timeoutMs: milliseconds().optional(),
    retries: atLeast(1, '1').max(1000).optional(),
    startPeriodMs: milliseconds().optional(),
  })
}

/** Whether text is what one of these takes; they say what is wrong in words of their own. */
export function is(text: string, ...schemas: readonly z.ZodType[]): boolean {
  return schemas.some((schema) => schema.safeParse(text).success)
}
