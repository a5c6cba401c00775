/** A store in the memory of one process: for tests, simulations, and whatever need not outlive the process. */
import { randomUUID } from 'node:crypto'
import { storeBehind, storeClosed, storeConflict } from './errors.ts'
import { demandKey, demandPrefix, demandSelection, demandValue, rangeOf } from './keys.ts'
import { listByWatch } from './list.ts'
import { type Change, pullWatch, type Sight, type Source } from './pull.ts'
import type {
  Entry,
  Expected,
  Revision,
  Selection,
  Store,
  StoreEvent,
  WatchOptions,
  Written,
} from './store.ts'
import { Wake } from './wake.ts'

/** How a store in memory behaves. */
export interface MemoryOptions {
  /** Milliseconds since 1970; the system's clock by default. */
  readonly clock?: () => number
  /** How many deletions are remembered. Default: 10,000. */
  readonly remembered?: number
}

/** How many changes a watch takes at a time: their values are copies. */
const atOnce = 64

/** What a store in memory holds; any number of clients may be opened on it. */
export class MemoryContents {
  readonly wake: Wake = new Wake()
  readonly clock: () => number
  readonly #remembered: number
  #epoch: string = randomUUID()
  #revision: Revision | 0 = 0
  #forgotten: Revision | 0 = 0
  /** In the order of revisions: what is written moves to the end. */
  #changes = new Map<string, Change>()

  constructor({ clock = Date.now, remembered = 10_000 }: MemoryOptions = {}) {
    this.clock = clock
    this.#remembered = remembered
  }

  read(key: string): Change | undefined {
    return this.#changes.get(key)
  }

  /** The newest revision that is known to be reflected in what {@link read} says of a key. */
  seen(key: string): Revision | 0 {
    return this.#changes.get(key)?.revision ?? this.#forgotten
  }

  look(selection: Selection, after: Revision | 0): Sight {
    const [from, to] = rangeOf(selection)
    const changes: Change[] = []
    for (const change of this.#changes.values()) {
      if (change.revision > after && change.key >= from && change.key < to) changes.push(copy(change))
      if (changes.length === atOnce) break
    }
    return { epoch: this.#epoch, revision: this.#revision, forgotten: this.#forgotten, changes }
  }

  /** @throws HarmonyError `store-conflict` */
  write(key: string, value: Uint8Array | undefined, expected: Expected): Written {
    const there = this.#changes.get(key)
    const actual = there?.value === undefined ? 0 : there.revision
    const wanted = expected === 'absent' ? 0 : expected
    if (wanted !== 'any' && wanted !== actual) throw storeConflict(key, wanted, actual)
    const written = { revision: ++this.#revision, time: this.clock() }
    this.#changes.delete(key)
    this.#changes.set(key, { key, value: value?.slice(), ...written })
    if (value === undefined) this.#forget()
    this.wake.ring()
    return written
  }

  /** Keeps what is there now; calling what it returns puts it back, as from a backup, with all that came after it lost. */
  backup(): () => void {
    const kept = {
      changes: new Map(this.#changes),
      revision: this.#revision,
      forgotten: this.#forgotten,
    }
    return () => {
      this.#changes = new Map(kept.changes)
      this.#revision = kept.revision
      this.#forgotten = kept.forgotten
      this.#epoch = randomUUID()
      this.wake.ring()
    }
  }

  #forget(): void {
    const deleted = [...this.#changes.values()].filter(({ value }) => value === undefined)
    for (const { key, revision } of deleted.slice(0, Math.max(0, deleted.length - this.#remembered))) {
      this.#changes.delete(key)
      this.#forgotten = revision
    }
  }
}

/**
 * Opens a store in memory.
 *
 * @param contents What several clients share; by default each has its own.
 * @example
 * const contents = new MemoryContents()
 * const [agent, operator] = [memoryStore(contents), memoryStore(contents)]
 */
export function memoryStore(contents: MemoryContents = new MemoryContents()): Store {
  return new MemoryStore(contents)
}

class MemoryStore implements Store {
  readonly #contents: MemoryContents
  readonly #closed = new AbortController()
  readonly #source: Source

  constructor(contents: MemoryContents) {
    this.#contents = contents
    const look = contents.look.bind(contents)
    this.#source = { wake: contents.wake, closed: this.#closed.signal, look }
  }

  async get(key: string, { atLeast = 0 }: { readonly atLeast?: Revision } = {}): Promise<Entry | undefined> {
    demandKey(key)
    this.#demandOpen()
    const change = this.#contents.read(key)
    // Never behind by itself: what is not there yet was never written, or was lost.
    if (atLeast > this.#contents.seen(key)) throw storeBehind(key, atLeast)
    return change && isEntry(change) ? copy(change) : undefined
  }

  async put(key: string, value: Uint8Array, expected: Expected): Promise<Written> {
    demandKey(key)
    demandValue(key, value)
    this.#demandOpen()
    return this.#contents.write(key, value, expected)
  }

  async delete(key: string, expected: 'any' | Revision): Promise<void> {
    demandKey(key)
    this.#demandOpen()
    if (expected === 'any' && this.#contents.read(key)?.value === undefined) return
    this.#contents.write(key, undefined, expected)
  }

  async list(below: string): Promise<readonly Entry[]> {
    demandPrefix(below)
    return listByWatch(this, below)
  }

  watch(selection: Selection, options: WatchOptions = {}): AsyncIterable<StoreEvent> {
    demandSelection(selection)
    this.#demandOpen()
    return pullWatch(this.#source, selection, options)
  }

  async now(): Promise<number> {
    this.#demandOpen()
    return this.#contents.clock()
  }

  async close(): Promise<void> {
    this.#closed.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #demandOpen(): void {
    if (this.#closed.signal.aborted) throw storeClosed()
  }
}

function isEntry(change: Change): change is Entry {
  return change.value !== undefined
}

/** What is handed out is not what is kept: whoever writes into it changes nothing here. */
function copy<C extends Change>(change: C): C {
  return { ...change, value: change.value?.slice() }
}
