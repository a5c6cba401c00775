/**
 * A store that does on demand what a store over a network does by itself: answers late, never, or twice; is behind; is
 * cut off. All of it is within the contract of `Store`, except {@link StoreFaults.repeat}, which only a broken or
 * hostile store does.
 */
import type { HarmonyError } from '@harmony-iac/core/errors'
import { storeClosed, storeUncertain, storeUnreachable } from './errors.ts'
import { demandSelection } from './keys.ts'
import { listByWatch } from './list.ts'
import type { Cursor, Entry, Selection, Store, StoreEvent } from './store.ts'
import { Wake } from './wake.ts'

/** What becomes of a write whose answer is lost. */
export type LostAnswer = 'stored' | 'not stored'

/** The faults of one client of a store. */
export class StoreFaults {
  readonly wake: Wake = new Wake()
  #lost: LostAnswer[] = []
  #stale = new Map<string, Entry | undefined>()
  #cut: HarmonyError | undefined
  #held = false
  #copies = 1

  /** The answers of the next writes are lost: they fail with `store-uncertain`. */
  loseAnswers(...lost: readonly LostAnswer[]): void {
    this.#lost.push(...lost)
  }

  /** The next read of the key, unless told `atLeast`, answers this: what was there before. */
  staleRead(key: string, entry: Entry | undefined): void {
    this.#stale.set(key, entry)
  }

  /** No read is stale any more. */
  catchUp(): void {
    this.#stale.clear()
  }

  /** Until {@link restore}, every call is `store-unreachable` and watches are interrupted. */
  cut(): void {
    this.#cut = storeUnreachable('silent', 'the store does not answer (simulated)', 'restore it')
    this.wake.ring()
  }

  restore(): void {
    this.#cut = undefined
    this.wake.ring()
  }

  /** Until {@link release}, watches tell nothing. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.wake.ring()
  }

  /** Tells every event of a watch so many times, against the contract. */
  repeat(copies: number): void {
    this.#copies = copies
  }

  get held(): boolean {
    return this.#held
  }

  get copies(): number {
    return this.#copies
  }

  get isCut(): HarmonyError | undefined {
    return this.#cut
  }

  takeLost(): LostAnswer | undefined {
    return this.#lost.shift()
  }

  takeStale(key: string): { readonly entry: Entry | undefined } | undefined {
    if (!this.#stale.has(key)) return undefined
    const entry = this.#stale.get(key)
    this.#stale.delete(key)
    return { entry }
  }
}

/** A store behind faults; without any it is that store. */
export function faultyStore(store: Store, faults: StoreFaults): Store {
  const closed = new AbortController()
  const reach = () => {
    if (faults.isCut) throw faults.isCut
  }
  const write = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    reach()
    const lost = faults.takeLost()
    if (lost === 'not stored') throw storeUncertain(key)
    const written = await work()
    if (lost === 'stored') throw storeUncertain(key)
    return written
  }
  const faulty: Store = {
    get: async (key, options) => {
      reach()
      const stale = options?.atLeast === undefined ? faults.takeStale(key) : undefined
      return stale ? stale.entry : store.get(key, options)
    },
    put: (key, value, expected) => write(key, () => store.put(key, value, expected)),
    delete: (key, expected) => write(key, () => store.delete(key, expected)),
    list: async (below) => {
      reach()
      return listByWatch(faulty, below)
    },
    watch: (selection, { after, signal = closed.signal } = {}) => {
      demandSelection(selection)
      if (closed.signal.aborted) throw storeClosed()
      return faultyWatch(store, faults, selection, {
        after,
        signal: AbortSignal.any([signal, closed.signal]),
      })
    },
    now: async () => {
      reach()
      return store.now()
    },
    close: async () => {
      closed.abort()
      await store.close()
    },
    [Symbol.asyncDispose]: () => faulty.close(),
  }
  return faulty
}

/** Cut off, it ends the watch beneath and begins another where it was: as one does who has lost a connection. */
async function* faultyWatch(
  store: Store,
  faults: StoreFaults,
  selection: Selection,
  { after, signal }: { readonly after?: Cursor | undefined; readonly signal: AbortSignal },
): AsyncGenerator<StoreEvent, void> {
  let cursor = after
  while (!signal.aborted) {
    const cutOff = faults.isCut
    if (cutOff) {
      yield { type: 'interrupted', error: cutOff }
      for (let turn = faults.wake.turn; faults.isCut && !signal.aborted; turn = faults.wake.turn)
        await faults.wake.after(turn, signal)
      continue
    }
    const connection = new AbortController()
    const beneath = store.watch(selection, {
      after: cursor,
      signal: AbortSignal.any([signal, connection.signal]),
    })
    try {
      for await (const event of untilCut(beneath, faults, signal)) {
        if ('cursor' in event) cursor = event.cursor
        for (let copy = 0; copy < faults.copies; copy++) yield event
      }
    } finally {
      connection.abort()
    }
    if (!faults.isCut) return
  }
}

/** The events, while they are not held back; ends when cut off. */
async function* untilCut(
  events: AsyncIterable<StoreEvent>,
  faults: StoreFaults,
  signal: AbortSignal,
): AsyncGenerator<StoreEvent, void> {
  const iterator = events[Symbol.asyncIterator]()
  let next = iterator.next()
  // Whoever asks for it sees how it ends; when nobody does any more, nobody need know.
  next.catch(() => {})
  while (!signal.aborted && !faults.isCut) {
    const { turn } = faults.wake
    const rung = faults.wake.after(turn, signal).then(() => undefined)
    const come = faults.held ? await rung : await Promise.race([next, rung])
    if (come === undefined || faults.isCut || faults.held) continue
    if (come.done) return
    next = iterator.next()
    next.catch(() => {})
    yield come.value
  }
}
