/**
 * A watch over whatever can tell what has changed since a revision. It pulls: it reads when its consumer asks for more and
 * when it is woken, so a slow consumer costs no memory and gets last values, and a wake-up carries no truth.
 */
import { isHarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import type { Cursor, Entry, Revision, Selection, StoreEvent, WatchOptions } from './store.ts'
import type { Wake } from './wake.ts'

/** What became of a key: its entry, or that it was deleted. */
export type Change = Entry | (Omit<Entry, 'value'> & { readonly value: undefined })

/** What is there at one moment. */
export interface Sight {
  /** Differs when the revisions do not continue those seen before. */
  readonly epoch: string
  /** The newest of all keys, 0 in an empty store. */
  readonly revision: Revision | 0
  /** Deletions up to here may be no longer known. */
  readonly forgotten: Revision | 0
  /** The oldest changes of the selection after the revision that was asked for; empty when there are none. */
  readonly changes: readonly Change[]
}

/** What a watch reads from. */
export interface Source {
  readonly wake: Wake
  /** Ends the watches. */
  readonly closed: AbortSignal
  /** @throws HarmonyError */
  look(selection: Selection, after: Revision | 0): Sight
}

interface Place {
  readonly epoch: string
  readonly revision: Revision | 0
  /** Deletions up to here are of no interest: what they deleted was never told. */
  readonly quiet: Revision | 0
}

/** How long to wait before reading again what could not be read, in milliseconds; the last is for ever. */
const retries = [10, 50, 200, 1000]

/** The watch of {@link Source}, with the contract of `Store`. */
export async function* pullWatch(
  source: Source,
  selection: Selection,
  { after, signal }: WatchOptions,
): AsyncGenerator<StoreEvent, void> {
  const ended = signal ? AbortSignal.any([signal, source.closed]) : source.closed
  let place = after === undefined ? undefined : parse(after)
  let isCurrent = false
  let failures = 0
  while (!ended.aborted) {
    const turn = source.wake.turn
    let sight: Sight
    try {
      sight = source.look(selection, place?.revision ?? 0)
    } catch (error) {
      if (isHarmonyError(error) && error.code === 'store-damaged') throw error
      if (ended.aborted) return
      if (failures === 0) yield { type: 'interrupted', error: toHarmonyError(error) }
      isCurrent = false
      await source.wake.after(turn, ended, retries[Math.min(failures++, retries.length - 1)])
      continue
    }
    failures = 0
    const reason = place && whyNot(place, sight)
    if (reason) yield { type: 'reset', reason }
    if (!place || reason) {
      place = { epoch: sight.epoch, revision: 0, quiet: sight.revision }
      isCurrent = false
      // What was looked at began where the old place was.
      if (reason) continue
    }
    for (const change of sight.changes) {
      if (ended.aborted) return
      place = { ...place, revision: change.revision }
      if (change.value !== undefined || change.revision > place.quiet) yield told(change, place)
    }
    if (sight.changes.length > 0) continue
    place = { ...place, revision: sight.revision }
    if (!isCurrent) yield { type: 'current', cursor: format(place) }
    isCurrent = true
    await source.wake.after(turn, ended)
  }
}

/** Why what is there does not continue what was told. */
function whyNot(place: Place, sight: Sight): 'rewound' | 'forgotten' | undefined {
  if (place.epoch !== sight.epoch || place.revision > sight.revision) return 'rewound'
  return Math.max(place.revision, place.quiet) < sight.forgotten ? 'forgotten' : undefined
}

function told(change: Change, place: Place): StoreEvent {
  const { value, ...rest } = change
  const cursor = format(place)
  return value === undefined
    ? { type: 'delete', ...rest, cursor }
    : { type: 'put', entry: { ...rest, value }, cursor }
}

function format({ epoch, revision }: Place): Cursor {
  return `${epoch}:${revision}`
}

/** A cursor that is none is one of another store: the watch starts anew. */
function parse(cursor: Cursor): Place {
  const [, epoch = '', revision = '0'] = /^(.*):(\d{1,15})$/s.exec(cursor) ?? []
  return { epoch, revision: Number(revision), quiet: 0 }
}
