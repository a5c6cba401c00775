/**
 * SFTP with promises, in the words of the system's calls. Requests are sent at once and answered in turn, so that a
 * thousand questions cost one round trip when a thousand ask together.
 */
import type { FileStat } from '@harmony-iac/core/host'
import type { Attributes, InputAttributes, SFTPWrapper, Stats } from 'ssh2'
import { type AtMost, atMost } from '../../linux/at-most.ts'
import { splitPath } from '../../linux/names.ts'
import type { Access } from './access.ts'
import type { Connection } from './connection.ts'
import { codeOf, isVague, systemError, whyNotWritten } from './sftp-errors.ts'
import { Syncer } from './sync.ts'

type Done<T> = (error: Error | undefined | null, result: T) => void

/** The calls that files are worked on with. */
export class Sftp {
  readonly raw: SFTPWrapper
  readonly #connection: Connection
  readonly #runs = new Map<string, { readonly running: Promise<void>; readonly next?: Promise<void> }>()

  readonly #syncer: Syncer

  /**
   * Runs work that opens a file and closes it again; so many at a time: OpenSSH's server holds about a thousand open and
   * refuses more.
   */
  readonly opening: AtMost = atMost(500)

  private constructor(access: Access, raw: SFTPWrapper) {
    this.#connection = access.connection
    this.#syncer = new Syncer(access)
    this.raw = raw
  }

  static async open(access: Access): Promise<Sftp> {
    return new Sftp(access, await access.sftp())
  }

  /**
   * Makes the entries of a folder durable, once for many: whoever asks while it runs joins the next, since this one may
   * not cover what they did.
   */
  sync(folder: string): Promise<void> {
    const { running, next } = this.#runs.get(folder) ?? {}
    if (next) return next
    const start = async (): Promise<void> => {
      const started = this.#syncer.sync(folder).finally(() => {
        if (this.#runs.get(folder)?.running === started) this.#runs.delete(folder)
      })
      this.#runs.set(folder, { running: started })
      await started
    }
    if (!running) return start()
    const queued = running.then(start, start)
    this.#runs.set(folder, { running, next: queued })
    return queued
  }

  /**
   * Makes one request. Its errors are those of the system; `vague` finds out what a "failure" was, or what it means that
   * there is "no such file" (OpenSSH says so of a file in the place of a folder as well).
   * The end of the connection ends it too: ssh2 itself calls nobody back then.
   */
  async call<T = void>(
    syscall: string,
    path: string,
    request: (done: Done<T>) => void,
    vague?: (missing: boolean) => Promise<string>,
  ): Promise<T> {
    const { lost } = this.#connection
    lost.throwIfAborted()
    try {
      return await new Promise<T>((resolve, reject) => {
        const onLost = () => reject(this.#connection.failure())
        lost.addEventListener('abort', onLost, { once: true })
        const done: Done<T> = (error, result) => {
          lost.removeEventListener('abort', onLost)
          if (error) reject(error)
          else resolve(result)
        }
        try {
          request(done)
        } catch (error) {
          done(error as Error, undefined as T)
        }
      })
    } catch (error) {
      if (lost.aborted) throw this.#connection.failure()
      const code = codeOf(error)
      if (code && !(code === 'ENOENT' && vague)) throw systemError(code, syscall, path, error)
      if (code || isVague(error))
        throw systemError((await vague?.(code === 'ENOENT')) ?? 'EIO', syscall, path, error)
      // "Server does not support this extended request" is thrown as it is.
      throw systemError('ENOTSUP', syscall, path, error)
    }
  }

  /** `undefined` for nothing: a missing parent, and one that is a file, are nothing too. */
  async lstat(path: string): Promise<FileStat | undefined> {
    try {
      return fileStat(await this.call<Stats>('lstat', path, (done) => this.raw.lstat(path, done as never)))
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
      // A parent that is a file is no more than a "failure".
      if (isCode(error, 'EIO')) return undefined
      throw error
    }
  }

  /** Whether something is there, links followed. */
  async exists(path: string): Promise<boolean> {
    try {
      await this.call<Stats>('stat', path, (done) => this.raw.stat(path, done as never))
      return true
    } catch (error) {
      // As for `lstat`.
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'EIO')) return false
      throw error
    }
  }

  open(path: string, flags: string, mode?: number): Promise<Buffer> {
    return this.call<Buffer>(
      'open',
      path,
      (done) => this.raw.open(path, flags as never, mode === undefined ? {} : { mode }, done as never),
      async (missing) => {
        if (missing) return 'ENOENT'
        return (await this.lstat(path)) ? 'EEXIST' : await whyNotWritten(this.raw, splitPath(path).folder)
      },
    )
  }

  fstat(handle: Buffer, path: string): Promise<FileStat> {
    return this.call<Stats>('fstat', path, (done) => this.raw.fstat(handle, done as never)).then(fileStat)
  }

  /** Fewer bytes than asked for only at the end of the file. */
  async read(handle: Buffer, path: string, into: Buffer, position: number): Promise<number> {
    let length = 0
    while (length < into.length) {
      const n = await this.call<number>('read', path, (done) =>
        this.raw.read(handle, into, length, into.length - length, position + length, (error, bytesRead) => {
          // The end of the file is told as an error without bytes.
          if ((error as { code?: unknown } | undefined)?.code === 1) done(undefined, 0)
          else done(error, bytesRead)
        }),
      )
      if (n === 0) break
      length += n
    }
    return length
  }

  write(
    handle: Buffer,
    path: string,
    bytes: Uint8Array,
    position: number,
    vague: () => Promise<string>,
  ): Promise<void> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.call(
      'write',
      path,
      (done) => this.raw.write(handle, buffer, 0, buffer.length, position, done as never),
      vague,
    )
  }

  fsetstat(handle: Buffer, path: string, attributes: InputAttributes): Promise<void> {
    return this.call('fsetstat', path, (done) => this.raw.fsetstat(handle, attributes, done as never))
  }

  /** Waits for the disk; where the server cannot, what was written is there as safely as it makes it. */
  async fsync(handle: Buffer, path: string, vague: () => Promise<string>): Promise<void> {
    try {
      await this.call('fsync', path, (done) => this.raw.ext_openssh_fsync(handle, done as never), vague)
    } catch (error) {
      if (!isCode(error, 'ENOTSUP')) throw error
    }
  }

  close(handle: Buffer, path: string): Promise<void> {
    return this.call('close', path, (done) => this.raw.close(handle, done as never))
  }

  realpath(path: string): Promise<string> {
    return this.call<string>(
      'realpath',
      path,
      (done) => this.raw.realpath(path, done as never),
      async () => ((await this.lstat(path)) ? 'ELOOP' : 'ENOENT'),
    )
  }
}

/** Whether an error is one of these of the system. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** The file types of POSIX, by the bits of a mode that tell them. */
const kinds: ReadonlyMap<number, FileStat['type']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
])

/** SFTP knows seconds only, and neither the inode nor when it was changed: what tells things apart is weaker here. */
function fileStat({ mode, size, uid, gid, mtime }: Attributes): FileStat {
  const time = BigInt(mtime ?? 0) * 1_000_000_000n
  return {
    type: kinds.get(mode & 0o170000) ?? 'other',
    size,
    mode: mode & 0o7777,
    uid,
    gid,
    inode: '',
    device: 0n,
    mtimeNs: time,
    ctimeNs: time,
  }
}
