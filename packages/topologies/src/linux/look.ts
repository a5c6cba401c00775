/**
 * Reading the files of a Linux host: what is at a path, what is below a folder. Written for a thousand questions at
 * once: on the machine itself each is a handful of system calls, over a connection all are under way together.
 */
import { createHash } from 'node:crypto'
import { resolve as resolvePath } from 'node:path/posix'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HarmonyError } from '@harmony-iac/core'
import {
  type Entry,
  type FileContent,
  inlineLimit,
  type ListedEntry,
  type Principal,
} from '@harmony-iac/core/capabilities'
import type { FileStat, Host, HostFiles } from '@harmony-iac/core/host'
import { atMost } from './at-most.ts'
import { isErrno } from './folders.ts'
import { joinPath, splitPath } from './names.ts'
import type { Principals } from './principals.ts'
import type { EachTurn } from './turn.ts'

/** What reading needs. */
export interface Looking {
  readonly host: Host
  readonly principals: Principals
  /** What the inspections of one turn share, by the path of the folder. */
  readonly surroundings: EachTurn<string, Surroundings>
}

/** What is around an entry. */
export interface Surroundings {
  /** The canonical path of its folder; `undefined` when that is missing or no folder. */
  readonly folder: string | undefined
  readonly users: ReadonlyMap<number, Principal>
  readonly groups: ReadonlyMap<number, Principal>
}

/** How content is asked for. */
export interface InspectOptions {
  readonly content?: boolean
  readonly signal?: AbortSignal
}

const attempts = 4

/** Finds out what is around the entries of a folder. */
export async function lookAround(host: Host, principals: Principals, path: string): Promise<Surroundings> {
  // All at once: over a connection each question that waits for another costs its latency.
  const [users, groups, folder] = await Promise.all([
    principals.listed('passwd'),
    principals.listed('group'),
    folderAt(host.files, path),
  ])
  return { folder, users, groups }
}

/** The canonical path of a folder; `undefined` when it is missing or no folder. */
async function folderAt(files: HostFiles, path: string): Promise<string | undefined> {
  try {
    // Only a folder, whatever links lead to it, has an entry for itself.
    const [folder, itself] = await Promise.all([files.realpath(path), files.lstat(`${path}/.`)])
    return itself ? folder : undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/**
 * As `inspect`, at once, for what needs no waiting: a small file on this machine, in a folder that another inspection
 * of this turn has looked around in. That is nearly all of thousands, and promises would be most of what they cost.
 */
export function inspectNow(on: Looking, path: string, options: InspectOptions = {}): Entry | undefined {
  const { files } = on.host
  if (!options.content || !files.readNow) return undefined
  const around = on.surroundings.answered(splitPath(path).folder)
  if (!around) return undefined
  interruptible(options.signal)
  const read = files.readNow(path, inlineLimit)
  if (read === undefined) return { type: 'absent', folder: around.folder }
  if (read === 'later' || !read.bytes) return undefined
  const { stat, bytes } = read
  const owner = around.users.get(stat.uid)
  const group = around.groups.get(stat.gid)
  if (!owner || !group) return undefined
  return new FileEntry(stat, bytes, { owner, group, folder: around.folder })
}

// A class, so that the fingerprint is made when it is asked for: of thousands of unchanged files it never is.
class FileEntry {
  readonly type = 'file'
  readonly content: FileContent
  readonly mode: string
  readonly owner: Principal
  readonly group: Principal
  readonly folder: string | undefined
  readonly #stat: FileStat

  constructor(
    stat: FileStat,
    bytes: Uint8Array,
    { owner, group, folder }: Pick<FileEntry, 'owner' | 'group' | 'folder'>,
  ) {
    this.content = { bytes, size: bytes.length }
    this.mode = octal(stat.mode)
    this.owner = owner
    this.group = group
    this.folder = folder
    this.#stat = stat
  }

  get fingerprint(): string {
    return fingerprint(this.#stat)
  }
}

/**
 * As `FileSystem.inspect`. A thousand of them are under way at once, so it counts how little each allocates and awaits:
 * what they share is asked once, and looked up without a promise.
 */
export async function inspect(on: Looking, path: string, options: InspectOptions = {}): Promise<Entry> {
  const { files } = on.host
  for (let attempt = 1; ; attempt++) {
    interruptible(options.signal)
    const [{ folder, users, groups }, read] = await Promise.all([
      on.surroundings(splitPath(path).folder),
      options.content ? files.read(path, inlineLimit) : statOnly(files, path),
    ])
    if (!read) return { type: 'absent', folder }
    const { stat, bytes } = read
    const owner = users.get(stat.uid) ?? (await on.principals.named('passwd', stat.uid))
    const group = groups.get(stat.gid) ?? (await on.principals.named('group', stat.gid))
    const facts = { mode: octal(stat.mode), owner, group, folder, fingerprint: fingerprint(stat) }
    if (bytes) return { type: 'file', content: { bytes, size: bytes.length }, ...facts }
    try {
      if (stat.type === 'symlink') return { type: 'symlink', target: await files.readlink(path), ...facts }
      if (stat.type !== 'file') return { type: stat.type, ...facts }
      const content = options.content
        ? await digesting(() => digestOf(files, path, stat, options.signal))
        : { bytes: undefined, sha256: undefined, size: stat.size }
      return { type: 'file', content, ...facts }
    } catch (error) {
      // Replaced between the two calls. What is there now gets a fresh look, unless somebody makes a sport of it.
      if (attempt >= attempts || !(error instanceof Replaced || isErrno(error, 'ENOENT', 'EINVAL', 'ELOOP')))
        throw error
    }
  }
}

async function statOnly(files: HostFiles, path: string) {
  const stat = await files.lstat(path)
  return stat && { stat, bytes: undefined }
}

// Each holds a file open, and a piece of it in memory.
const digesting = atMost(64)

/** Of a file that is too large to be held. */
async function digestOf(
  files: HostFiles,
  path: string,
  stat: FileStat,
  signal: AbortSignal | undefined,
): Promise<FileContent> {
  const sha256 = createHash('sha256')
  for await (const chunk of files.stream(path)) {
    interruptible(signal)
    sha256.update(chunk)
  }
  const after = await files.lstat(path)
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
  if (stat.type === 'directory') return `directory:${stat.inode}`
  // A template literal would keep its pieces alive: twice the memory in a list of ten thousand.
  return [stat.inode, stat.size, stat.mtimeNs, stat.ctimeNs].join(':')
}

/** A mode as it is written in a spec. */
export function octal(mode: number): string {
  const known = octals.get(mode)
  if (known !== undefined) return known
  const made = mode.toString(8).padStart(4, '0')
  octals.set(mode, made)
  return made
}

// There are few modes, and one string for each is enough.
const octals = new Map<number, string>()

/** As `FileSystem.list`. */
export async function list(on: Looking, path: string): Promise<readonly ListedEntry[]> {
  const found: ListedEntry[] = []
  const { files } = on.host
  const top = await files.lstat(path)
  if (top?.type !== 'directory') return found
  const folders = [path]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names = await readFolder(on, folder)
    const stats = await Promise.all(names.map((name) => files.lstat(joinPath(folder, name))))
    names.forEach((name, i) => {
      const stat = stats[i]
      const at = joinPath(folder, name)
      if (stat) {
        const seen = { path: at, type: stat.type, fingerprint: fingerprint(stat) }
        const mount = stat.type === 'directory' && stat.device !== top.device
        found.push(mount ? { ...seen, mount } : seen)
        if (stat.type === 'directory' && !mount) folders.push(at)
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
