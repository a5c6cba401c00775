/**
 * Creating, extending and re-attributing one file, each whole or not at all. The paths are those of a pinned folder;
 * `call` wraps each system call that changes something, so that faults can be injected there.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  lchownSync,
  openSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { HarmonyError } from '@harmony-iac/core'
import type { Attributes } from '@harmony-iac/core/host'
import { hasProc } from './local-stat.ts'

const fsyncLater = promisify(fsync)
const fdatasyncLater = promisify(fdatasync)
const writeLater = promisify(write)

/** Makes one system call that changes something. */
export type Call = <T>(syscall: string, work: () => T | Promise<T>) => Promise<T>

const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const appending = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW
// Linux's O_PATH, which Node does not name: a handle on the entry itself that needs no permission to read it.
const pathOnly = 0o10000000

// Up to this, a write goes into the kernel's cache faster than a thread could be asked to do it.
const longWrite = 256 * 1024

/** Creates a file that is not there yet: mode 0600 until its content is complete, then as wanted, then synced. */
export async function createFile(
  at: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  attributes: Attributes,
  call: Call,
): Promise<void> {
  const fd = await call('create', () => openSync(at, createNew, 0o600))
  try {
    if (content instanceof Uint8Array) await writeWhole(fd, content, call)
    else for await (const chunk of content) await writeWhole(fd, chunk, call)
    await changeOpened(fd, attributes, call)
    await call('fsync', () => fsyncLater(fd))
  } catch (error) {
    despite(() => unlinkSync(at))
    throw error
  } finally {
    closeSync(fd)
  }
}

/**
 * Adds to the end, durably. What was added in part is cut off again.
 * @returns whether the file had been empty or missing: then its entry in the folder needs an fsync of its own.
 */
export async function appendTo(at: string, bytes: Uint8Array, call: Call): Promise<boolean> {
  const fd = await call('append', () => openSync(at, appending, 0o600))
  try {
    const { size } = fstatSync(fd)
    try {
      await writeWhole(fd, bytes, call)
      await call('fdatasync', () => fdatasyncLater(fd))
    } catch (error) {
      despite(() => ftruncateSync(fd, size))
      throw error
    }
    return size === 0
  } finally {
    closeSync(fd)
  }
}

/** Sets owner, group and mode of what is there, without following a link and without having to read it. */
export async function changeAttributes(at: string, wanted: Attributes, call: Call): Promise<void> {
  if (wanted.mode === undefined && wanted.uid === undefined && wanted.gid === undefined) return
  const viaProc = hasProc()
  const fd = openSync(
    at,
    (viaProc ? pathOnly : constants.O_RDONLY | constants.O_NONBLOCK) | constants.O_NOFOLLOW,
  )
  try {
    const stats = fstatSync(fd)
    if (stats.isSymbolicLink()) {
      if (wanted.mode !== undefined)
        throw new HarmonyError('refused', 'a symbolic link has no mode of its own')
      if (changesOwner(stats, wanted))
        await call('chown', () => lchownSync(at, wanted.uid ?? stats.uid, wanted.gid ?? stats.gid))
    } else if (viaProc) {
      // A descriptor made with O_PATH takes no fchmod, but its own path in /proc leads to exactly that entry.
      const itself = `/proc/self/fd/${fd}`
      if (changesOwner(stats, wanted))
        await call('chown', () => chownSync(itself, wanted.uid ?? stats.uid, wanted.gid ?? stats.gid))
      const { mode } = wanted
      if (mode !== undefined && mode !== (fstatSync(fd).mode & 0o7777))
        await call('chmod', () => chmodSync(itself, mode))
    } else await changeOpened(fd, wanted, call)
  } finally {
    closeSync(fd)
  }
}

/** Owner first: a change of owner clears the bits setuid and setgid. */
async function changeOpened(fd: number, wanted: Attributes, call: Call): Promise<void> {
  const stats = fstatSync(fd)
  if (changesOwner(stats, wanted))
    await call('chown', () => fchownSync(fd, wanted.uid ?? stats.uid, wanted.gid ?? stats.gid))
  const { mode } = wanted
  if (mode !== undefined && mode !== (fstatSync(fd).mode & 0o7777))
    await call('chmod', () => fchmodSync(fd, mode))
}

function changesOwner(has: { uid: number; gid: number }, wanted: Attributes): boolean {
  return (wanted.uid ?? has.uid) !== has.uid || (wanted.gid ?? has.gid) !== has.gid
}

/** Tidies up after an error, which is worth more than whatever goes wrong now. */
export function despite(tidyUp: () => void): void {
  try {
    tidyUp()
  } catch {
    // A file left behind has a name of ours: the next pass removes it.
  }
}

async function writeWhole(fd: number, bytes: Uint8Array, call: Call): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const left = bytes.length - done
    if (left <= longWrite) done += await call('write', () => writeSync(fd, bytes, done, left, null))
    else {
      const { bytesWritten } = await call('write', () => writeLater(fd, bytes, done, left, null))
      done += bytesWritten
    }
  }
}
