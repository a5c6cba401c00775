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
import { hasProc, isErrno, lstatNow } from './local-stat.ts'
import { appendTo, changeAttributes, createFile } from './local-write.ts'

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
  running: Promise<void> | undefined
  next: Promise<void> | undefined
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
    const made: Pin = { fd, path: canonical, users: 1, running: undefined, next: undefined }
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
    const inside = (name: string) => entryPath(pin, name)

    /** Runs one system call between the probe's two looks; its errors name the real path. */
    async function call<T>(syscall: string, name: string, work: () => T | Promise<T>): Promise<Awaited<T>> {
      const real = join(pin.path, name)
      try {
        probe?.(syscall, 'before', real)
        const result = await work()
        probe?.(syscall, 'after', real)
        return result
      } catch (error) {
        throw namingPath(error, real)
      }
    }

    const folder: PinnedFolder = {
      path: pin.path,
      async lstat(name) {
        try {
          return lstatNow(inside(name))
        } catch (error) {
          throw namingPath(error, join(pin.path, name))
        }
      },
      async create(name, content, attributes) {
        await createFile(inside(name), content, attributes, (syscall, work) => call(syscall, name, work))
      },
      async append(name, bytes) {
        const grewFromNothing = await appendTo(inside(name), bytes, (syscall, work) =>
          call(syscall, name, work),
        )
        if (grewFromNothing) await folder.sync()
      },
      async mkdir(name, attributes) {
        const at = inside(name)
        await call('mkdir', name, () => mkdirSync(at, 0o700))
        try {
          await folder.setAttributes(name, attributes)
        } catch (error) {
          rmdirSync(at)
          throw error
        }
      },
      async symlink(target, name) {
        const at = inside(name)
        await call('symlink', name, () => symlinkSync(target, at))
      },
      async rename(from, to) {
        const [here, there] = [inside(from), inside(to)]
        await call('rename', to, () => renameSync(here, there))
      },
      async unlink(name) {
        const at = inside(name)
        // Through the thread pool: freeing the blocks of a large file takes long.
        await call('unlink', name, () => unlinkLater(at))
      },
      async rmdir(name) {
        const at = inside(name)
        await call('rmdir', name, () => rmdirSync(at))
      },
      async setAttributes(name, attributes) {
        await changeAttributes(inside(name), attributes, (syscall, work) => call(syscall, name, work))
      },
      sync() {
        return sync(pin, () => call('fsync', '', () => fsyncLater(pin.fd)))
      },
      async pin(name) {
        try {
          return handle(acquire(join(pin.path, name), inside(name)))
        } catch (error) {
          throw namingPath(error, join(pin.path, name))
        }
      },
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

/**
 * Whoever comes while an fsync runs joins the next one: the running one may have begun before their entry was made.
 */
function sync(pin: Pin, fsyncNow: () => Promise<void>): Promise<void> {
  const start = () => {
    const run = fsyncNow().finally(() => {
      if (pin.running === run) pin.running = undefined
    })
    pin.running = run
    return run
  }
  if (!pin.running) return start()
  pin.next ??= pin.running.then(ignore, ignore).then(() => {
    pin.next = undefined
    return start()
  })
  return pin.next
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
  return join(pin.path, name)
}

/** The same error of the system with the path that people know, instead of a descriptor's. */
function namingPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const { code, errno, syscall } = error as NodeJS.ErrnoException
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`, { cause: undefined }), {
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

function join(folder: string, name: string): string {
  return name === '' ? folder : folder === '/' ? `/${name}` : `${folder}/${name}`
}
