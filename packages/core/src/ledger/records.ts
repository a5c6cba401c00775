/**
 * The records of a ledger, by owner and address. Those of a snapshot stay the text that they are until somebody asks
 * for one: of ten thousand that are as wanted nobody does, since it can be told from the text that the ledger says of a
 * leaf just what the leaf says of itself.
 */
import type { LedgerRecord, RecordId } from './record.ts'
import { type Declared, declaredText, type Line, type Lines, type Standing } from './snapshot.ts'

/** All records of a ledger. */
export class Records {
  readonly #lines: Lines | undefined
  /** By lineage and topology. */
  readonly #owners = new Map<string, OwnedRecords>()

  constructor(lines?: Lines) {
    this.#lines = lines
    let last: OwnedRecords | undefined
    let lastNumber = -1
    lines?.each((line, owner, address) => {
      if (owner !== lastNumber || !last) {
        last = this.#group(lines.owners[owner] as Owner)
        lastNumber = owner
      }
      last.enter(address, line)
    })
  }

  get size(): number {
    let size = 0
    for (const owned of this.#owners.values()) size += owned.size
    return size
  }

  /** Those of one owner on one topology, as they are at any moment. */
  of(owner: Owner): OwnedRecords {
    return this.#owners.get(keyOf(owner)) ?? new OwnedRecords(owner, this.#lines)
  }

  /** Those of each owner on each topology. */
  owned(): Iterable<OwnedRecords> {
    return this.#owners.values()
  }

  get(id: RecordId): LedgerRecord | undefined {
    return this.#owners.get(keyOf(id))?.get(id.address)
  }

  *values(): Iterable<LedgerRecord> {
    for (const owned of this.#owners.values()) yield* owned.values()
  }

  put(record: LedgerRecord): void {
    this.#group(record).enter(record.address, record)
  }

  drop(id: RecordId): void {
    const owned = this.#owners.get(keyOf(id))
    owned?.leave(id.address)
    if (owned?.size === 0) this.#owners.delete(keyOf(id))
  }

  #group(owner: Owner): OwnedRecords {
    const key = keyOf(owner)
    let owned = this.#owners.get(key)
    if (!owned) {
      owned = new OwnedRecords(owner, this.#lines)
      this.#owners.set(key, owned)
    }
    return owned
  }
}

type Owner = Pick<LedgerRecord, 'lineage' | 'topology'>

function keyOf({ lineage, topology }: Owner): string {
  return `${lineage}\n${topology}`
}

/** The records of one owner on one topology, by address. */
export class OwnedRecords {
  readonly lineage: string
  readonly topology: string
  readonly #lines: Lines | undefined
  readonly #entries = new Map<string, LedgerRecord | Line>()

  constructor({ lineage, topology }: Owner, lines: Lines | undefined) {
    this.lineage = lineage
    this.topology = topology
    this.#lines = lines
  }

  get size(): number {
    return this.#entries.size
  }

  addresses(): Iterable<string> {
    return this.#entries.keys()
  }

  has(address: string): boolean {
    return this.#entries.has(address)
  }

  get(address: string): LedgerRecord | undefined {
    const entry = this.#entries.get(address)
    return typeof entry === 'number' ? this.#read(address, entry) : entry
  }

  *values(): Iterable<LedgerRecord> {
    for (const [address, entry] of this.#entries)
      yield typeof entry === 'number' ? this.#read(address, entry) : entry
  }

  /** How many there are, by the project that they were last applied for. */
  projects(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const entry of this.#entries.values()) {
      const project = typeof entry === 'number' ? (this.#lines?.projectOf(entry) ?? '') : entry.project
      counts.set(project, (counts.get(project) ?? 0) + 1)
    }
    return counts
  }

  /**
   * What is remembered of something that is declared just as it was last applied, and was done with. `undefined` when
   * that cannot be told at a glance: then {@link get} knows more.
   */
  standing(address: string, declared: Declared): Standing | undefined {
    const entry = this.#entries.get(address)
    if (entry === undefined) return undefined
    if (typeof entry === 'number') return this.#lines?.standing(entry, declared)
    return entry.unfinished === undefined && declaredText(entry) === declaredText(declared)
      ? entry
      : undefined
  }

  enter(address: string, entry: LedgerRecord | Line): void {
    this.#entries.set(address, entry)
  }

  leave(address: string): void {
    this.#entries.delete(address)
  }

  #read(address: string, line: Line): LedgerRecord {
    const record = this.#lines?.record(line) as LedgerRecord
    this.#entries.set(address, record)
    return record
  }
}
