/// <reference types="node" preserve="true" />
/**
 * The transport to one Linux machine: this one, or one at the far end of a connection. The ledger, its lock and every
 * capability of a Linux host stand on this port, so that they are written once. It offers what SFTP and exec channels
 * can give as well; a caller builds no command line, ever.
 */
import type { Duplex } from 'node:stream'

/** A Linux machine that can be worked on. */
export interface Host {
  /** For people: `this machine`, `pi@kiosk.local`. */
  readonly name: string
  readonly files: HostFiles
  /** Facts that do not change while connected. */
  facts(): Promise<HostFacts>
  /**
   * Runs a program; no shell. Resolves whatever the exit status is.
   * @throws HarmonyError `command-failed` when it cannot be started, `interrupted` when the signal aborts.
   */
  exec(argv: readonly [string, ...string[]], options?: ExecOptions): Promise<ExecResult>
  /** Connects to a unix socket on that machine. */
  dial(socketPath: string): Promise<Duplex>
  /**
   * Takes an exclusive lock that ends with its holder, whatever happens to it: no clock, no expiry.
   * @throws HarmonyError `locked` after `waitMs`, naming the holder.
   */
  lock(path: string, options: LockOptions): Promise<HostLock>
  close(): Promise<void>
}

/** What is known of a host from the start. */
export interface HostFacts {
  /** Numeric user id that works are done as; 0 is root. */
  readonly uid: number
  readonly gid: number
  readonly home: string
  /** Environment variables that decide where things are kept (`XDG_STATE_HOME`, `HARMONY_STATE_DIR`). */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** How a program is run. */
export interface ExecOptions {
  /** Default `/`. */
  readonly cwd?: string | undefined
  /** The whole environment but `PATH`, `HOME`, `USER`, `LANG`, which are set to usual values unless given. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly stdin?: string | Uint8Array | undefined
  /** Then SIGTERM, and SIGKILL 5 s later, to the whole process group. In milliseconds; default none. */
  readonly timeoutMs?: number | undefined
  /** Of each stream the last so many bytes are kept. Default 64 KiB. */
  readonly outputLimit?: number | undefined
  /** Aborting kills the whole process group. */
  readonly signal?: AbortSignal | undefined
  readonly onOutput?: ((stream: 'stdout' | 'stderr', chunk: Uint8Array) => void) | undefined
}

/** How a program ended. */
export interface ExecResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
  /** The tail of each stream. */
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** How many bytes were cut from the front of each. */
  readonly stdoutCut: number
  readonly stderrCut: number
  readonly durationMs: number
}

/** How a lock is asked for. */
export interface LockOptions {
  /** Who holds it, for whoever meets it held: `root@kiosk, harmony apply, pid 4711, since 10:14`. */
  readonly holder: string
  /** In milliseconds. */
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  /** Called once if the lock is held by somebody else. */
  readonly onWait?: ((holder: string) => void) | undefined
}

/** A lock that is held. */
export interface HostLock {
  /** Aborts when the lock is lost (its process was killed, its connection broke). */
  readonly lost: AbortSignal
  /** `removeFile` also unlinks the lock file, when nothing is left to be locked. */
  release(options?: { readonly removeFile?: boolean }): Promise<void>
}

/** What stands at a path; the final link is not followed. */
export interface FileStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  /** In bytes. */
  readonly size: number
  /** Permission bits only: `0o640`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Together they change whenever the thing is replaced or written: compare, do not interpret. */
  readonly inode: string
  /** The file system that it is on. Compare that of directories only: overlays tell another one for files. */
  readonly device: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** What `read` found. */
export interface FoundFile {
  readonly stat: FileStat
  /** Of a regular file that is not larger than asked for. */
  readonly bytes: Uint8Array | undefined
}

/** The POSIX calls that the capabilities need. Errors are those of the system (`ENOSPC`, …), with `syscall` and `path`. */
export interface HostFiles {
  /** `undefined` when nothing is there, also when a parent is missing or is not a directory. */
  lstat(path: string): Promise<FileStat | undefined>
  /** The canonical path, every link followed. */
  realpath(path: string): Promise<string>
  readlink(path: string): Promise<string>
  /** Names, unsorted, without `.` and `..`. */
  readdir(path: string): Promise<readonly string[]>
  /**
   * What is there and, for a regular file of at most `limit` bytes, its content, of one moment: it is read again when
   * it changed meanwhile. Never follows a final link. `undefined` as for `lstat`.
   */
  read(path: string, limit: number): Promise<FoundFile | undefined>
  /**
   * As `read`, at once, for hosts whose small files need no waiting: of thousands, the promises would cost more than the
   * reading. `later` when it cannot be said without waiting; ask `read` then.
   */
  readNow?(path: string, limit: number): FoundFile | undefined | 'later'
  /** The content of a regular file in chunks; never follows a final link. Fails if it changes meanwhile. */
  stream(path: string): AsyncIterable<Uint8Array>
  /**
   * Pins a folder: what is done through the result happens in that very folder, even when its path is replaced by a
   * link at the worst moment. Where the transport cannot promise that (SFTP), it checks just before each call.
   * @throws HarmonyError `plan-stale` when the canonical path is not `expected`.
   */
  pin(folder: string, expected?: string): Promise<PinnedFolder>
}

/** A folder whose entries are changed by name. Each call either is done or throws; nothing is done by halves. */
export interface PinnedFolder {
  /** Canonical. */
  readonly path: string
  lstat(name: string): Promise<FileStat | undefined>
  /** Creates the file anew (an existing one is an error), with mode 0600, writes it whole and syncs it. */
  create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>, attributes: Attributes): Promise<void>
  /**
   * Adds to the end of a file, which is created with mode 0600 if need be, and syncs it. Not atomic among several
   * writers: for files that a lock protects. What could not be added whole is taken away again.
   */
  append(name: string, bytes: Uint8Array): Promise<void>
  mkdir(name: string, attributes: Attributes): Promise<void>
  symlink(target: string, name: string): Promise<void>
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>
  unlink(name: string): Promise<void>
  rmdir(name: string): Promise<void>
  /** Never follows a link; `chown` of a link itself is possible, `chmod` is not. */
  setAttributes(name: string, attributes: Attributes): Promise<void>
  /** Makes the entries durable; concurrent calls share one fsync. */
  sync(): Promise<void>
  /** Sub-folder, pinned likewise; never through a link. */
  pin(name: string): Promise<PinnedFolder>
  close(): Promise<void>
}

/** What is set; what is left out stays as it is. */
export interface Attributes {
  readonly mode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}
