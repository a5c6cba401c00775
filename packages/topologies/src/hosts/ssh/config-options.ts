/**
 * What the options of an SSH configuration say, each read when it is wanted: so a mistake in a line that another one
 * overrides harms nobody. The first line for an option counts, in the order of reading; IdentityFile adds up.
 */
import { HarmonyError } from '@harmony-iac/core'
import { atPlace, type Directive } from './config-lines.ts'

/** The lines that were found for one destination. */
export interface Options {
  add(directive: Directive): void
  /** The line that counts, by its keyword in lower case. */
  line(keyword: string): Directive | undefined
  /** Every IdentityFile, without those that come twice. */
  readonly identityFiles: readonly Directive[]
}

/** No lines yet. */
export function noOptions(): Options {
  const found = new Map<string, Directive>()
  const identityFiles: Directive[] = []
  return {
    identityFiles,
    line: (keyword) => found.get(keyword),
    add(directive) {
      const keyword = aliases.get(directive.keyword) ?? directive.keyword
      if (keyword === 'identityfile') {
        const file = oneWord(directive)
        // Two passes, or two sections for one host, must not have a key refused twice: servers count.
        if (!identityFiles.some(({ words }) => words[0] === file)) identityFiles.push(directive)
      } else if (!found.has(keyword)) found.set(keyword, directive)
    },
  }
}

/** Other names, and the two options that compete: whichever of ProxyJump and ProxyCommand comes first counts. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['proxyjump', 'proxy'],
  ['proxycommand', 'proxy'],
  ['identityfile2', 'identityfile'],
  ['challengeresponseauthentication', 'kbdinteractiveauthentication'],
  ['skeyauthentication', 'kbdinteractiveauthentication'],
  ['tisauthentication', 'kbdinteractiveauthentication'],
  ['dsaauthentication', 'pubkeyauthentication'],
  // Debian's.
  ['protocolkeepalives', 'serveraliveinterval'],
  ['setuptimeout', 'serveraliveinterval'],
])

/** The only argument of a line. */
export function oneWord(directive: Directive): string {
  const [word, ...others] = directive.words
  if (word === undefined || word === '') throw atPlace(directive, `${directive.written} has no value`)
  if (others.length > 0)
    throw atPlace(
      directive,
      `${directive.written} has more than one value`,
      'put what contains spaces between quotes',
    )
  return word
}

/** As {@link oneWord}, of the line for an option, if there is one. */
export function oneWordIf(options: Options, keyword: string): string | undefined {
  const directive = options.line(keyword)
  return directive && oneWord(directive)
}

/** One of several words, whatever their case. */
function oneOf<const Word extends string>(directive: Directive, words: readonly Word[]): Word {
  const value = oneWord(directive).toLowerCase()
  const known = words.find((word) => word === value)
  if (known !== undefined) return known
  throw atPlace(directive, `${directive.written} is ${words.join(', ')}, not ${JSON.stringify(value)}`)
}

/** As {@link oneOf}, of the line for an option, if there is one. */
export function oneOfIf<const Word extends string>(
  options: Options,
  keyword: string,
  words: readonly Word[],
): Word | undefined {
  const directive = options.line(keyword)
  return directive && oneOf(directive, words)
}

/** A whole number that is not negative. */
export function wholeNumber(directive: Directive): number {
  const value = oneWord(directive)
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw atPlace(directive, `${directive.written}: ${JSON.stringify(value)} is not a number`)
}

const seconds = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 } as const

/** A time in seconds: `90`, `1m30s`; `undefined` for `none`. */
export function duration(directive: Directive): number | undefined {
  const value = oneWord(directive).toLowerCase()
  if (value === 'none') return undefined
  if (!/^(\d{1,9}[smhdw]?)+$/.test(value))
    throw atPlace(directive, `${directive.written}: ${JSON.stringify(value)} is not a time`)
  let sum = 0
  for (const [, count, unit] of value.matchAll(/(\d+)([smhdw]?)/g))
    sum += Number(count) * seconds[(unit || 's') as keyof typeof seconds]
  return sum
}

/** Whether a switch is on, if a line says so. */
export function isOn(options: Options, keyword: string): boolean | undefined {
  const value = oneOfIf(options, keyword, ['yes', 'true', 'no', 'false'])
  return value && (value === 'yes' || value === 'true')
}

/**
 * Refuses what we cannot do and must not leave undone: another way to the host, another judgement of its key. Other
 * options that we do not know change neither, and are left out.
 */
export function refuseUnsupported(options: Options): void {
  for (const { keyword, harmless, because, hint } of unsupported) {
    const directive = options.line(keyword)
    if (!directive || (directive.keyword === 'proxyjump' && keyword === 'proxy')) continue
    if (harmless.includes(directive.words[0]?.toLowerCase() ?? '')) continue
    throw new HarmonyError(
      'refused',
      `${directive.file}:${directive.line}: ${directive.written} is not supported, and it ${because}`,
      { hint, data: { file: directive.file, line: directive.line, option: directive.written } },
    )
  }
}

interface Unsupported {
  readonly keyword: string
  /** Values that ask for nothing. */
  readonly harmless: readonly string[]
  readonly because: string
  readonly hint: string
}

const unsupported: readonly Unsupported[] = [
  {
    keyword: 'proxy',
    harmless: ['none'],
    because: 'decides how the host is reached',
    hint: 'write it as ProxyJump if it leads through another host; `ProxyCommand none` before it turns it off for one host',
  },
  {
    keyword: 'canonicalizehostname',
    harmless: ['no', 'false', 'none'],
    because: 'decides which host a short name means',
    hint: 'name the host in full, or give it a HostName',
  },
  {
    keyword: 'bindinterface',
    harmless: [],
    because: 'decides by which way the host is reached',
    hint: 'use BindAddress with the address of that interface',
  },
  {
    keyword: 'knownhostscommand',
    harmless: ['none'],
    because: 'decides which host keys are trusted',
    hint: 'write what it prints into a file and name that in UserKnownHostsFile',
  },
  {
    keyword: 'revokedhostkeys',
    harmless: ['none'],
    because: 'decides which host keys are trusted no longer',
    hint: 'mark these keys with @revoked in a known_hosts file',
  },
]
