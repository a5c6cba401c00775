/**
 * Requests about files, to as few servers as will do. Looks and reads that are asked for together go together: a thousand
 * of them cost a few programs in the container, not a thousand.
 */
import type { FileStat } from '@harmony-iac/core/host'
import type { Sessions } from '../sessions.ts'
import { type Answer, FileServer, type Request } from './server.ts'
import { complaintError, errnoOf } from './system-error.ts'

// A shell does one thing at a time. Each of these is a process in the container.
const serversAtMost = 4
const pathsAtOnce = 256
const bytesAtOnce = 4 << 20

type Found = FileStat | undefined | Error

/** What one container is asked about its files. */
export class FileRequests {
  readonly sessions: Sessions
  readonly #servers: (FileServer | Promise<FileServer>)[] = []
  readonly #looks = new Map<string, PromiseWithResolvers<Found>>()
  #reads: { readonly path: string; readonly stat: FileStat; resolve(bytes: Uint8Array | undefined): void }[] =
    []
  readonly #syncs = new Map<string, { readonly running: Promise<void>; readonly next?: Promise<void> }>()

  constructor(sessions: Sessions) {
    this.sessions = sessions
  }

  /** Asks; a status other than 0 is the error of `syscall`. */
  async ask(request: Request, syscall: string, path: string): Promise<Buffer> {
    const [answer] = await this.answers(request)
    if (answer?.status === 0) return answer.bytes
    throw complaintError(String(answer?.bytes), syscall, path)
  }

