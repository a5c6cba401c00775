/**
 * Changing this machine's files, inside folders that are pinned by an open descriptor. Node has no `openat`;
 * `/proc/self/fd/N/name` is the same thing: the kernel starts at the folder that was opened, wherever its path leads
 * by now. So a folder that is swapped for a link at the worst moment redirects nothing.
 *
 * Pins of one folder share a descriptor, and so their fsync: a thousand files written in parallel cost the folder a
 * few dozen fsyncs and not a thousand.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlink,
} from 'node:fs'
import { promisify } from 'node:util'
import { HarmonyError } from '@harmony-iac/core'
import type { PinnedFolder } from '@harmony-iac/core/host'
import { joinPath } from '../linux/names.ts'
import { hasProc, isErrno, lstatNow } from './local-stat.ts'
import { appendTo, type Call, changeAttributes, createFile, despite } from './local-write.ts'

const fsyncLater = promisify(fsync)
const unlinkLater = promisify(unlink)

/**
 * Told of every system call that changes something, just before and just after: what fault tests hook into. What it
 * throws is thrown by the call.
 */
export type Probe = (call: string, when: 'before' | 'after', path: string) => void

interface Pin {
  readonly fd: number
  readonly path: string
  users: number
  readonly sync: () => Promise<void>
}

const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const procOfSelf = '/proc/self/fd'

/** Hands out pinned folders. */
export function folderPins(probe?: Probe): { pin(folder: string, expected?: string): PinnedFolder } {
  const pins = new Map<string, Pin>()

  function acquire(canonical: string, openAt: string): Pin {
    const known = pins.get(canonical)
    if (known && currentPath(known.fd, canonical) === canonical) {
      known.users++
      return known
    }
    const fd = openSync(openAt, openFolder)
    try {
      const at = currentPath(fd, canonical)
      if (at !== canonical) throw movedFolder(canonical, at)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    const sync = shared(async () => {
      try {
        probe?.('fsync', 'before', canonical)
        await fsyncLater(fd)
        probe?.('fsync', 'after', canonical)
      } catch (error) {
        throw namingPath(error, canonical)
      }
    })
    const made: Pin = { fd, path: canonical, users: 1, sync }
    pins.set(canonical, made)
    return made
  }

  function release(pin: Pin): void {
    if (--pin.users > 0) return
    if (pins.get(pin.path) === pin) pins.delete(pin.path)
    closeSync(pin.fd)
  }

  function handle(pin: Pin): PinnedFolder {
    let closed = false

    /** Works on one entry. Its errors name the real path, not the descriptor's. */
    async function on<T>(name: string, work: (at: string, call: Call) => T | Promise<T>): Promise<T> {
      const real = joinPath(pin.path, name)
      return whileOpen(async () => {
        try {
          return await work(entryPath(pin, name), async (syscall, change) => {
            probe?.(syscall, 'before', real)
            const result = await change()
            probe?.(syscall, 'after', real)
            return result
          })
        } catch (error) {
          throw namingPath(error, real)
        }
      })
    }

    /** The number of a closed descriptor soon stands for another folder: none is closed under a call. */
    async function whileOpen<T>(work: () => Promise<T>): Promise<T> {
      if (closed) throw new HarmonyError('internal', `${pin.path}: this pinned folder was closed`)
      pin.users++
      try {
        return await work()
      } finally {
        release(pin)
      }
    }

    const folder: PinnedFolder = {
      path: pin.path,
      lstat: (name) => on(name, lstatNow),
      create: (name, content, attributes) =>
        on(name, (at, call) => createFile(at, content, attributes, call)),
      async append(name, bytes) {
        if (await on(name, (at, call) => appendTo(at, bytes, call))) await folder.sync()
      },
      mkdir: (name, attributes) =>
        on(name, async (at, call) => {
          await call('mkdir', () => mkdirSync(at, 0o700))
          try {
            await changeAttributes(at, attributes, call)
          } catch (error) {
            despite(() => rmdirSync(at))
            throw error
          }
        }),
      symlink: (target, name) => on(name, (at, call) => call('symlink', () => symlinkSync(target, at))),
      rename: (from, to) =>
        on(to, (there, call) => {
          const here = entryPath(pin, from)
          return call('rename', () => renameSync(here, there))
        }),
      // Through the thread pool: freeing the blocks of a large file takes long.
      unlink: (name) => on(name, (at, call) => call('unlink', () => unlinkLater(at))),
      rmdir: (name) => on(name, (at, call) => call('rmdir', () => rmdirSync(at))),
      setAttributes: (name, attributes) => on(name, (at, call) => changeAttributes(at, attributes, call)),
      sync: () => whileOpen(pin.sync),
      pin: (name) => on(name, (at) => handle(acquire(joinPath(pin.path, name), at))),
      async close() {
        if (!closed) release(pin)
        closed = true
      },
    }
    return folder
  }

  return {
    pin(folder, expected) {
      const canonical = realpathSync.native(folder)
      if (expected !== undefined && canonical !== expected) throw movedFolder(expected, canonical)
      try {
        return handle(acquire(canonical, canonical))
      } catch (error) {
        // A link where the kernel saw a folder a moment ago.
        if (isErrno(error, 'ELOOP') || (isErrno(error, 'ENOTDIR') && lstatNow(canonical)?.type === 'symlink'))
          throw movedFolder(canonical, 'a link')
        throw error
      }
    },
  }
}

/** One run for many: whoever asks while it runs joins the next, since this one may not cover what they did. */
function shared(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const start = () => {
    const started = run().finally(() => {
      if (running === started) running = undefined
    })
    running = started
    return started
  }
  return () => {
    if (!running) return start()
    next ??= running.then(ignore, ignore).then(() => {
      next = undefined
      return start()
    })
    return next
  }
}

function ignore(): void {}

/**
 * Where an open folder is now. Without `/proc` (not Linux, or a bare chroot) the path is compared by inode instead:
 * that leaves a gap of microseconds between check and call, which only `openat` could close.
 */
function currentPath(fd: number, canonical: string): string {
  if (hasProc()) return readlinkSync(`${procOfSelf}/${fd}`)
  const opened = fstatSync(fd, { bigint: true })
  const there = lstatSync(canonical, { bigint: true, throwIfNoEntry: false })
  return there && there.ino === opened.ino && there.dev === opened.dev ? canonical : `${canonical} (replaced)`
}

function entryPath(pin: Pin, name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    throw new HarmonyError(
      'invalid-value',
      `${JSON.stringify(name)} is not the name of an entry in ${pin.path}`,
    )
  if (hasProc()) return `${procOfSelf}/${pin.fd}/${name}`
  const now = currentPath(pin.fd, pin.path)
  if (now !== pin.path) throw movedFolder(pin.path, now)
  return joinPath(pin.path, name)
}

/** The same error of the system with the path that people know, instead of a descriptor's. */
function namingPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const { code, errno, syscall } = error as NodeJS.ErrnoException
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), {
    code,
    errno,
    syscall,
    path,
  })
}

function movedFolder(expected: string, found: string): HarmonyError {
  return new HarmonyError(
    'plan-stale',
    `${expected} is no longer the folder that was observed: it leads to ${found} now`,
    {
      hint: 'find out who moved the folder or put a link in its place, then plan again',
      data: { folder: expected, found },
    },
  )
}
