/**
 * Changing files over SFTP, inside a folder that is named by its canonical path. SFTP has no call that starts at an open
 * folder: so just before each change it is checked that the path still leads there. What is swapped in the milliseconds
 * between goes unnoticed; the documentation says so.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { Attributes, FileStat, PinnedFolder } from '@harmony-iac/core/host'
import { joinPath } from '../../linux/names.ts'
import { isCode, type Sftp } from './sftp.ts'
import { systemError, whyNotWritten } from './sftp-errors.ts'

/** As `HostFiles.pin`. */
export async function pinRemotely(
  on: Sftp,
  folder: string,
  expected: string | undefined,
): Promise<PinnedFolder> {
  const path = await on.realpath(folder)
  if (expected !== undefined && path !== expected) throw moved(expected, path)
  const stat = await on.lstat(path)
  if (!stat) throw systemError('ENOENT', 'open', path)
  if (stat.type !== 'directory') throw systemError('ENOTDIR', 'open', path)
  return new RemoteFolder(on, path)
}

class RemoteFolder implements PinnedFolder {
  readonly path: string
  readonly #on: Sftp

  constructor(on: Sftp, path: string) {
    this.#on = on
    this.path = path
  }

  lstat(name: string): Promise<FileStat | undefined> {
    return this.#on.lstat(this.#entry(name))
  }

  async create(
    name: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    attributes: Attributes,
  ): Promise<void> {
    const at = await this.#checked(name)
    const handle = await this.#on.open(at, 'wx', 0o600)
    try {
      let position = 0
      const pieces = content instanceof Uint8Array ? [content] : content
      for await (const piece of pieces) {
        if (piece.length > 0) await this.#on.write(handle, at, piece, position, this.#why)
        position += piece.length
      }
      const change = await this.#change(attributes, () => this.#on.fstat(handle, at))
      if (change) await this.#on.fsetstat(handle, at, change)
      await this.#on.fsync(handle, at, this.#why)
      await this.#on.close(handle, at)
    } catch (error) {
      await this.#on.close(handle, at).catch(() => {})
      await this.unlink(name).catch(() => {}) // it has a name of ours: the next pass removes it
      throw error
    }
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    const at = await this.#checked(name)
    const handle = await this.#on.open(at, 'a', 0o600)
    try {
      const { size } = await this.#on.fstat(handle, at)
      try {
        await this.#on.write(handle, at, bytes, size, this.#why)
        await this.#on.fsync(handle, at, this.#why)
      } catch (error) {
        await this.#on.fsetstat(handle, at, { size } as never).catch(() => {})
        throw error
      }
      if (size === 0) await this.sync()
    } finally {
      await this.#on.close(handle, at).catch(() => {})
    }
  }

