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
    const [only, another] = lines?.owners ?? []
    if (only && !another) this.#owners.set(keyOf(only), new OwnedRecords(only, lines, true))
    else
      lines?.each((line, owner, address) => {
        this.#group(lines.owners[owner] as Owner).enter(address, line)
      })
  }

  get size(): number {
    let size = 0
    for (const owned of this.#owners.values()) size += owned.size
    return size
  }

  /** Those of one owner on one topology, as they are at any moment. */
  of(owner: Owner): OwnedRecords {
    return this.#group(owner)
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

/**
 * The records of one owner on one topology, by address. Where all lines of the snapshot are theirs, as on most hosts,
 * they are not even entered by address before that is needed: mostly the leaves come in the order of the lines.
 */
export class OwnedRecords {
  readonly lineage: string
  readonly topology: string
  readonly #lines: Lines | undefined
  readonly #entries = new Map<string, LedgerRecord | Line>()
  /** The line that is probably asked for next, while no line is entered. */
  #next: Line | undefined

  constructor({ lineage, topology }: Owner, lines: Lines | undefined, all = false) {
    this.lineage = lineage
    this.topology = topology
    this.#lines = lines
    this.#next = all ? lines?.first : undefined
  }

  get size(): number {
    return this.#next === undefined ? this.#entries.size : (this.#lines?.count ?? 0)
  }

  has(address: string): boolean {
    return this.#entered().has(address)
  }

  get(address: string): LedgerRecord | undefined {
    const entry = this.#entered().get(address)
    return typeof entry === 'number' ? this.#read(address, entry) : entry
  }

  *values(): Iterable<LedgerRecord> {
    for (const [address, entry] of this.#entered())
      yield typeof entry === 'number' ? this.#read(address, entry) : entry
  }

  /** How many there are, by the project that they were last applied for. */
  projects(): ReadonlyMap<string, number> {
    const only = this.#next === undefined ? undefined : this.#lines?.owners[0]
    if (only) return new Map([[only.project, this.size]])
    const counts = new Map<string, number>()
    for (const entry of this.#entered().values()) {
      const project = typeof entry === 'number' ? (this.#lines?.projectOf(entry) ?? '') : entry.project
      counts.set(project, (counts.get(project) ?? 0) + 1)
    }
    return counts
  }

  /** Those that none of these leaves stands for. */
  without(leaves: ReadonlyMap<string, unknown>): readonly LedgerRecord[] {
    if (this.#areInLine(leaves)) return []
    const left: LedgerRecord[] = []
    for (const [address, entry] of this.#entered())
      if (!leaves.has(address)) left.push(typeof entry === 'number' ? this.#read(address, entry) : entry)
    return left
  }

  /**
   * What is remembered of something that is declared just as it was last applied, and was done with. `undefined` when
   * that cannot be told at a glance: then {@link get} knows more.
   */
  standing(address: string, declared: Declared): Standing | undefined {
    const lines = this.#lines
    if (lines && this.#next !== undefined && lines.isOf(this.#next, address)) {
      const line = this.#next
      this.#next = lines.next(line)
      return lines.standing(line, declared)
    }
    const entry = this.#entered().get(address)
    if (entry === undefined) return undefined
    if (typeof entry === 'number') return lines?.standing(entry, declared)
    return entry.unfinished === undefined && declaredText(entry) === declaredText(declared)
      ? entry
      : undefined
  }

  enter(address: string, entry: LedgerRecord | Line): void {
    this.#entered().set(address, entry)
  }

  leave(address: string): void {
    this.#entered().delete(address)
  }

  #areInLine(leaves: ReadonlyMap<string, unknown>): boolean {
    if (!this.#lines || this.#next === undefined || leaves.size !== this.#lines.count) return false
    let line = this.#lines.first
    for (const address of leaves.keys()) {
      if (!this.#lines.isOf(line, address)) return false
      line = this.#lines.next(line)
    }
    return true
  }

  #entered(): Map<string, LedgerRecord | Line> {
    if (this.#next !== undefined) {
      this.#next = undefined
      this.#lines?.each((line, _, address) => {
        this.#entries.set(address, line)
      })
    }
    return this.#entries
  }

  #read(address: string, line: Line): LedgerRecord {
    const record = this.#lines?.record(line) as LedgerRecord
    this.#entries.set(address, record)
    return record
  }
}
