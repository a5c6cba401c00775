/**
 * Lists of algorithms as an SSH configuration writes them: whole, or as a change of the usual ones. Who writes `+ssh-rsa`
 * has an old host to reach, who writes a short list must not use anything else.
 */
import { matchesPatterns } from './patterns.ts'

/**
 * The algorithms to offer, in order: `+a` adds to the usual ones, `^a` puts first, `-a*` takes away, anything else stands
 * instead of them. What a list names although it is not among `supported` cannot be offered and is left out, so the
 * result may be empty.
 * @param usual What is offered when nothing is written.
 * @param supported Everything that could be offered.
 */
export function algorithmList(
  written: string | undefined,
  usual: readonly string[],
  supported: readonly string[],
): string[] {
  if (written === undefined) return [...usual]
  const [sign] = /^[+^-]/.exec(written) ?? ['']
  const named = written.slice(sign.length).split(',')
  if (sign === '-') return usual.filter((name) => !matchesPatterns(name, named))
  const can = named.filter((name) => supported.includes(name))
  const lists = { '+': [...usual, ...can], '^': [...can, ...usual], '': can }
  return [...new Set(lists[sign as keyof typeof lists])]
}
