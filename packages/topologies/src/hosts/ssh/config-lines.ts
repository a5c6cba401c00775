/**
 * The lines of an ssh_config file. The package `ssh-config` would do this too, but it is made for editing such files,
 * not for obeying them (5.3.0, by its source): lines lose their numbers, so that no error could say where; `?` may stand
 * for nothing; a criterion of Match is not negated by `!`, and is forgotten when it comes twice; `Match host` looks at
 * HostName before `%h` is replaced; a keyword without a value swallows the next line; `Match exec` is run unless one
 * forbids it, and is false otherwise. Each changes in silence which host is reached or trusted. The grammar is short.
 */
import { HarmonyError } from '@harmony-iac/core'

/** Where something is written. */
export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** One line that says something. */
export interface Directive extends Place {
  /** In lower case. */
  readonly keyword: string
  /** The keyword as written, for people. */
  readonly written: string
  /** The arguments, without quotes and escapes. */
  readonly words: readonly string[]
}

/**
 * The directives of a file, in order.
 * @throws HarmonyError `invalid-value` for a quote without its end, naming file and line.
 */
export function* configLines(text: string, file: string): Generator<Directive> {
  for (const [index, whole] of text.split('\n').entries()) {
    const trimmed = whole.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const place = { file, line: index + 1 }
    // After the keyword: space, or one `=` with or without space around it.
    const [, written = '', rest = ''] = /^"?([^\s="]+)"?(?:\s*=\s*|\s+|$)(.*)$/s.exec(trimmed) ?? []
    if (written === '') throw atPlace(place, `${JSON.stringify(trimmed)} is not an option and its value`)
    yield { ...place, keyword: written.toLowerCase(), written, words: splitWords(rest, place) }
  }
}

/** An error that names the place of what cannot be understood. */
export function atPlace(place: Place, what: string, hint?: string): HarmonyError {
  return new HarmonyError('invalid-value', `${place.file}:${place.line}: ${what}`, {
    hint: hint ?? 'correct the line; `man ssh_config` describes what may stand there',
    data: { file: place.file, line: place.line },
  })
}

/**
 * As OpenSSH splits (its `argv_split`): either quote may stand anywhere in a word, a backslash escapes quotes, itself
 * and, outside quotes, a space; a word that begins with `#` ends the line.
 */
function splitWords(text: string, place: Place): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    const next = text.charAt(at + 1)
    const blank = char === ' ' || char === '\t'
    if (word === undefined) {
      if (blank) continue
      if (char === '#') break
      word = ''
    }
    if (char === '\\' && (/['"\\]/.test(next) || (quote === '' && next === ' '))) {
      word += next
      at++
    } else if (quote === '' && blank) {
      words.push(word)
      word = undefined
    } else if (quote === '' && (char === '"' || char === "'")) quote = char
    else if (char === quote) quote = ''
    else word += char
  }
  if (quote !== '') throw atPlace(place, `the quote ${quote} is not closed`)
  return word === undefined ? words : [...words, word]
}
