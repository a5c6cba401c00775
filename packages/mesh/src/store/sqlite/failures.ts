/** What SQLite and the system say when they fail, in the words of a store. */
import { type HarmonyError, isHarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import { type Damaged, storeDamaged, storeUncertain, storeUnreachable, type Unreachable } from '../errors.ts'

type Reason = Extract<
  Unreachable | Damaged,
  'missing' | 'locked' | 'read-only' | 'denied' | 'full' | 'failing' | 'unsupported' | 'corrupt' | 'foreign'
>

/** By primary result code (https://sqlite.org/rescode.html); extended ones have it in their low byte. */
const ofSqlite: Readonly<Record<number, Reason>> = {
  3: 'denied',
  5: 'locked',
  6: 'locked',
  8: 'read-only',
  10: 'failing',
  11: 'corrupt',
  13: 'full',
  // The file is there, or we would have said so: one beside it cannot be made.
  14: 'denied',
  23: 'denied',
  26: 'foreign',
}

const ofSystem: Readonly<Record<string, Reason>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'read-only',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EIO: 'failing',
  ERR_UNKNOWN_BUILTIN_MODULE: 'unsupported',
}

const texts: Readonly<Record<Reason, readonly [what: string, hint: string]>> = {
  missing: ['is not there', 'start the agent that keeps it, or restore it'],
  locked: ['is held by another process', 'find who holds it (lsof), or wait longer'],
  'read-only': [
    'cannot be written',
    'allow this user to write the file and its folder, or remount it read-write',
  ],
  denied: [
    'may not be opened',
    'run as the user who owns it; its folder must be writable, for the files beside it',
  ],
  full: ['has no room', 'free some space; nothing was written'],
  failing: ['is on a disk that reports errors', 'look at the messages of the kernel, and at the disk'],
  unsupported: [`needs SQLite, which Node ${process.version} lacks`, 'use Node 22.13 or newer'],
  corrupt: ['is damaged', 'restore it from a backup, without its -wal and -shm'],
  foreign: ['is not a store', 'name another file'],
}

/** The failure as one of a store: nothing was written. */
export function failureOf(error: unknown, path: string): HarmonyError {
  if (isHarmonyError(error)) return error
  const reason = reasonOf(error)
  if (!reason) return toHarmonyError(error)
  const [what, hint] = texts[reason]
  return reason === 'corrupt' || reason === 'foreign'
    ? storeDamaged(reason, `${path} ${what}`, hint, error)
    : storeUnreachable(reason, `${path} ${what}`, hint, error)
}

/** There is no file. */
export function missing(path: string): HarmonyError {
  const [what, hint] = texts.missing
  return storeUnreachable('missing', `${path} ${what}`, hint)
}

/**
 * A commit that failed. Who is refused a lock or has no room has written nothing that counts; after any other error the
 * last frame of the log may have reached the disk, and whoever opens it next may find it.
 */
export function failureOfCommit(error: unknown, path: string, key: string): HarmonyError {
  const reason = reasonOf(error)
  return reason === 'locked' || reason === 'full' ? failureOf(error, path) : storeUncertain(key, error)
}

/** Whether waiting may help. */
export function isLocked(error: unknown): boolean {
  return isHarmonyError(error) && error.code === 'store-unreachable' && error.data.reason === 'locked'
}

function reasonOf(error: unknown): Reason | undefined {
  const { errcode, code } = (error ?? {}) as { readonly errcode?: unknown; readonly code?: unknown }
  return typeof errcode === 'number' ? ofSqlite[errcode & 0xff] : ofSystem[String(code)]
}
