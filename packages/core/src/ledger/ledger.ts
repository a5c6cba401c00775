/**
 * The ledger of one host: a snapshot and an append-only journal, both checksummed, shared by all owners.
 *
 * A journal rather than a file rewritten for each step, because a step must not begin before its intent is durable, and
 * a thousand steps should not cost a thousand rewrites: entries that are handed in while a write is under way go
 * together into the next one. Each journal line carries the sequence number of the snapshot it continues, so a crash
 * between writing a new snapshot and dropping the journal replays nothing twice.
 */
import type { StateHome } from './home.ts'
import type { JournalEntry, LedgerRecord, RecordId } from './record.ts'
import { Records } from './records.ts'
import { checksum, corrupt, readSnapshot, writeSnapshot } from './snapshot.ts'

const snapshotFile = 'ledger.json'
const journalFile = 'ledger.journal'
const keyFile = 'key'

// Compacting costs one rewrite of everything; so it is done when the journal has grown to a fair part of it.
const journalAllowance = 256

/** The ledger of one home, in memory and on its way to disk. */
export class Ledger {
  readonly #home: StateHome
  readonly #records: Records
  /** Generation of the snapshot that the journal continues. */
  #generation: number
  #journalEntries: number
  /** The tail of the journal was cut off by a crash: rewrite before anything is added to it. */
  #torn: boolean
  /** What was read, in short. */
  readonly #stamp: string
  #pending: JournalEntry[] = []
  #writing: Promise<void> | undefined

  private constructor(
    home: StateHome,
    records: Records,
    generation: number,
    journalEntries: number,
    torn: boolean,
    stamp: string,
  ) {
    this.#stamp = stamp
    this.#home = home
    this.#records = records
    this.#generation = generation
    this.#journalEntries = journalEntries
    this.#torn = torn
  }

  /**
   * Reads the ledger of a home; one that does not exist yet is empty.
   * @throws HarmonyError `ledger-corrupt` when a checksum other than that of the last line is wrong.
   */
  static async load(home: StateHome): Promise<Ledger> {
    const [snapshot, journal] = await Promise.all([home.read(snapshotFile), home.read(journalFile)])
    const read = snapshot && readSnapshot(snapshot, home.description)
    const records = new Records(read?.lines)
    const generation = read?.generation ?? 0
    let count = 0
    let torn = false
    if (journal && journal.length > 0) {
      const text = Buffer.from(journal.buffer, journal.byteOffset, journal.byteLength).toString('utf8')
      const all = text.split('\n')
      torn = all.pop() !== ''
      all.forEach((line, i) => {
        const entry = readLine(line)
        if (!entry) {
          // What a crash cut off has no line break at its end (and was dropped above) or, where the file system had
          // made room but not written yet, holes. Anything else is damage, also in the last line.
          torn ||= i === all.length - 1 && line.includes('\0')
          if (!torn || i < all.length - 1)
            throw corrupt(home.description, `line ${i + 1} of the journal has a wrong checksum`)
          return
        }
        if (entry.generation > generation)
          throw corrupt(
            home.description,
            `the journal continues a newer ${snapshotFile} than the one that is there`,
          )
        count += entry.entries.length
        if (entry.generation === generation) for (const each of entry.entries) replay(records, each)
      })
    }
    return new Ledger(home, records, generation, count, torn, stampOf(snapshot, journal))
  }

  /** Whether the home still holds what was read: nobody has written since. Asked before anything is entered. */
  async isAsRead(): Promise<boolean> {
    const [snapshot, journal] = await Promise.all([
      this.#home.read(snapshotFile),
      this.#home.read(journalFile),
    ])
    return stampOf(snapshot, journal) === this.#stamp
  }

  /** All records, of all owners. */
  get records(): Pick<Records, 'size' | 'of' | 'owned' | 'get' | 'values'> {
    return this.#records
  }

  /** Enters something; {@link flush} tells when it is durable. */
  write(...entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      replay(this.#records, entry)
      this.#pending.push(entry)
    }
  }

