/**
 * Paths as every kind here takes them. A path is an identity and a claim, so one thing must have one spelling: what
 * `resolve()` would change is refused instead of normalized, because a spec is its own wire form.
 */
import * as z from 'zod'

// What Linux takes: NAME_MAX and PATH_MAX (4096, its final NUL included), both in bytes.
const longestName = 255
const longestPath = 4095

/** Why a path cannot be used; `undefined` when it can. */
function flawOfPath(path: string): string | undefined {
  if (path === '') return 'is empty; write an absolute path such as /etc/app.conf'
  if (path === '/') return 'is the root of the file system, which belongs to the host'
  if (!path.startsWith('/')) return `is relative; write an absolute path such as /etc/${lastName(path)}`
  return flawOfNames(path.slice(1))
}

/** Why a path relative to a folder cannot be used; `undefined` when it can. */
function flawOfRelativePath(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (path.startsWith('/')) return 'is absolute; write it relative to the folder'
  return flawOfNames(path)
}

function flawOfNames(path: string): string | undefined {
  if (path.includes('\0')) return 'contains a NUL character'
  if (!path.isWellFormed()) return 'contains half a surrogate pair, which no file name can hold'
  if (path.endsWith('/')) return 'ends with a slash; leave it out'
  if (path.includes('//')) return 'contains //; write one slash'
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) return 'contains a . or .. segment; write where it leads to'
  // A character takes at most three bytes of UTF-8 per code unit, so most paths need no counting.
  if (path.length * 3 <= longestName) return undefined
  if (Buffer.byteLength(path) >= longestPath) return `is longer than ${longestPath} bytes`
  if (path.split('/').some((name) => Buffer.byteLength(name) > longestName))
    return `has a name of more than ${longestName} bytes`
  return undefined
}

function lastName(path: string): string {
  return (
    path
      .split('/')
      .filter((name) => !/^\.*$/.test(name))
      .at(-1) ?? 'app.conf'
  )
}

const absoluteNames = /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/
const relativeNames = /^(?!\.{1,2}(?:\/|$))[^/]+(?:\/(?!\.{1,2}(?:\/|$))[^/]+)*$/

/** An absolute, normalized path, never `/`. The pattern is there for the JSON Schema, the flaw for people. */
export const absolutePath: z.ZodString = pathSchema(absoluteNames, flawOfPath)

/** An absolute, normalized path that may also be `/`: a folder to be in, not a thing to own. */
export const anyPath: z.ZodString = pathSchema(/^\/$|^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/, (path) =>
  path === '/' ? undefined : flawOfPath(path),
)

/** A normalized path below some folder. */
export const relativePath: z.ZodString = pathSchema(relativeNames, flawOfRelativePath)

function pathSchema(pattern: RegExp, flawOf: (path: string) => string | undefined): z.ZodString {
  const message = (issue: { readonly input?: unknown }) =>
    flawOf(String(issue.input)) ?? 'is not a usable path'
  return z
    .string()
    .regex(pattern, { error: message, abort: true })
    .refine((path) => isHarmless(path) || flawOf(path) === undefined, { error: message })
}

/** Whether a path that fits its pattern is surely usable: nearly all of thousands are, and need no closer look. */
function isHarmless(path: string): boolean {
  return path.length * 3 <= longestName && !path.includes('\0') && path.isWellFormed()
}

/**
 * Where a link leads to if none of the folders on the way is a link itself; `undefined` for the root or the link's own
 * path. Good enough to find the Score that declares the target, never used to touch the disk.
 */
export function resolveTarget(link: string, target: string): string | undefined {
  const names = target.startsWith('/') ? [] : link.split('/').slice(1, -1)
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue
    if (name === '..') names.pop()
    else names.push(name)
  }
  const path = `/${names.join('/')}`
  return path === '/' || path === link ? undefined : path
}
