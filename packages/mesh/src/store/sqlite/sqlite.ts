/** A store in a file, for all processes of one machine that may open it. No server. */
import { isHarmonyError } from '@harmony-iac/core/errors'
import { storeBehind, storeClosed, storeConflict } from '../errors.ts'
import { demandKey, demandPrefix, demandSelection, demandValue, rangeOf } from '../keys.ts'
import { listByWatch } from '../list.ts'
import { type Change, pullWatch, type Sight, type Source } from '../pull.ts'
import type {
  Entry,
  Expected,
  Revision,
  Selection,
  Store,
  StoreEvent,
  WatchOptions,
  Written,
} from '../store.ts'
import { Wake } from '../wake.ts'
import { type Database, fileAt, openDatabase } from './database.ts'
import { failureOf, failureOfCommit } from './failures.ts'
import { Notice } from './notice.ts'
import { patiently } from './patiently.ts'
import { type Statements, statements } from './statements.ts'

/** How a file is opened. */
export interface SqliteOptions {
  /** Whether to make the file when it is not there. Default: no. */
  readonly create?: boolean
  /** How long to wait for others who hold it, in milliseconds. Default: 5,000. */
  readonly waitMs?: number
  /** Milliseconds since 1970; the system's clock by default. */
  readonly clock?: () => number
  /** How many deletions are remembered at least. Default: 10,000. */
  readonly remembered?: number
}

/** How many changes a watch reads at a time. */
const atOnce = 16
/** Old deletions are forgotten when a revision is a multiple of this, so that not every write counts them. */
const forgetEvery = 64

/**
 * Opens a store in a file. Its folder must be there. Mode 0600; SQLite keeps two files beside it, `-wal` and `-shm`.
 *
 * @throws HarmonyError `store-unreachable` when it is missing, held, read-only or denied; `store-damaged` when it is
 * corrupt, no store, or of a newer version.
 * @example
 * await using store = await openSqliteStore('/var/lib/harmony/store.db', { create: true })
 * await store.put('desired-state.kiosk-1', bytes, 'absent')
 */
export async function openSqliteStore(path: string, options: SqliteOptions = {}): Promise<Store> {
  const { create = false, waitMs = 5_000, clock = Date.now, remembered = 10_000 } = options
  let sqlite: typeof import('node:sqlite')
  try {
    sqlite = await import('node:sqlite')
  } catch (error) {
    throw failureOf(error, path)
  }
  const open = (isNew: boolean) => openDatabase(sqlite, path, isNew)
  const database = await patiently(waitMs, new AbortController().signal, () => open(create))
  return new SqliteStore({ path, waitMs, clock, remembered, open: () => open(false) }, database)
}

interface Settings {
  readonly path: string
  readonly waitMs: number
  readonly clock: () => number
  readonly remembered: number
  readonly open: () => Database
}

class SqliteStore implements Store {
  readonly #settings: Settings
  readonly #closed = new AbortController()
  readonly #wake = new Wake()
  readonly #notice: Notice
  readonly #source: Source
  #database: Database
  #statements: Statements
  /** What SQLite counts up when another connection commits. */
  #dataVersion: unknown

  constructor(settings: Settings, database: Database) {
    this.#settings = settings
    this.#database = database
    this.#statements = statements(database.db)
    this.#notice = new Notice(settings.path, () => this.#ask())
    this.#source = { wake: this.#wake, closed: this.#closed.signal, look: (...of) => this.#look(...of) }
  }

  async get(key: string, { atLeast = 0 }: { readonly atLeast?: Revision } = {}): Promise<Entry | undefined> {
    demandKey(key)
    return await this.#patiently(() => {
      const change = this.#ready().entry.get(key) as Change | undefined
      // Never behind by itself: what is not there yet was never written, or was lost.
      if (atLeast > (change?.revision ?? this.#state().forgotten)) throw storeBehind(key, atLeast)
      return change && isEntry(change) ? { ...change } : undefined
    })
  }

  async put(key: string, value: Uint8Array, expected: Expected): Promise<Written> {
    demandKey(key)
    demandValue(key, value)
    // The caller may use its buffer for something else while we wait for a lock.
    const kept = value.slice()
    return await this.#patiently(() => this.#write(key, kept, expected))
  }