  async mkdir(name: string, attributes: Attributes): Promise<void> {
    const at = await this.#checked(name)
    await this.#on.call(
      'mkdir',
      at,
      (done) => this.#on.raw.mkdir(at, { mode: 0o700 }, done as never),
      async () => ((await this.#on.lstat(at)) ? 'EEXIST' : await this.#why()),
    )
    try {
      await this.setAttributes(name, attributes)
    } catch (error) {
      await this.rmdir(name).catch(() => {})
      throw error
    }
  }

  async symlink(target: string, name: string): Promise<void> {
    const at = await this.#checked(name)
    await this.#on.call(
      'symlink',
      at,
      (done) => this.#on.raw.symlink(target, at, done as never),
      async () => ((await this.#on.lstat(at)) ? 'EEXIST' : await this.#why()),
    )
  }

  async rename(from: string, to: string): Promise<void> {
    const there = await this.#checked(to)
    const here = this.#entry(from)
    await this.#on.call(
      'rename',
      there,
      (done) => this.#on.raw.ext_openssh_rename(here, there, done as never),
      async () =>
        (await this.#on.lstat(there))?.type === 'directory'
          ? 'EISDIR'
          : (await this.#on.lstat(here))
            ? await this.#why()
            : 'ENOENT',
    )
  }

  async unlink(name: string): Promise<void> {
    const at = await this.#checked(name)
    await this.#on.call(
      'unlink',
      at,
      (done) => this.#on.raw.unlink(at, done as never),
      async () => {
        const type = (await this.#on.lstat(at))?.type
        return type === undefined ? 'ENOENT' : type === 'directory' ? 'EISDIR' : await this.#why()
      },
    )
  }

  async rmdir(name: string): Promise<void> {
    const at = await this.#checked(name)
    await this.#on.call(
      'rmdir',
      at,
      (done) => this.#on.raw.rmdir(at, done as never),
      async () => {
        const type = (await this.#on.lstat(at))?.type
        return type === undefined ? 'ENOENT' : type === 'directory' ? 'ENOTEMPTY' : 'ENOTDIR'
      },
    )
  }

  async setAttributes(name: string, attributes: Attributes): Promise<void> {
    const at = await this.#checked(name)
    let found: FileStat | undefined
    const look = async () => {
      found ??= await this.#on.lstat(at)
      if (!found) throw systemError('ENOENT', 'lstat', at)
      return found
    }
    const { type } = await look()
    if (type === 'symlink' && attributes.mode !== undefined)
      throw new HarmonyError('refused', `${at}: a symbolic link has no mode of its own`)
    const change = await this.#change(attributes, look)
    if (!change) return
    try {
      await this.#on.call('setstat', at, (done) =>
        this.#on.raw.ext_openssh_lsetstat(at, change, done as never),
      )
    } catch (error) {
      if (!isCode(error, 'ENOTSUP') || type === 'symlink') throw error
      await this.#on.call('setstat', at, (done) => this.#on.raw.setstat(at, change, done as never))
    }
  }

  sync(): Promise<void> {
    return this.#on.sync(this.path)
  }

  async pin(name: string): Promise<PinnedFolder> {
    const at = await this.#checked(name)
    const stat = await this.#on.lstat(at)
    if (!stat) throw systemError('ENOENT', 'open', at)
    if (stat.type !== 'directory') throw systemError('ENOTDIR', 'open', at)
    return new RemoteFolder(this.#on, at)
  }

  async close(): Promise<void> {}

  readonly #why = (): Promise<string> => whyNotWritten(this.#on.raw, this.path)

  /** What has to be set; owner and group go together in SFTP. */
  async #change(
    { mode, uid, gid }: Attributes,
    look: () => Promise<FileStat>,
  ): Promise<{ mode?: number; uid?: number; gid?: number } | undefined> {
    if (mode === undefined && uid === undefined && gid === undefined) return undefined
    const has = await look()
    const owner = (uid ?? has.uid) !== has.uid || (gid ?? has.gid) !== has.gid
    // A change of owner clears the bits setuid and setgid: so the mode goes with it.
    const change = {
      ...(owner ? { uid: uid ?? has.uid, gid: gid ?? has.gid } : {}),
      ...(mode !== undefined && (owner || mode !== has.mode) ? { mode } : {}),
    }
    return Object.keys(change).length > 0 ? change : undefined
  }

  async #checked(name: string): Promise<string> {
    const at = this.#entry(name)
    const now = await this.#on.realpath(this.path)
    if (now !== this.path) throw moved(this.path, now)
    return at
  }

  #entry(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
      throw new HarmonyError(
        'invalid-value',
        `${JSON.stringify(name)} is not the name of an entry in ${this.path}`,
      )
    return joinPath(this.path, name)
  }
}

function moved(expected: string, found: string): HarmonyError {
  return new HarmonyError(
    'plan-stale',
    `${expected} is no longer the folder that was observed: it leads to ${found} now`,
    {
      hint: 'find out who moved the folder or put a link in its place, then plan again',
      data: { folder: expected, found },
    },
  )
}
