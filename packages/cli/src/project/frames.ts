/** Where in the user's own files something happened. */
import { readFileSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownPackage } from '../own-package.ts'
import type { ProjectPlace } from './find.ts'

/** A place in a file. */
export interface Frame {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** Our own packages, wherever they are installed: the folder above `@harmony-iac/cli` or `packages/cli`. */
const ours = dirname(ownPackage().folder) + sep

/** The first place of a stack that is in the user's files: not Node, not a dependency, not Harmony. */
export function userFrame(thrown: unknown, place: ProjectPlace): Frame | undefined {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return undefined
  const frames = framesOf(thrown.stack)
  const own = frames.find(
    ({ file }) =>
      file === place.file ||
      (file.startsWith(place.folder + sep) && !file.includes(`${sep}node_modules${sep}`)),
  )
  return (
    own ?? frames.find(({ file }) => !file.includes(`${sep}node_modules${sep}`) && !file.startsWith(ours))
  )
}

/** All places of a stack, in order; a syntax error names its place in the first line. */
function framesOf(stack: string): readonly Frame[] {
  const frames: Frame[] = []
  const first = /^(file:\/\/\S+|\/\S.*):(\d+)\n([^\n]*)\n(\s*)\^/.exec(stack)
  if (first?.[1])
    frames.push({ file: toPath(first[1]), line: Number(first[2]), column: (first[4]?.length ?? 0) + 1 })
  for (const [, file = '', line, column] of stack.matchAll(
    /[\s(]((?:file:\/\/)?\/[^()\n]+?):(\d+):(\d+)\)?$/gm,
  ))
    frames.push({ file: toPath(file), line: Number(line), column: Number(column) })
  return frames
}

function toPath(file: string): string {
  return file.startsWith('file://') ? fileURLToPath(file.replace(/\?.*$/, '')) : file
}

/** A few lines of a file around a place, the place marked. */
function frameText(source: string, line: number, column: number): string | undefined {
  const lines = source.split('\n')
  if (line < 1 || line > lines.length) return undefined
  const from = Math.max(1, line - 1)
  const to = Math.min(lines.length, line + 1)
  const width = String(to).length
  const shown: string[] = []
  for (let n = from; n <= to; n++) {
    const text = (lines[n - 1] ?? '').replaceAll('\t', ' ').slice(0, 160)
    shown.push(`${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${text}`.trimEnd())
    if (n === line && column <= 160) shown.push(`  ${' '.repeat(width)} | ${' '.repeat(column - 1)}^`)
  }
  return shown.join('\n')
}

/** The same for a file that is read first; `undefined` when it cannot be. */
export function frameOfFile(file: string, line: number, column: number): string | undefined {
  try {
    return frameText(readFileSync(file, 'utf8'), line, column)
  } catch {
    return undefined
  }
}