  async delete(key: string, expected: 'any' | Revision): Promise<void> {
    demandKey(key)
    await this.#patiently(() => {
      const { value } = (this.#ready().entry.get(key) ?? { value: null }) as { readonly value: unknown }
      if (expected !== 'any' || value !== null) this.#write(key, null, expected)
    })
  }

  async list(below: string): Promise<readonly Entry[]> {
    demandPrefix(below)
    return await this.#patiently(() => listByWatch(this, below))
  }

  watch(selection: Selection, options: WatchOptions = {}): AsyncIterable<StoreEvent> {
    demandSelection(selection)
    this.#demandOpen()
    return this.#watch(selection, options)
  }

  async now(): Promise<number> {
    this.#demandOpen()
    return this.#settings.clock()
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    this.#notice.stop()
    this.#database.db.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#watch(selection: Selection, options: WatchOptions): AsyncGenerator<StoreEvent, void> {
    const unwant = this.#notice.want()
    try {
      yield* pullWatch(this.#source, selection, options)
    } finally {
      unwant()
    }
  }

  #look(selection: Selection, after: Revision | 0): Sight {
    try {
      const { changes } = this.#ready()
      const [from, to] = rangeOf(selection)
      return this.#transaction('BEGIN', () => {
        const { epoch, revision, forgotten } = this.#state()
        const found = changes.all(after, from, to, atOnce) as unknown as readonly Change[]
        return { epoch, revision, forgotten, changes: found.map(withoutNull) }
      })
    } catch (error) {
      throw failureOf(error, this.#settings.path)
    }
  }

  /** One transaction, without waiting: whoever waits in SQLite blocks the process. */
  #write(key: string, value: Uint8Array | null, expected: Expected): Written {
    const { entry, write, count } = this.#ready()
    const written = this.#transaction(
      'BEGIN IMMEDIATE',
      () => {
        const there = entry.get(key) as { readonly revision: Revision; readonly value: unknown } | undefined
        const actual = there && there.value !== null ? there.revision : 0
        const wanted = expected === 'absent' ? 0 : expected
        if (wanted !== 'any' && wanted !== actual) throw storeConflict(key, wanted, actual)
        const { revision } = count.get() as { readonly revision: Revision }
        const time = this.#settings.clock()
        write.run(key, revision, time, value)
        if (revision % forgetEvery === 0) this.#forget()
        return { revision, time }
      },
      key,
    )
    this.#wake.ring()
    this.#notice.touch()
    return written
  }

  #forget(): void {
    const { oldest, forget, forgetTo } = this.#statements
    const { revision } = (oldest.get(this.#settings.remembered) ?? {}) as { readonly revision?: Revision }
    if (revision === undefined) return
    forget.run(revision)
    forgetTo.run(revision)
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T, key?: string): T {
    const { db } = this.#database
    db.exec(begin)
    let result: T
    try {
      result = work()
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
    try {
      db.exec('COMMIT')
      return result
    } catch (error) {
      const failure = failureOfCommit(error, this.#settings.path, key ?? '')
      if (db.isTransaction) db.exec('ROLLBACK')
      throw failure
    }
  }

  #state(): State {
    return this.#statements.state.get() as unknown as State
  }

  /**
   * The statements, on the file that has the name now. Whoever went on with a file that was removed or replaced would be
   * acknowledged writes that nobody ever reads.
   */
  #ready(): Statements {
    this.#demandOpen()
    if (fileAt(this.#settings.path) !== this.#database.file) {
      const database = this.#settings.open()
      this.#database.db.close()
      this.#database = database
      this.#statements = statements(database.db)
    }
    return this.#statements
  }

  /** For {@link Notice}: rings when another has written, or when it cannot be known. */
  #ask(): string | undefined {
    try {
      const { dataVersion } = this.#ready()
      const now = dataVersion.get()?.data_version
      if (now !== this.#dataVersion) this.#wake.ring()
      this.#dataVersion = now
      return this.#database.file
    } catch {
      // The watch that is woken finds out by itself, and says so.
      this.#dataVersion = undefined
      this.#wake.ring()
      return undefined
    }
  }

  #patiently<T>(work: () => T | Promise<T>): Promise<T> {
    const { waitMs, path } = this.#settings
    return patiently(waitMs, this.#closed.signal, async () => {
      this.#demandOpen()
      try {
        return await work()
      } catch (error) {
        throw isHarmonyError(error) ? error : failureOf(error, path)
      }
    })
  }

  #demandOpen(): void {
    if (this.#closed.signal.aborted) throw storeClosed()
  }
}

type State = Pick<Sight, 'epoch' | 'revision' | 'forgotten'>

/** SQLite says NULL where we say undefined, and gives its rows no prototype. */
function withoutNull(change: Change): Change {
  return { ...change, ...(!isEntry(change) && { value: undefined }) }
}

function isEntry(change: Change): change is Entry {
  return change.value !== undefined && change.value !== null
}
