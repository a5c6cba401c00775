/**
 * Reading the files of a Linux host: what is at a path, what is below a folder. Written for a thousand questions at
 * once: on the machine itself each is a handful of system calls, over a connection all are under way together.
 */
import { createHash } from 'node:crypto'
import { resolve as resolvePath } from 'node:path/posix'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HarmonyError } from '@harmony-iac/core'
import { type Entry, type FileContent, inlineLimit, type ListedEntry } from '@harmony-iac/core/capabilities'
import type { FileStat, Host } from '@harmony-iac/core/host'
import { isErrno } from './folders.ts'
import { joinPath, splitPath } from './names.ts'
import type { Principals } from './principals.ts'
import type { EachTurn } from './turn.ts'

/** What reading needs. */
export interface Looking {
  readonly host: Host
  readonly principals: Principals
  /** The canonical path of a folder; `undefined` when it is missing or no folder. */
  readonly canonicalFolder: EachTurn<string, string | undefined>
}

/** How content is asked for. */
export interface InspectOptions {
  readonly content?: boolean
  readonly signal?: AbortSignal
}

const attempts = 4

/** As `FileSystem.inspect`. */
export async function inspect(on: Looking, path: string, options: InspectOptions = {}): Promise<Entry> {
  const { host, principals } = on
  for (let attempt = 1; ; attempt++) {
    interruptible(options.signal)
    const [folder, read] = await Promise.all([
      on.canonicalFolder(splitPath(path).folder),
      options.content
        ? host.files.read(path, inlineLimit)
        : host.files.lstat(path).then((stat) => stat && { stat, bytes: undefined }),
    ])
    if (!read) return { type: 'absent', folder }
    const { stat, bytes } = read
    const [owner, group] = await Promise.all([
      principals.named('passwd', stat.uid),
      principals.named('group', stat.gid),
    ])
    const facts = { mode: octal(stat.mode), owner, group, folder, fingerprint: fingerprint(stat) }
    try {
      if (stat.type === 'symlink')
        return { type: 'symlink', target: await host.files.readlink(path), ...facts }
      if (stat.type !== 'file') return { type: stat.type, ...facts }
      return { type: 'file', content: await contentOf(on, path, stat, bytes, options), ...facts }
    } catch (error) {
      // Replaced between the two calls. What is there now gets a fresh look, unless somebody makes a sport of it.
      if (attempt >= attempts || !(error instanceof Replaced || isErrno(error, 'ENOENT', 'EINVAL', 'ELOOP')))
        throw error
    }
  }
}

async function contentOf(
  on: Looking,
  path: string,
  stat: FileStat,
  bytes: Uint8Array | undefined,
  options: InspectOptions,
): Promise<FileContent> {
  if (bytes) return { bytes, size: bytes.length }
  if (!options.content) return { bytes: undefined, sha256: undefined, size: stat.size }
  const sha256 = createHash('sha256')
  for await (const chunk of on.host.files.stream(path)) {
    interruptible(options.signal)
    sha256.update(chunk)
  }
  const after = await on.host.files.lstat(path)
  if (!after || fingerprint(after) !== fingerprint(stat)) throw new Replaced(path)
  return { bytes: undefined, sha256: sha256.digest('hex'), size: stat.size }
}

class Replaced extends HarmonyError {
  constructor(path: string) {
    super('system', `${path}: it changes while it is read`, {
      hint: 'let whatever is writing it finish, then try again',
      data: { path },
    })
  }
}

/**
 * What tells an entry from whatever takes its place. A directory's times change with its entries, which are not it:
 * it goes by its inode alone.
 */
export function fingerprint(stat: FileStat): string {
  return stat.type === 'directory'
    ? `directory:${stat.inode}`
    : `${stat.inode}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}

/** A mode as it is written in a spec. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/** As `FileSystem.list`. */
export async function list(on: Looking, path: string): Promise<readonly ListedEntry[]> {
  const found: ListedEntry[] = []
  const { files } = on.host
  if ((await files.lstat(path))?.type !== 'directory') return found
  const folders = [path]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names = await readFolder(on, folder)
    const stats = await Promise.all(names.map((name) => files.lstat(joinPath(folder, name))))
    names.forEach((name, i) => {
      const stat = stats[i]
      const at = joinPath(folder, name)
      if (stat) {
        found.push({ path: at, type: stat.type, fingerprint: fingerprint(stat) })
        if (stat.type === 'directory') folders.push(at)
      }
      // A name that is no UTF-8 cannot be asked about. It is listed all the same: what cannot be purged must not
      // look purged.
      else if (name.includes('\uFFFD')) found.push({ path: at, type: 'other', fingerprint: '' })
    })
    // A large tree must not keep timers and Ctrl-C waiting.
    await nextTurn()
  }
  return found
}

async function readFolder(on: Looking, folder: string): Promise<readonly string[]> {
  try {
    return [...(await on.host.files.readdir(folder))].sort()
  } catch (error) {
    // Gone meanwhile, or replaced by something without entries.
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/** As `FileSystem.resolve`: also where the link's target does not exist yet. */
export async function resolveLink(on: Looking, path: string): Promise<string> {
  const { files } = on.host
  let at = path
  // As many links as the kernel follows.
  for (let link = 0; link < 40; link++) {
    try {
      return await files.realpath(at)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
    const { folder, name } = splitPath(at)
    const canonical = await files.realpath(folder)
    const here = joinPath(canonical, name)
    if ((await files.lstat(here))?.type !== 'symlink') return here
    at = resolvePath(canonical, await files.readlink(here))
  }
  throw new HarmonyError('refused', `${path}: it leads through too many symbolic links`, {
    hint: 'the links probably lead to each other: remove one of them',
  })
}

/** @throws HarmonyError `interrupted` once the signal has aborted. */
export function interruptible(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HarmonyError('interrupted', 'ended because the command was interrupted')
}
