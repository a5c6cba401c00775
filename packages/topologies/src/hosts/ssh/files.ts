/** Reading the files of a host over SFTP. */
import { HarmonyError } from '@harmony-iac/core'
import type { FileStat, FoundFile, HostFiles } from '@harmony-iac/core/host'
import type { Access } from './access.ts'
import { pinRemotely } from './folder.ts'
import { isCode, Sftp } from './sftp.ts'

const attempts = 4
const streamChunk = 256 * 1024

/** The files of the host at the far end. */
export function remoteFiles(connect: () => Promise<Access>): HostFiles {
  let opened: { readonly access: Access; readonly sftp: Promise<Sftp> } | undefined
  const sftp = async (): Promise<Sftp> => {
    const access = await connect()
    if (opened?.access !== access) opened = { access, sftp: Sftp.open(access) }
    return await opened.sftp
  }
  return {
    lstat: async (path) => (await sftp()).lstat(path),
    realpath: async (path) => canonical(await sftp(), path),
    async readlink(path) {
      const on = await sftp()
      return await on.call<string>(
        'readlink',
        path,
        (done) => on.raw.readlink(path, done as never),
        async () => ((await on.lstat(path)) ? 'EINVAL' : 'ENOENT'),
      )
    },
    async readdir(path) {
      const on = await sftp()
      const entries = await on.call<readonly { readonly filename: string }[]>(
        'readdir',
        path,
        (done) => on.raw.readdir(path, done as never),
        async () => ((await on.lstat(path)) ? 'ENOTDIR' : 'ENOENT'),
      )
      return entries.map(({ filename }) => filename).filter((name) => name !== '.' && name !== '..')
    },
    async read(path, limit) {
      const on = await sftp()
      for (let attempt = 0; attempt < attempts; attempt++) {
        const found = await readOnce(on, path, limit)
        if (found !== 'changed') return found
      }
      throw keepsChanging(path)
    },
    stream: (path) => stream(sftp, path),
    pin: async (folder, expected) => pinRemotely(await sftp(), folder, expected),
  }
}

/** SFTP's realpath resolves what does not exist as well; the system's does not. */
async function canonical(on: Sftp, path: string): Promise<string> {
  const [found, exists] = await Promise.all([on.realpath(path), on.exists(path)])
  if (!exists)
    throw Object.assign(new Error(`ENOENT: realpath '${path}'`), {
      code: 'ENOENT',
      syscall: 'realpath',
      path,
    })
  return found
}

async function readOnce(on: Sftp, path: string, limit: number): Promise<FoundFile | undefined | 'changed'> {
  // Looked at first: to open a named pipe would keep the server waiting for its writer, and us with it.
  const stat = await on.lstat(path)
  if (stat?.type !== 'file' || stat.size > limit) return stat && { stat, bytes: undefined }
  return await on.opening(() => readRegular(on, path, stat, limit))
}

async function readRegular(
  on: Sftp,
  path: string,
  stat: FileStat,
  limit: number,
): Promise<FoundFile | 'changed'> {
  let handle: Buffer
  try {
    handle = await on.open(path, 'r')
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EEXIST')) return 'changed'
    throw error
  }
  try {
    // Files of /proc say that they are empty: then only reading tells.
    const buffer = Buffer.allocUnsafe(stat.size === 0 ? Math.min(limit, 256 * 1024) + 1 : stat.size)
    const [length, after] = await Promise.all([on.read(handle, path, buffer, 0), on.fstat(handle, path)])
    if (!sameMoment(stat, after)) return 'changed'
    if (stat.size === 0)
      return { stat, bytes: length > limit ? undefined : new Uint8Array(buffer.subarray(0, length)) }
    return length === stat.size ? { stat, bytes: new Uint8Array(buffer) } : 'changed'
  } finally {
    void on.close(handle, path).catch(() => {}) // nobody waits for it, and nothing was written
  }
}

async function* stream(sftp: () => Promise<Sftp>, path: string): AsyncGenerator<Uint8Array> {
  const on = await sftp()
  const stat = await on.lstat(path)
  if (stat?.type !== 'file') throw new HarmonyError('refused', `${path}: it is not a regular file`)
  const handle = await on.open(path, 'r')
  try {
    let position = 0
    for (;;) {
      const buffer = Buffer.allocUnsafe(streamChunk)
      const length = await on.read(handle, path, buffer, position)
      if (length === 0) break
      position += length
      yield new Uint8Array(buffer.subarray(0, length))
    }
    const after = await on.fstat(handle, path)
    if (!sameMoment(stat, after) || position !== after.size) throw keepsChanging(path)
  } finally {
    void on.close(handle, path).catch(() => {})
  }
}

function sameMoment(a: FileStat, b: FileStat): boolean {
  return (
    a.type === b.type && a.size === b.size && a.mtimeNs === b.mtimeNs && a.mode === b.mode && a.uid === b.uid
  )
}

function keepsChanging(path: string): HarmonyError {
  return new HarmonyError('system', `${path}: it changes while it is read`, {
    hint: 'let whatever is writing it finish, then try again',
    data: { path },
  })
}
