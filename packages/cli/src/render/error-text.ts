/** An error as people read it: what, where, every issue, what to do. */
import type { ErrorData } from '@harmony-iac/core'
import type { Explained } from '../project/compile.ts'
import type { Colours } from './colours.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

/** Of a compiler's messages so many lines are shown. */
const longest = 60

/** The lines of one error; `indent` is put before each. */
export function errorText(error: ErrorData, colours: Colours, indent = ''): string {
  const lines: string[] = []
  const where =
    error.address !== undefined && !error.message.includes(error.address) ? `${error.address}: ` : ''
  const [first = '', ...more] = sanitize(`${where}${error.message}`).split('\n')
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

/** Issues by address, so that a Score with five problems is named once. */
function issueLines(error: ErrorData, colours: Colours): readonly string[] {
  const byAddress = new Map<string, string[]>()
  for (const issue of error.issues ?? []) {
    const path = issue.path.reduce<string>(
      (text, step) => text + (typeof step === 'number' ? `[${step}]` : `${text && '.'}${step}`),
      '',
    )
    const lines = byAddress.get(issue.address ?? '') ?? []
    lines.push(sanitizeLine(path ? `${path}: ${issue.message}` : issue.message))
    byAddress.set(issue.address ?? '', lines)
  }
  const lines: string[] = []
  for (const [address, problems] of byAddress) {
    if (address) lines.push(`  ${colours.bold(sanitizeLine(address))}`)
    lines.push(...problems.map((problem) => `${address ? '    ' : '  '}${problem}`))
  }
  // The message of an error with one issue is often that issue itself.
  return lines.length === 1 && lines[0]?.trim() === error.message ? [] : lines
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
