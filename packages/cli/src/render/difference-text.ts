/** One difference as people read it: short values in one line, text as a unified diff, everything else by its size. */
import type { Json, ShownDifference } from '@harmony-iac/core'
import type { Colours } from './colours.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

/** A diff longer than this is cut, and says by how much. */
const longest = 80
/** Of new text only the beginning is shown: there is nothing to compare it with. */
const longestNew = 20
/** A value longer than this does not stand in one line. */
const widest = 72

/** The lines of one difference, not indented. */
export async function differenceText(
  difference: ShownDifference,
  colours: Colours,
): Promise<readonly string[]> {
  const { path, from, to, masked } = difference
  const label = path === '' ? '' : `${sanitizeLine(path)}: `
  const remarks = [
    difference.replaces && 'must be made anew',
    difference.settling && 'may settle by itself',
  ].filter(Boolean)
  const remark = remarks.length > 0 ? colours.dim(` (${remarks.join('; ')})`) : ''
  if (masked) return [`${label}${shown(from)} → ${shown(to)}${colours.dim(' (secret)')}${remark}`]
  // What kind of thing it becomes stands in its address.
  if (path === '' && from === null && typeof to === 'string') return []
  if (path === '' && from === null) return creationLines(to, colours)
  if (path === '' && to === null) return [`${colours.dim('was')} ${shown(from)}`]
  if (isText(from) && isText(to))
    return [`${label}${remark}`.trimEnd(), ...(await diffLines(from, to, colours))]
  if (from === null && isLongText(to)) return [`${label}${remark}`.trimEnd(), ...newLines(to, colours)]
  if (from === null && path !== '') return [`${label}${shown(to)}${remark}`]
  return [`${label}${shown(from)} → ${shown(to)}${remark}`]
}

/** What a new thing is made with: its fields; of long text the beginning. */
function creationLines(to: Json, colours: Colours): readonly string[] {
  if (to === null || to === true) return []
  if (typeof to !== 'object' || Array.isArray(to) || isMeasured(to)) return [shown(to)]
  const short: string[] = []
  const long: string[] = []
  for (const [key, value] of Object.entries(to)) {
    if (value === undefined || value === null) continue
    if (isLongText(value)) long.push(`${sanitizeLine(key)}:`, ...newLines(value, colours))
    else short.push(`${sanitizeLine(key)} ${shown(value)}`)
  }
  return [...(short.length > 0 ? [colours.dim(short.join(', '))] : []), ...long]
}

/** A value in one line. */
function shown(value: Json | undefined): string {
  if (value === null || value === undefined) return 'nothing'
  if (isMeasured(value))
    return `${sizeText(value.size)}${value.sha256 ? `, sha256 ${sanitizeLine(value.sha256).slice(0, 12)}` : ''}`
  const text = sanitizeLine(typeof value === 'string' ? value : JSON.stringify(value))
  const quoted = typeof value === 'string' ? `'${text}'` : text
  return quoted.length > widest ? `${quoted.slice(0, widest - 1)}…` : quoted
}

function isMeasured(value: Json): value is { readonly size: number; readonly sha256?: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { size, sha256, ...rest } = value as { readonly [key: string]: Json | undefined }
  return (
    typeof size === 'number' &&
    (sha256 === undefined || typeof sha256 === 'string') &&
    Object.keys(rest).length === 0
  )
}

const sizeText = (bytes: number): string => (bytes === 1 ? '1 byte' : `${bytes.toLocaleString('en')} bytes`)

const isLongText = (value: Json | undefined): value is string =>
  typeof value === 'string' && (value.includes('\n') || value.length > widest)
const isText = (value: Json): value is string =>
  typeof value === 'string' && (value === '' || isLongText(value))

function newLines(text: string, colours: Colours): readonly string[] {
  const lines = text.replace(/\n$/, '').split('\n')
  return cut(
    lines.map((line) => colours.green(`+${sanitize(line)}`)),
    colours,
    longestNew,
  )
}

async function diffLines(from: string, to: string, colours: Colours): Promise<readonly string[]> {
  const { structuredPatch } = await import('diff')
  // Two files with nothing in common would take minutes to be compared in the finest way.
  const patch = structuredPatch('', '', from, to, '', '', { context: 3, maxEditLength: 4000 })
  if (!patch)
    return [
      `${sizeText(Buffer.byteLength(from))} → ${sizeText(Buffer.byteLength(to))}: too different for a diff`,
    ]
  const lines: string[] = []
  for (const hunk of patch.hunks) {
    lines.push(
      colours.cyan(`@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`),
    )
    for (const line of hunk.lines) {
      const safe = sanitize(line)
      lines.push(
        line.startsWith('+')
          ? colours.green(safe)
          : line.startsWith('-')
            ? colours.red(safe)
            : colours.dim(safe),
      )
    }
  }
  return cut(lines, colours, longest)
}

/** Of nothing the format names the line before. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`
}

function cut(lines: readonly string[], colours: Colours, most: number): readonly string[] {
  if (lines.length <= most) return lines
  return [...lines.slice(0, most), colours.dim(`… ${lines.length - most} more lines`)]
}
