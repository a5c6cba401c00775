/** Reading the files of an SSH configuration, and finding those that a pattern of `Include` names. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import { isErrno } from '../local-stat.ts'

/** What reads a configuration. Synchronous: it is a handful of small local files, read once for each destination. */
export interface ConfigFiles {
  /** `undefined` when nothing is there. `strict`: nobody else may be able to write it. */
  readFile(path: string, strict: boolean): string | undefined
  /** The names in a folder; none when it is missing. */
  readFolder(path: string): readonly string[]
}

/** The files of this machine. */
export const localConfigFiles: ConfigFiles = {
  readFile(path, strict) {
    try {
      const fd = openSync(path, 'r')
      try {
        const stats = fstatSync(fd)
        // A pattern of Include may well meet a folder.
        if (stats.isDirectory()) return undefined
        if (strict) refuseForeign(path, stats)
        return readFileSync(fd, 'utf8')
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw toHarmonyError(error, { hint: 'make it readable: it may say how hosts are reached' })
    }
  },
  readFolder(path) {
    try {
      return readdirSync(path)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
      throw toHarmonyError(error)
    }
  },
}

/**
 * The existing or possible paths for one of `Include`, in the order of their names, as glob(7): `*` and `?` stand for no
 * slash and for no dot at the beginning of a name. What has no wildcard is not looked for.
 */
export function globbed(pattern: string, files: ConfigFiles): string[] {
  if (!/[*?[]/.test(pattern)) return [pattern]
  let found = ['']
  for (const segment of pattern.split('/').slice(1)) {
    if (!/[*?[]/.test(segment)) found = found.map((folder) => `${folder}/${segment}`)
    else {
      const name = nameRegExp(segment)
      found = found.flatMap((folder) =>
        files
          .readFolder(folder || '/')
          .filter((entry) => name.test(entry))
          .map((entry) => `${folder}/${entry}`),
      )
    }
  }
  // By code points, as in the locale C: the same on every machine.
  return found.sort()
}

function nameRegExp(segment: string): RegExp {
  const body = segment.replace(/\[([!^]?)(\]?[^\]]*)\]|[*?]|[\\^$.()|+{}[\]]/g, (part, negated, set) => {
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (set === undefined) return `\\${part}`
    return `[${negated ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`
  })
  return new RegExp(`^${segment.startsWith('.') ? '' : '(?!\\.)'}${body}$`, 's')
}

/**
 * Who can write this file decides where we connect and whom we trust, and OpenSSH refuses it too. A group may write
 * when it has the number of the user: on Debian everybody has such a group alone, and files are made so.
 */
function refuseForeign(path: string, stats: { uid: number; gid: number; mode: number }): void {
  const uid = process.getuid?.()
  const ours = stats.uid === 0 || stats.uid === uid
  const open = stats.mode & 0o002 || (stats.mode & 0o020 && stats.gid !== uid)
  if (ours && !open) return
  throw new HarmonyError(
    'refused',
    ours
      ? `${path} can be written by others, who would decide which hosts are reached and trusted`
      : `${path} belongs to another user, who would decide which hosts are reached and trusted`,
    { hint: ours ? `chmod go-w ${path}` : `chown it to you, once you know what is in it`, data: { path } },
  )
}