  async answers(request: Request): Promise<readonly Answer[]> {
    return await (await this.#server()).ask(request)
  }

  /** `undefined` for nothing: a missing parent, and one that is a file, are nothing too. */
  async lstat(path: string): Promise<FileStat | undefined> {
    if (this.#looks.size === 0) queueMicrotask(() => void this.#lookAtAll())
    let asked = this.#looks.get(path)
    if (!asked) {
      asked = Promise.withResolvers()
      this.#looks.set(path, asked)
    }
    const found = await asked.promise
    if (found instanceof Error) throw found
    return found
  }

  /** The content of a file that was seen as `stat`; `undefined` when it is another by now. */
  content(path: string, stat: FileStat): Promise<Uint8Array | undefined> {
    if (this.#reads.length === 0) queueMicrotask(() => void this.#readAll())
    return new Promise((resolve) => this.#reads.push({ path, stat, resolve }))
  }

  /**
   * Makes the entries of a folder durable, once for many: whoever asks while it runs joins the next, since this one may
   * not cover what they did.
   */
  sync(folder: string): Promise<void> {
    const { running, next } = this.#syncs.get(folder) ?? {}
    if (next) return next
    const start = async (): Promise<void> => {
      const started = this.ask({ verb: 'sync', words: [folder] }, 'fsync', folder)
        .then(() => {})
        .finally(() => {
          if (this.#syncs.get(folder)?.running === started) this.#syncs.delete(folder)
        })
      this.#syncs.set(folder, { running: started })
      await started
    }
    if (!running) return start()
    const queued = running.then(start, start)
    this.#syncs.set(folder, { running, next: queued })
    return queued
  }

  /** The one with the least to do; another one while there are few and all are busy. */
  async #server(): Promise<FileServer> {
    const running = this.#servers.filter((each) => each instanceof FileServer && !each.ended) as FileServer[]
    const idle = running.find(({ load }) => load === 0)
    if (idle) return idle
    const starting = this.#servers.filter((each) => each instanceof Promise)
    if (running.length + starting.length < serversAtMost) {
      const start = FileServer.start(this.sessions)
      this.#servers.push(start)
      const replace = (by: readonly FileServer[]) => {
        void this.#servers.splice(this.#servers.indexOf(start), 1, ...by)
      }
      start.then(
        (server) => replace([server]),
        () => replace([]),
      )
      // Whoever comes while it starts is served by those that run.
      if (running.length === 0) return await start
      start.catch(() => {}) // told to the next who has to wait for one
    } else if (running.length === 0) return await (starting[0] as Promise<FileServer>)
    return running.reduce((best, each) => (each.load < best.load ? each : best))
  }

  async #lookAtAll(): Promise<void> {
    const all = [...this.#looks]
    this.#looks.clear()
    await Promise.all(
      chunksOf(all, ([path]) => (path.includes('\n') ? Number.POSITIVE_INFINITY : 1), pathsAtOnce).map(
        async (some) => {
          try {
            const found = await this.#look(some.map(([path]) => path))
            for (const [path, { resolve }] of some) resolve(found.get(path))
          } catch (error) {
            for (const [, { reject }] of some) reject(error)
          }
        },
      ),
    )
  }

  async #look(paths: readonly string[]): Promise<ReadonlyMap<string, Found>> {
    const words = [paths.length, ...paths]
    const [answer] = await this.answers({ verb: 'look', words })
    const text = String(answer?.bytes)
    const found = new Map<string, Found>()
    const [only] = paths
    if (paths.length === 1 && only !== undefined) {
      const stat = parseLook(text)?.stat
      const code = stat ? undefined : errnoOf(text)
      const isNothing = code === undefined || code === 'ENOENT' || code === 'ENOTDIR'
      return found.set(only, stat ?? (isNothing ? undefined : complaintError(text, 'lstat', only)))
    }
    for (const line of text.split('\n')) {
      const look = parseLook(line)
      if (look) found.set(look.path, look.stat)
    }
    const others = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('=') && !/no such file|not a directory/i.test(line))
    // Which path a complaint is about is not to be read from its text.
    if (others.length > 0)
      for (const path of paths)
        if (!found.has(path)) for (const [key, value] of await this.#look([path])) found.set(key, value)
    return found
  }

  async #readAll(): Promise<void> {
    const all = this.#reads
    this.#reads = []
    const weight = bytesAtOnce / pathsAtOnce
    await Promise.all(
      chunksOf(
        all,
        ({ path, stat }) => (path.includes('\n') ? Number.POSITIVE_INFINITY : Math.max(weight, stat.size)),
        bytesAtOnce,
      ).map(async (some) => {
        const contents = await this.#readTogether(some)
        for (const [i, { path, stat, resolve }] of some.entries())
          if (contents) resolve(contents[i])
          else {
            // One of them has changed: each is read by itself, which tells which.
            const [own] = some.length > 1 ? ((await this.#readTogether([{ path, stat }])) ?? []) : []
            resolve(own)
          }
      }),
    )
  }

  /** One after the other in one answer, taken apart by their sizes; `undefined` unless all are as they were seen. */
  async #readTogether(
    files: readonly { readonly path: string; readonly stat: FileStat }[],
  ): Promise<readonly Uint8Array[] | undefined> {
    const words = [files.length, ...files.map(({ path }) => path)]
    const answers = await this.answers({ verb: 'content', words, parts: 2 }).catch(() => undefined)
    const [content, looks] = answers ?? []
    const size = files.reduce((sum, { stat }) => sum + stat.size, 0)
    if (content?.status !== 0 || looks?.status !== 0 || content.bytes.length !== size) return undefined
    const now = files.length === 1 ? [String(looks.bytes)] : String(looks.bytes).split('\n')
    let at = 0
    const found: Uint8Array[] = []
    for (const [i, { stat }] of files.entries()) {
      const look = parseLook(now[i] ?? '')
      if (!look || !isSameMoment(look.stat, stat)) return undefined
      found.push(new Uint8Array(content.bytes.subarray(at, at + stat.size)))
      at += stat.size
    }
    return found
  }
}

/** Whether nothing has happened to a file between two looks. */
export function isSameMoment(a: FileStat, b: FileStat): boolean {
  return (
    a.inode === b.inode &&
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.size === b.size &&
    a.type === b.type
  )
}

const kinds: ReadonlyMap<number, FileStat['type']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
])

/** A line of `stat -c`, as the script asks for it: seconds, and their fractions from the dates where those have any. */
export function parseLook(line: string): { readonly path: string; readonly stat: FileStat } | undefined {
  if (!line.startsWith('=')) return undefined
  const [numbers = '', modified = '', changed = '', ...name] = line.slice(1).replace(/\n$/, '').split('|')
  const [rawMode = '', size, uid, gid, inode = '', device = '0', mtime = '0', ctime = '0'] =
    numbers.split(' ')
  if (name.length === 0) return undefined
  const mode = Number.parseInt(rawMode, 16)
  const nanoseconds = (seconds: string, date: string) =>
    BigInt(seconds) * 1_000_000_000n + BigInt(/\.(\d{1,9})/.exec(date)?.[1]?.padEnd(9, '0') ?? 0)
  return {
    path: name.join('|'),
    stat: {
      type: kinds.get(mode & 0o170000) ?? 'other',
      size: Number(size),
      mode: mode & 0o7777,
      uid: Number(uid),
      gid: Number(gid),
      inode,
      device: BigInt(device),
      mtimeNs: nanoseconds(mtime, modified),
      ctimeNs: nanoseconds(ctime, changed),
    },
  }
}

/** Neighbours together, up to a weight; what weighs more stands alone. */
function chunksOf<T>(items: readonly T[], weigh: (item: T) => number, limit: number): readonly T[][] {
  const chunks: T[][] = []
  let left = 0
  for (const item of items) {
    const weight = weigh(item)
    if (weight > left) {
      chunks.push([item])
      left = limit - weight
    } else {
      chunks.at(-1)?.push(item)
      left -= weight
    }
  }
  return chunks
}