  /** Resolves once everything that was entered before is durable. */
  async flush(): Promise<void> {
    while (this.#writing || this.#pending.length > 0) {
      this.#writing ??= this.#writeOut().finally(() => {
        this.#writing = undefined
      })
      await this.#writing
    }
  }

  /** Takes the home away when nothing was ever entered, or nothing is left. */
  async tidyIfEmpty(): Promise<void> {
    if (this.#records.size === 0 && this.#pending.length === 0) await this.tidy()
  }

  /** Shortens the journal if it is worth it, and takes the whole ledger away when nothing is left in it. */
  async tidy(): Promise<void> {
    await this.flush()
    if (this.#records.size === 0) {
      await this.#home.remove(journalFile)
      await this.#home.remove(snapshotFile)
      await this.#home.remove(keyFile)
      await this.#home.dissolve()
      this.#generation = 0
      this.#journalEntries = 0
      this.#torn = false
    } else if (this.#torn || this.#journalEntries > Math.max(journalAllowance, this.#records.size / 2))
      await this.#compact()
  }

  /** The key for digests of secret values. It never leaves the host; absent until something secret was applied. */
  async key(): Promise<Uint8Array | undefined> {
    return await this.#home.read(keyFile)
  }

  /** Makes the key. */
  async makeKey(): Promise<void> {
    await this.#home.replace(keyFile, crypto.getRandomValues(new Uint8Array(32)))
  }

  async #writeOut(): Promise<void> {
    if (this.#torn) {
      await this.#compact()
      return
    }
    const entries = this.#pending
    this.#pending = []
    try {
      await this.#home.append(journalFile, Buffer.from(writeLine(this.#generation, entries)))
      this.#journalEntries += entries.length
    } catch (error) {
      // Part of it may be there: what follows must not be joined to half a line.
      this.#torn = true
      throw error
    }
  }

  async #compact(): Promise<void> {
    this.#pending = []
    const generation = this.#generation + 1
    await this.#home.replace(snapshotFile, writeSnapshot(generation, this.#records.values()))
    this.#generation = generation
    await this.#home.remove(journalFile)
    this.#journalEntries = 0
    this.#torn = false
  }
}

function replay(records: Records, entry: JournalEntry): void {
  if ('put' in entry) records.put(entry.put)
  else if ('drop' in entry) records.drop(entry.drop)
  else {
    const record = records.get(entry.of)
    if (record) records.put({ ...record, ...entry.patch })
  }
}

// What is written together stands in one line: it is there as a whole or, torn by a crash, not at all.
function writeLine(generation: number, entries: readonly JournalEntry[]): string {
  const text = JSON.stringify({
    generation,
    entries: entries.map((entry) => {
      if ('put' in entry) return entry
      if ('drop' in entry) return { drop: idOf(entry.drop) }
      return { of: idOf(entry.of), patch: explicit(entry.patch) }
    }),
  })
  return `${checksum(text)} ${text}\n`
}

function idOf({ lineage, topology, address }: RecordId): RecordId {
  return { lineage, topology, address }
}

// `undefined` does not survive JSON; in a patch it means "no longer", so there it is written as null.
function explicit(patch: Partial<LedgerRecord>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(patch).map(([member, value]) => [member, value === undefined ? null : value]),
  )
}

function readLine(line: string): { generation: number; entries: readonly JournalEntry[] } | undefined {
  const sum = line.slice(0, 8)
  const text = line.slice(9)
  if (line[8] !== ' ' || sum !== checksum(text)) return undefined
  const { generation, entries } = JSON.parse(text) as { generation: number; entries: readonly JournalEntry[] }
  return { generation, entries: entries.map(reviveEntry) }
}

function reviveEntry(entry: JournalEntry): JournalEntry {
  if ('put' in entry) return { put: revive(entry.put) }
  if ('patch' in entry) return { of: entry.of, patch: revive(entry.patch) }
  return entry
}

/** The members whose `null` means that there is none. */
function revive<T extends Partial<LedgerRecord>>(record: T): T {
  const copy = { ...record } as Record<string, unknown>
  for (const member of ['unfinished', 'previous', 'memory', 'parent', 'assets'] as const)
    if (copy[member] === null) copy[member] = undefined
  return copy as T
}

/** Both files have checksums at an end, and one of them only ever grows: length and ends tell any two states apart. */
function stampOf(snapshot: Uint8Array | undefined, journal: Uint8Array | undefined): string {
  const ends = (bytes: Uint8Array | undefined) =>
    bytes && [
      bytes.length,
      ...[bytes.subarray(0, 128), bytes.subarray(-128)].map((end) => Buffer.from(end).toString('latin1')),
    ]
  return JSON.stringify([ends(snapshot), ends(journal)])
}
