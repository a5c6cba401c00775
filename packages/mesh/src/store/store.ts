/**
 * The port to what a control plane and its agents share: a small key-value store with compare-and-set and watch. The
 * contract is written for the weakest that keeps it, a stream of a NATS server that holds the last message of each
 * subject: no transactions over keys, no history, no snapshot of several keys, reads that may be behind.
 */
import type { HarmonyError } from '@harmony-iac/core/errors'

/** The version of one key: a whole number above 0. */
export type Revision = number

/** What a write expects to find: nothing, exactly this revision, or whatever is there. */
export type Expected = 'absent' | 'any' | Revision

/** Where a watch has come to; opaque, and good for the same {@link Selection} only. Keep it, and hand it back. */
export type Cursor = string

/** A value with what the store knows about it. */
export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  readonly revision: Revision
  /** When it was written, by the store's clock: milliseconds since 1970. */
  readonly time: number
}

/** What the store says of a write that it has done. */
export type Written = Pick<Entry, 'revision' | 'time'>

/** What is watched: one key, or all keys below a prefix of whole segments, which is not one of them itself. */
export type Selection = { readonly key: string } | { readonly below: string }

/** What a watch tells. */
export type StoreEvent =
  /** A key has this value now. Values that were replaced before they were told are left out. */
  | { readonly type: 'put'; readonly entry: Entry; readonly cursor: Cursor }
  | {
      readonly type: 'delete'
      readonly key: string
      readonly revision: Revision
      readonly time: number
      readonly cursor: Cursor
    }
  /** All that the store knew when the watch began, or went on after `interrupted` or `reset`, has been told. */
  | { readonly type: 'current'; readonly cursor: Cursor }
  /** The store cannot be read. The watch tries on by itself, and tells `current` once it has caught up. */
  | { readonly type: 'interrupted'; readonly error: HarmonyError }
  /** What follows does not continue what was told: everything is told anew, and what is not told again is gone. */
  | { readonly type: 'reset'; readonly reason: ResetReason }

/** Why a watch starts anew. */
export type ResetReason =
  /** Deletions since the cursor are no longer known. */
  | 'forgotten'
  /** The store has lost writes that it had acknowledged: it was restored from a backup, or made anew. */
  | 'rewound'

/**
 * A store. What holds for every one:
 *
 * **Keys** are two or more segments of `A-Z a-z 0-9 _ -`, joined by dots: `desired-state.kiosk-1`. The first is the
 * *space*. Keys and prefixes that are none are refused with `invalid-value`, too long ones with `store-too-large`, before
 * anything is sent. **Values** are bytes, none at all included, up to {@link storeLimits}; more is `store-too-large`.
 *
 * **Revisions** rise within a space with every write and every deletion, and are never used again, also not when a
 * deleted key comes back. They have gaps. Those of two spaces have nothing to do with each other, and there is no moment at
 * which two keys can be read together.
 *
 * **Writes** are acknowledged when they are as durable as the store makes them. Of several that expect the same revision
 * one is done; each other is told `store-conflict` with the revision that is there now as `actual` (0: none). A deleted key
 * is `absent`. Deleting `any` succeeds as well when nothing is there.
 * A write that fails was not done, with one exception: `store-uncertain`. Then read the key with `get` before anything
 * else: nothing but its content can tell whether it was done.
 *
 * **Reads** may be behind: `get` and `list` may answer what was replaced a moment ago, even by this very process, and a
 * watch may tell it after `current` only. `get` may be told `atLeast`, a revision that this key has had. It waits for it, not
 * for ever: then `store-unreachable`, reason `behind`.
 *
 * **Watches** tell in the order of revisions, each at most once, and lose none but values that were replaced. Without
 * `after` they begin with all that is there; with it where that cursor was, across restarts of either side. Deletions
 * are told if they come after the start. Nothing is gathered for who does not ask for the next. A watch ends when its
 * signal is aborted or the store is closed, quietly, and fails only with `store-damaged`.
 *
 * **Time** is that of who keeps the store. It may jump, backwards too: the order is in the revisions.
 *
 * Every call ends within a bounded time. Failures are `HarmonyError`s with the codes of `errors.ts`.
 */
export interface Store extends AsyncDisposable {
  get(key: string, options?: { readonly atLeast?: Revision }): Promise<Entry | undefined>
  put(key: string, value: Uint8Array, expected: Expected): Promise<Written>
  delete(key: string, expected: 'any' | Revision): Promise<void>
  /** All entries below a prefix, sorted by key; not of one moment. */
  list(below: string): Promise<readonly Entry[]>
  watch(selection: Selection, options?: WatchOptions): AsyncIterable<StoreEvent>
  /** What the store's clock shows: milliseconds since 1970. */
  now(): Promise<number>
  /** Ends its watches; every later call is `store-unreachable`, reason `closed`. Closing twice is fine. */
  close(): Promise<void>
}

/** How to watch. */
export interface WatchOptions {
  /** Tells what came after it only. */
  readonly after?: Cursor | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * What every store takes, in bytes. The same for all, so that what works with one works with each other; NATS takes
 * messages of 1 MiB unless told otherwise, headers included.
 */
export const storeLimits: { readonly key: number; readonly value: number } = {
  key: 255,
  value: 512 * 1024,
}
