/**
 * How a store fails. Each code says whether a write was done, because that decides what its caller has to do next:
 * `store-uncertain` maybe, every other certainly not.
 */
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Revision } from './store.ts'

/** Why a store cannot be used now. */
export type Unreachable =
  /** Nobody answers, or the connection was lost before anything was sent. */
  | 'silent'
  /** There is no store at that place. */
  | 'missing'
  /** Others have held it for longer than we wait. */
  | 'locked'
  | 'read-only'
  | 'denied'
  | 'full'
  /** The disk reports errors. */
  | 'failing'
  /** This Node has no SQLite. */
  | 'unsupported'
  /** It has not reached the revision that was asked for. */
  | 'behind'
  /** We have closed it ourselves. */
  | 'closed'

/** Why a store will never be usable as it is. */
export type Damaged =
  /** Its pages or their checksums do not fit. */
  | 'corrupt'
  /** Something else than a store is there. */
  | 'foreign'
  /** It was written by a newer Harmony. */
  | 'newer'

/** Somebody wrote the key since; `actual` is 0 when it is not there, and absent when the store cannot tell. */
export function storeConflict(
  key: string,
  expected: Revision | 0,
  actual: Revision | 0 | undefined,
): HarmonyError {
  const now = actual === undefined ? 'another one now' : actual === 0 ? 'not there' : `at revision ${actual}`
  const asked = expected === 0 ? 'not to be there' : `at revision ${expected}`
  return new HarmonyError('store-conflict', `${key} was expected ${asked} and is ${now}`, {
    hint: 'read it again, and decide anew',
    data: { key, expected, ...(actual !== undefined && { actual }) },
  })
}

/** The write may have been done or not; whoever wrote has to read it back before writing again. */
export function storeUncertain(key: string, cause?: unknown): HarmonyError {
  return new HarmonyError('store-uncertain', `the store has not said whether ${key} was written`, {
    hint: 'read it back and compare before writing again',
    cause,
    data: { key },
  })
}

/** Nothing was read or written. */
export function storeUnreachable(
  reason: Unreachable,
  message: string,
  hint: string,
  cause?: unknown,
): HarmonyError {
  return new HarmonyError('store-unreachable', message, { hint, cause, data: { reason } })
}

/** A value, a key or a prefix that is larger than the store takes. */
export function storeTooLarge(what: string, size: number, limit: number): HarmonyError {
  return new HarmonyError('store-too-large', `${what} has ${size} bytes, and the store takes ${limit}`, {
    hint: 'send it in parts, each under a key of its own',
    data: { size, limit },
  })
}

/** The store was closed by us. */
export function storeClosed(): HarmonyError {
  return storeUnreachable('closed', 'the store is closed', 'open it again')
}

/** A read that was to see a revision has not, although it waited. */
export function storeBehind(key: string, atLeast: Revision): HarmonyError {
  const hint = 'read it again later; if it stays so, the store was restored from a backup'
  return storeUnreachable('behind', `the store has not shown revision ${atLeast} of ${key}`, hint)
}

/** What is there cannot be used as a store, now or later. */
export function storeDamaged(reason: Damaged, message: string, hint: string, cause?: unknown): HarmonyError {
  return new HarmonyError('store-damaged', message, { hint, cause, data: { reason } })
}
