/**
 * Names beside a target. A temporary file's name follows from its target's, so that whoever comes next knows what a
 * killed pass may have left, without a list. Hidden and with a tilde at the end: folders such as `/etc/cron.d` and
 * `/etc/sudoers.d`, whose files take effect by being there, are read without such names.
 */
import { hash } from 'node:crypto'

// Of a name, in bytes, on every file system that matters.
const longestName = 255

/** The name of the temporary file from which an entry is renamed into place. */
export function temporaryName(name: string): string {
  const made = `.${name}.harmony~`
  if (Buffer.byteLength(made) <= longestName) return made
  return `.harmony~${hash('sha256', name, 'hex').slice(0, 16)}`
}

/** Whether a name is one that {@link temporaryName} makes. */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.harmony~$|^\.harmony~[0-9a-f]{16}$/s.test(name)
}

/** A path as the folder and the name in it. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const cut = path.lastIndexOf('/')
  return { folder: cut <= 0 ? '/' : path.slice(0, cut), name: path.slice(cut + 1) }
}

/** A name in a folder, as a path. */
export function joinPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}
