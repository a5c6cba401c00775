/** Fenced blocks of Markdown that say where they come from: a file of the repository, or a session that was run. */

/** One fenced block. */
export interface Fence {
  readonly language: string
  /** What follows the language: `file=examples/hello/harmony.ts#scores`. */
  readonly attributes: Readonly<Record<string, string>>
  readonly body: string
  /** Number of its first line, from 1. */
  readonly line: number
}

const opening = /^```(\w+)(?: (.*))?$/

/** The fenced blocks of a page, in order. */
export function fencesOf(markdown: string): readonly Fence[] {
  const fences: Fence[] = []
  mapFences(markdown, (fence) => {
    fences.push(fence)
    return fence.body
  })
  return fences
}

/** The page with other bodies in its fences. */
export function mapFences(markdown: string, bodyOf: (fence: Fence, i: number) => string): string {
  const lines = markdown.split('\n')
  const written: string[] = []
  let count = 0
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    written.push(line)
    const [, language, info = ''] = line.match(opening) ?? []
    if (language === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`the block that begins in line ${at + 1} does not end`)
    const body = lines.slice(at + 1, end).join('\n')
    const attributes = Object.fromEntries(
      [...info.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]) => [key, value]),
    )
    written.push(...bodyOf({ language, attributes, body, line: at + 1 }, count++).split('\n'), '```')
    at = end
  }
  return written.join('\n')
}
