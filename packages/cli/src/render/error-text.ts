/** An error as people read it: what, where, every issue, what to do. */
import type { ErrorData, Issue } from '@harmony-iac/core'
import type { Explained } from '../project/compile.ts'
import type { Colours } from './colours.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

/** Of a compiler's messages so many lines are shown. */
const longest = 60

/** The lines of one error; `indent` is put before each. */
export function errorText(error: ErrorData, colours: Colours, indent = ''): string {
  const lines: string[] = []
  const [first = '', ...more] = sanitize(headline(error)).split('\n')
  lines.push(`${colours.red('error')}: ${colours.bold(first)}`, ...more.map((line) => `  ${line}`))
  const at = error.data?.at
  if (typeof at === 'string') lines.push(`  at ${sanitizeLine(at)}`)
  const frame = error.data?.frame
  if (typeof frame === 'string')
    lines.push(
      ...sanitize(frame)
        .split('\n')
        .map((line) => `  ${line}`),
    )
  lines.push(
    ...(typeof error.data?.output === 'string' ? compilerLines(error, colours) : issueLines(error, colours)),
  )
  if (error.hint) lines.push(`${colours.cyan('hint')}: ${sanitize(error.hint).replaceAll('\n', '\n  ')}`)
  return `${lines.map((line) => `${indent}${line}`.trimEnd()).join('\n')}\n`
}

/** What happened, to what. */
function headline({ message, address, issues = [] }: ErrorData): string {
  const [only] = issues
  // The message of an error with one issue is often that issue itself.
  if (only && issues.length === 1 && only.message === message) {
    const path = pathText(only.path)
    return `${[only.address, path].filter(Boolean).join(' ')}${only.address || path ? ': ' : ''}${message}`
  }
  return address !== undefined && !message.includes(address) ? `${address}: ${message}` : message
}

function pathText(path: Issue['path']): string {
  return path.reduce<string>(
    (text, step) => text + (typeof step === 'number' ? `[${step}]` : `${text && '.'}${step}`),
    '',
  )
}

/** Issues by address, so that a Score with five problems is named once. */
function issueLines(error: ErrorData, colours: Colours): readonly string[] {
  if (error.issues?.length === 1 && error.issues[0]?.message === error.message) return []
  const byAddress = new Map<string, string[]>()
  for (const issue of error.issues ?? []) {
    const path = pathText(issue.path)
    const lines = byAddress.get(issue.address ?? '') ?? []
    lines.push(sanitizeLine(path ? `${path}: ${issue.message}` : issue.message))
    byAddress.set(issue.address ?? '', lines)
  }
  const lines: string[] = []
  for (const [address, problems] of byAddress) {
    if (address) lines.push(`  ${colours.bold(sanitizeLine(address))}`)
    lines.push(...problems.map((problem) => `${address ? '    ' : '  '}${problem}`))
  }
  return lines
}

/** What the compiler printed, as it printed it; then, in a sentence, what a topology does not offer. */
function compilerLines(error: ErrorData, colours: Colours): readonly string[] {
  const printed = sanitize(String(error.data?.output)).split('\n')
  const lines = printed.slice(0, longest).map((line) => `  ${line}`)
  if (printed.length > longest) lines.push(colours.dim(`  … ${printed.length - longest} more lines`))
  const explained = (error.data?.explained ?? []) as readonly Explained[]
  for (const { at, sentence, frame } of explained.slice(0, 5)) {
    lines.push('', `  ${colours.bold(sanitizeLine(sentence))}`, `    at ${sanitizeLine(at)}`)
    if (frame)
      lines.push(
        ...sanitize(frame)
          .split('\n')
          .map((line) => `    ${line}`),
      )
  }
  if (explained.length > 5) lines.push('', `  and ${explained.length - 5} more of this sort`)
  return lines
}
