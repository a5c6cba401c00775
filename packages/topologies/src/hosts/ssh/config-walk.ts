/**
 * Which lines of an SSH configuration are meant for a host: `Host`, `Match` and `Include`, as OpenSSH's readconf.c does
 * them. What a section that does not apply says is skipped whole, its mistakes too.
 */
import { HarmonyError } from '@harmony-iac/core'
import { type ConfigFiles, globbed } from './config-files.ts'
import { atPlace, configLines, type Directive } from './config-lines.ts'
import { matchesHostList, matchesPatterns } from './patterns.ts'

/** Whom the sections are compared with. Asked anew for each, because what was read so far may have changed it. */
export interface Subject {
  /** What `Host` means: the name as written, in the final pass the one that it led to. */
  readonly name: string
  /** As written; what `Match originalhost` means. */
  readonly originalName: string
  /** What `Match host` means: the name after HostName. */
  hostName(): string
  /** What `Match user` means. */
  user(): string
  readonly localUser: string
  readonly finalPass: boolean
  /** Called when a section waits for the final pass, so that there has to be one. */
  wantFinalPass(): void
}

/** A file to be read, and what holds for it and whatever it includes. */
export interface ConfigScope {
  readonly path: string
  /** Where relative paths of `Include` start. */
  readonly folder: string
  /** What `~` is in `Include`; the system's files may not have it. */
  readonly home: string | undefined
  /** Whether the file itself may be written by nobody else. What it includes never may. */
  readonly strict: boolean
}

// As OpenSSH (READCONF_MAX_DEPTH).
const maxDepth = 16

/** Calls `each` for every directive that applies, in order; returns whether the file is there. */
export function walkConfig(
  scope: ConfigScope,
  files: ConfigFiles,
  subject: Subject,
  each: (directive: Directive) => void,
  depth = 0,
): boolean {
  const text = files.readFile(scope.path, scope.strict)
  if (text === undefined) return false
  let active = true
  for (const directive of configLines(text, scope.path)) {
    if (directive.keyword === 'host') active = appliesToHost(directive, subject)
    else if (directive.keyword === 'match') active = appliesToMatch(directive, subject)
    else if (!active) continue
    else if (directive.keyword !== 'include') each(directive)
    else {
      if (depth === maxDepth)
        throw atPlace(directive, 'too many files include each other', 'look for a file that includes itself')
      for (const path of included(directive, scope, files))
        walkConfig({ ...scope, path, strict: true }, files, subject, each, depth + 1)
    }
  }
  return true
}

function included(directive: Directive, scope: ConfigScope, files: ConfigFiles): string[] {
  if (directive.words.length === 0) throw atPlace(directive, 'Include names no file')
  return directive.words.flatMap((word) => {
    // OpenSSH 10 expands them, the others look for a file of that name.
    if (/\$\{|%/.test(word))
      throw atPlace(directive, `${word}: Include with variables or tokens is not supported`, 'write the path')
    if (!word.startsWith('~')) return globbed(word.startsWith('/') ? word : `${scope.folder}/${word}`, files)
    if (scope.home === undefined) throw atPlace(directive, `${word}: the system's files have no home folder`)
    if (word !== '~' && !word.startsWith('~/'))
      throw atPlace(directive, `${word}: the home of another user is not supported`, 'write the whole path')
    return globbed(scope.home + word.slice(1), files)
  })
}

function appliesToHost(directive: Directive, { name }: Subject): boolean {
  if (directive.words.includes('')) throw atPlace(directive, 'Host has an empty pattern')
  return matchesPatterns(name, directive.words)
}

/** Whether a criterion holds; `unknown` when that cannot be found out here. */
type Verdict = boolean | 'unknown'

/** All have to hold. One that we cannot judge matters only when every other holds. */
function appliesToMatch(directive: Directive, subject: Subject): boolean {
  const words = [...directive.words]
  if (words.length === 0) throw atPlace(directive, 'Match has no criteria')
  let applies = true
  const unknown: string[] = []
  while (words.length > 0) {
    const { name, argument } = nextCriterion(directive, words)
    const negated = name.startsWith('!')
    const verdict = judge(directive, name.replace('!', ''), argument, subject)
    if (verdict === 'unknown') unknown.push(name)
    else if (verdict === negated) applies = false
  }
  if (applies && unknown.length > 0)
    throw new HarmonyError(
      'refused',
      `${directive.file}:${directive.line}: Match ${unknown.join(', ')} is not supported, and it decides whether the lines below hold for ${subject.originalName}`,
      {
        hint: 'write the condition as Host, or as Match with host, originalhost, user or localuser',
        data: { file: directive.file, line: directive.line, criteria: unknown },
      },
    )
  return applies
}

const withoutArgument = new Set(['all', 'canonical', 'final'])

/** Takes the next criterion off the words: `host a,b`, `host=a,b`, `all`. */
function nextCriterion(directive: Directive, words: string[]): { name: string; argument: string } {
  const [, name = '', joined] = /^([^=]*)(?:=(.*))?$/s.exec(words.shift() ?? '') ?? []
  const lower = name.toLowerCase()
  if (withoutArgument.has(lower.replace('!', ''))) return { name: lower, argument: '' }
  const argument = joined ?? words.shift() ?? ''
  if (argument === '') throw atPlace(directive, `Match ${name} says nothing to compare with`)
  return { name: lower, argument }
}

function judge(directive: Directive, name: string, argument: string, subject: Subject): Verdict {
  switch (name) {
    case 'all':
      if (directive.words.some((word) => !withoutArgument.has(word.toLowerCase().replace('!', ''))))
        throw atPlace(directive, 'Match all stands alone, or after canonical or final')
      return true
    case 'final':
      subject.wantFinalPass()
      return subject.finalPass
    case 'canonical':
      return subject.finalPass
    case 'host':
      return matchesHostList(subject.hostName(), argument)
    case 'originalhost':
      return matchesHostList(subject.originalName, argument)
    case 'user':
      return matchesPatterns(subject.user(), argument.split(','))
    case 'localuser':
      return matchesPatterns(subject.localUser, argument.split(','))
    case 'exec':
    case 'localnetwork':
    case 'tagged':
    case 'command':
    case 'sessiontype':
    case 'version':
      return 'unknown'
    default:
      throw atPlace(directive, `Match does not know ${name}`)
  }
}
