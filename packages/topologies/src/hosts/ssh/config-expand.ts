/** What stands for something else in a value of an SSH configuration: `~`, `%h`, `${NAME}` (ssh_config(5), "TOKENS"). */
import { atPlace, type Place } from './config-lines.ts'

/** What the letters after `%` stand for. Those that an option does not know are left out. */
export type Tokens = Readonly<Partial<Record<string, string>>>

/**
 * Replaces `%x` and `%%`.
 * @throws HarmonyError `invalid-value` for a letter that is not known, naming file and line.
 */
export function expandTokens(value: string, tokens: Tokens, place: Place): string {
  return value.replace(/%(.?)/gs, (whole, letter: string) => {
    const meant = letter === '%' ? '%' : tokens[letter]
    if (meant === undefined)
      throw atPlace(
        place,
        `${JSON.stringify(value)}: ${JSON.stringify(whole)} stands for nothing that is known here`,
        `write %% for a percent sign; known are ${Object.keys(tokens).map((known) => `%${known}`)}`,
      )
    return meant
  })
}

/** Who the paths are for. */
export interface PathContext {
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly tokens: Tokens
}

/**
 * A path as meant: `~` first, then `%x` and `${NAME}` together, as OpenSSH does.
 * @throws HarmonyError `invalid-value` for the home of another user and for a variable that is not set.
 */
export function expandPath(value: string, { home, env, tokens }: PathContext, place: Place): string {
  const path = expandHome(value, home, place)
  // In one go: what a variable holds is not expanded again.
  return path
    .split(/(\$\{[^}]*\})/)
    .map((part) => {
      const [, name] = /^\$\{(.*)\}$/s.exec(part) ?? []
      return name === undefined ? expandTokens(part, tokens, place) : environment(name, env, place)
    })
    .join('')
}

/** A path with the home folder in the place of `~`. */
function expandHome(value: string, home: string, place: Place): string {
  if (!value.startsWith('~')) return value
  if (value === '~' || value.startsWith('~/')) return home + value.slice(1)
  throw atPlace(place, `${value}: the home of another user is not supported`, 'write the whole path')
}

function environment(name: string, env: PathContext['env'], place: Place): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (value !== undefined) return value
  throw atPlace(place, `the variable ${name} is not set`, `set ${name}, or write the path itself`)
}
