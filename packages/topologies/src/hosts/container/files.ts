/** Reading the files of a container. */
import { HarmonyError } from '@harmony-iac/core'
import type { FileStat, FoundFile, HostFiles } from '@harmony-iac/core/host'
import { pinInContainer } from './folder.ts'
import { type FileRequests, isSameMoment } from './requests.ts'

const attempts = 4
/** Files of /proc say that they are empty: then only reading tells. */
const unsizedAtMost = 256 * 1024
/** Of the script's `part`. */
const partSize = 4 * 262144

/** The files of a container; `requests` connects if need be. */
export function containerFiles(requests: () => Promise<FileRequests>): HostFiles {
  return {
    lstat: async (path) => (await requests()).lstat(path),
    realpath: async (path) =>
      String(await (await requests()).ask({ verb: 'realpath', words: [path] }, 'realpath', path)),
    readlink: async (path) =>
      String(await (await requests()).ask({ verb: 'readlink', words: [path] }, 'readlink', path)),
    async readdir(path) {
      const names = await (await requests()).ask({ verb: 'list', words: [path] }, 'readdir', path)
      return String(names).split('\0').slice(0, -1)
    },
    async read(path, limit) {
      const on = await requests()
      for (let attempt = 0; attempt < attempts; attempt++) {
        const found = await readOnce(on, path, limit)
        if (found !== 'changed') return found
      }
      throw keepsChanging(path)
    },
    stream: (path) => stream(requests, path),
    pin: async (folder, expected) => pinInContainer(await requests(), folder, expected),
  }
}

async function readOnce(
  on: FileRequests,
  path: string,
  limit: number,
): Promise<FoundFile | undefined | 'changed'> {
  // Looked at first: to open a named pipe would keep the server waiting for its writer, and us with it.
  const stat = await on.lstat(path)
  if (stat?.type !== 'file' || stat.size > limit) return stat && { stat, bytes: undefined }
  if (stat.size === 0) {
    const most = Math.min(limit, unsizedAtMost) + 1
    const bytes = await on.ask({ verb: 'some', words: [path, most] }, 'read', path)
    if (!isSame(stat, await on.lstat(path))) return 'changed'
    return { stat, bytes: bytes.length > limit ? undefined : new Uint8Array(bytes) }
  }
  const bytes = await on.content(path, stat)
  if (bytes) return { stat, bytes }
  on.sessions.connection.lost.throwIfAborted()
  // It may be that it may not be read: then that is the answer.
  await on.ask({ verb: 'some', words: [path, 1] }, 'open', path)
  return 'changed'
}

async function* stream(requests: () => Promise<FileRequests>, path: string): AsyncGenerator<Uint8Array> {
  const on = await requests()
  const stat = await on.lstat(path)
  if (stat?.type !== 'file') throw new HarmonyError('refused', `${path}: it is not a regular file`)
  let position = 0
  while (position < stat.size) {
    const bytes = await on.ask({ verb: 'part', words: [path, position / 262144] }, 'read', path)
    position += bytes.length
    if (bytes.length > 0) yield new Uint8Array(bytes)
    if (bytes.length < partSize) break
  }
  if (position !== stat.size || !isSame(stat, await on.lstat(path))) throw keepsChanging(path)
}

/** Below /proc/self every program finds a thing of its own, as of now, that says it is empty. */
function isSame(before: FileStat, after: FileStat | undefined): boolean {
  if (after === undefined) return false
  return isSameMoment(before, after) || (before.size === 0 && after.size === 0 && after.type === before.type)
}

function keepsChanging(path: string): HarmonyError {
  return new HarmonyError('system', `${path}: it changes while it is read`, {
    hint: 'let whatever is writing it finish, then try again',
    data: { path },
  })
}
