/** Programs as specs name them: a list of words, never a command line that something would have to parse. */
import * as z from 'zod'

/** Text that a program can be given. Never a secret, for arguments are public on a host: no NUL, which ends a C string, and nothing that UTF-8 cannot write. */
export const word: z.ZodString = z
  .string({ error: 'must be text; a secret or an output of another Score goes into env or stdin' })
  .refine((text) => !text.includes('\0'), 'contains a NUL character, which no argument can hold')
  .refine((text) => text.isWellFormed(), 'contains half a surrogate pair, which UTF-8 cannot write')

/** A program and its arguments. No shell looks at them. */
export const argv: z.ZodReadonly<z.ZodArray<z.ZodString>> = z
  .array(word, { error: 'must be a list: the program, then its arguments' })
  .min(1, 'must name a program')
  .refine((words) => words[0] !== '', { path: [0], error: 'must name a program' })
  .readonly()

/** The same list as the type that runs it; the schema has seen to it that there is a program. */
export function commandOf(words: readonly string[]): readonly [string, ...string[]] {
  const [program = '', ...rest] = words
  return [program, ...rest]
}
