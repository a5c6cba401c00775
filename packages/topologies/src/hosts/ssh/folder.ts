/**
 * Changing files over SFTP, inside a folder that is named by its canonical path. SFTP has no call that starts at an open
 * folder: so just before each change it is checked that the path still leads there. What is swapped in the milliseconds
 * between goes unnoticed; the documentation says so.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { Attributes, FileStat, PinnedFolder } from '@harmony-iac/core/host'
import { joinPath } from '../../linux/names.ts'
import { together } from '../../linux/together.ts'
import { isCode, type Sftp } from './sftp.ts'
import { systemError, whyNotWritten } from './sftp-errors.ts'

/** As `HostFiles.pin`. */
export async function pinRemotely(
  on: Sftp,
  folder: string,
  expected: string | undefined,
): Promise<PinnedFolder> {
  // Only a folder has an entry for itself.
  const [path, itself] = await Promise.all([on.realpath(folder), on.lstat(`${folder}/.`)])
  if (expected !== undefined && path !== expected) throw moved(expected, path)
  if (!itself) throw systemError((await on.lstat(path)) ? 'ENOTDIR' : 'ENOENT', 'open', path)
  return new RemoteFolder(on, path)
}

// So much goes into one request: more is sent in pieces, each after the answer to the one before.
const oneWrite = 32 * 1024

class RemoteFolder implements PinnedFolder {
  readonly path: string
  readonly #on: Sftp
  /** Whether the answer that was last waited for said that the path still leads here: then the next change need not ask. */
  #justChecked = false

  constructor(on: Sftp, path: string) {
    this.#on = on
    this.path = path
    this.#hasChecked()
  }

  async lstat(name: string): Promise<FileStat | undefined> {
    // A change mostly comes next: the check that it needs goes along.
    const [stat] = await Promise.all([this.#on.lstat(this.#entry(name)), this.#check()])
    this.#hasChecked()
    return stat
  }

  async create(
    name: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    attributes: Attributes,
  ): Promise<void> {
    const at = await this.#checked(name)
    const handle = await this.#on.open(at, 'wx', 0o600)
    try {
      // The server does one after the other what is sent together: each that waited would cost the latency once.
      const isShort = content instanceof Uint8Array && content.length <= oneWrite
      const written = isShort
        ? this.#on.write(handle, at, content, 0, this.#why)
        : this.#writeAll(handle, at, content)
      let has: FileStat | undefined
      if (!isShort || chowns(attributes))
        [, has] = await together([written, chowns(attributes) ? this.#on.fstat(handle, at) : undefined])
      const change = changeOf(attributes, has)
      await together([
        written,
        change && this.#on.fsetstat(handle, at, change),
        this.#on.fsync(handle, at, this.#why),
      ])
    } catch (error) {
      await this.#on.close(handle, at).catch(() => {})
      await this.unlink(name).catch(() => {}) // it has a name of ours: the next pass removes it
      throw error
    }
    // Nobody waits for it: what was written is safe by now, and the next request is answered after it.
    void this.#on.close(handle, at).catch(() => {})
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    const at = await this.#checked(name)
    const handle = await this.#on.open(at, 'a', 0o600)
    try {
      const { size } = await this.#on.fstat(handle, at)
      try {
        const written = this.#on.write(handle, at, bytes, size, this.#why)
        if (bytes.length > oneWrite) await written
        await together([written, this.#on.fsync(handle, at, this.#why), size === 0 ? this.sync() : undefined])
      } catch (error) {
        await this.#on.fsetstat(handle, at, { size } as never).catch(() => {})
        throw error
      }
    } finally {
      void this.#on.close(handle, at).catch(() => {})
    }
  }

  async #writeAll(
    handle: Buffer,
    at: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    let position = 0
    for await (const piece of content instanceof Uint8Array ? [content] : content) {
      if (piece.length > 0) await this.#on.write(handle, at, piece, position, this.#why)
      position += piece.length
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
    const at = this.#entry(name)
    const found = await this.lstat(name)
    if (!found) throw systemError('ENOENT', 'lstat', at)
    const { type } = found
    if (type === 'symlink' && attributes.mode !== undefined)
      throw new HarmonyError('refused', `${at}: a symbolic link has no mode of its own`)
    const change = changeOf(attributes, found)
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
    const at = this.#entry(name)
    const stat = await this.lstat(name)
    if (!stat) throw systemError('ENOENT', 'open', at)
    if (stat.type !== 'directory') throw systemError('ENOTDIR', 'open', at)
    return new RemoteFolder(this.#on, at)
  }

  async close(): Promise<void> {}

  readonly #why = (): Promise<string> => whyNotWritten(this.#on.raw, this.path)

  async #checked(name: string): Promise<string> {
    const at = this.#entry(name)
    if (!this.#justChecked) await this.#check()
    this.#justChecked = false
    return at
  }

  async #check(): Promise<void> {
    const now = await this.#on.realpath(this.path)
    if (now !== this.path) throw moved(this.path, now)
  }

  #hasChecked(): void {
    this.#justChecked = true
    // Whoever does something else first has waited: a change after that asks again.
    setImmediate(() => {
      this.#justChecked = false
    })
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

/** Whether an owner or a group is to be set: they go together in SFTP, so it has to be known what the other is. */
function chowns({ uid, gid }: Attributes): boolean {
  return uid !== undefined || gid !== undefined
}

/** What has to be set on a file that is like this; where that is not known, no owner is to be set. */
function changeOf(
  { mode, uid, gid }: Attributes,
  has: FileStat | undefined,
): { mode?: number; uid?: number; gid?: number } | undefined {
  const owner = has && ((uid ?? has.uid) !== has.uid || (gid ?? has.gid) !== has.gid)
  // A change of owner clears the bits setuid and setgid: so the mode goes with it.
  const change = {
    ...(owner ? { uid: uid ?? has.uid, gid: gid ?? has.gid } : {}),
    ...(mode !== undefined && (owner || mode !== has?.mode) ? { mode } : {}),
  }
  return Object.keys(change).length > 0 ? change : undefined
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
