/**
 * The snapshot of a ledger as text: a checksum, a head, then one line for each record. A host with ten thousand Scores
 * reads it before every pass, so a line is found without being parsed, and says first what its Score declared: whoever
 * has the Score can tell with one comparison of text that nothing about it is new.
 */
import { isAscii } from 'node:buffer'
import { hash } from 'node:crypto'
import type { Json } from '../canonical.ts'
import { HarmonyError } from '../errors.ts'
import { noOptions } from '../make-score.ts'
import type { LedgerRecord } from './record.ts'

const format = 2

/** What a Score declares, with all that follows from that alone. */
export type Declared = Pick<
  LedgerRecord,
  'kind' | 'version' | 'spec' | 'options' | 'claims' | 'after' | 'parent'
>

type Owner = Pick<LedgerRecord, 'project' | 'lineage' | 'topology'>

/** What few records have, or many have in common; what is the rule is left out. */
type Rest = Pick<LedgerRecord, 'assets' | 'previous' | 'memory' | 'unfinished'> & {
  readonly reactions: LedgerRecord['reactions'] | undefined
}

/** What is remembered of a Score that is declared just as it was when it was last applied. */
export interface Standing {
  readonly digest: string
  readonly revision: number
  readonly memory: Json | undefined
}

/** Where a line begins in the text of a snapshot. */
export type Line = number

const noReactions = Object.freeze({})

/** What a Score declares, as one piece of JSON. Equal text is an equal declaration. */
export function declaredText({ kind, version, spec, options, claims, after, parent }: Declared): string {
  // Piece by piece, since a thousand files in one folder come after the very same.
  const rest = `${isDefault(options) ? 'null' : JSON.stringify(options)},${JSON.stringify(claims)},${textOf(after)}`
  return `["${kind}",${version},${JSON.stringify(spec)},${rest},${parent === undefined ? 'null' : JSON.stringify(parent)}]`
}

let lastList: readonly string[] = []
let lastText = '[]'

function textOf(list: readonly string[]): string {
  if (list !== lastList) {
    lastList = list
    lastText = JSON.stringify(list)
  }
  return lastText
}

/** The snapshot of these records. */
export function writeSnapshot(generation: number, records: Iterable<LedgerRecord>): Uint8Array {
  const owners: Owner[] = []
  const numbers = new Map<string, number>()
  const numberOf = ({ project, lineage, topology }: Owner): number => {
    const key = JSON.stringify([lineage, topology, project])
    let number = numbers.get(key)
    if (number === undefined) {
      number = owners.push({ project, lineage, topology }) - 1
      numbers.set(key, number)
    }
    return number
  }
  const lines: string[] = []
  for (const record of records) {
    const { digest, revision, reactions, assets, previous, memory, unfinished } = record
    const done = Object.keys(reactions).length > 0 ? reactions : undefined
    const rest: Rest = { reactions: done, assets, previous, memory, unfinished }
    // JSON has no bare tab and no bare line break, and a digest has none.
    const columns = [
      numberOf(record),
      JSON.stringify(record.address),
      declaredText(record),
      digest,
      revision,
      JSON.stringify(rest),
    ]
    lines.push(columns.join('\t'))
  }
  const body = [
    JSON.stringify({ harmony: format, generation, records: lines.length, owners }),
    ...lines,
  ].join('\n')
  return Buffer.from(`${checksum(body)}\n${body}\n`)
}

/**
 * Reads a snapshot.
 * @throws HarmonyError `ledger-corrupt` when the checksum is wrong or the format is another.
 */
export function readSnapshot(bytes: Uint8Array, where: string): { generation: number; lines: Lines } {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + 9, Math.max(0, bytes.byteLength - 9))
  const sum = Buffer.from(bytes.subarray(0, 8)).toString('latin1')
  if (bytes[8] !== 10 || sum !== checksum(body.subarray(0, -1)))
    throw corrupt(where, 'ledger.json has a wrong checksum')
  // The same text, without looking at each character.
  const text = isAscii(body) ? body.toString('latin1') : body.toString('utf8')
  const end = text.indexOf('\n')
  const head = JSON.parse(text.slice(0, end)) as Head
  if (head.harmony !== format)
    throw new HarmonyError(
      'ledger-corrupt',
      `the ledger in ${where} was written by another Harmony (format ${head.harmony}, here it is ${format})`,
      {
        hint: 'use that version here as well; or move the folder away and apply again: what is as wanted is then taken over',
      },
    )
  return { generation: head.generation, lines: new Lines(text, end + 1, head) }
}

interface Head {
  readonly harmony: number
  readonly generation: number
  readonly records: number
  readonly owners: readonly Owner[]
}

/** The lines of a snapshot. */
export class Lines {
  readonly owners: readonly Owner[]
  readonly count: number
  readonly first: Line
  readonly #text: string
  #lastText = '{}'
  #last = {} as Rest

  constructor(text: string, first: Line, { records, owners }: Head) {
    this.owners = owners
    this.count = records
    this.first = first
    this.#text = text
  }

  /** After the last line it is where none is. */
  next(line: Line): Line {
    return this.#text.indexOf('\n', line) + 1
  }

  /** Whether a line is of this address. It may say no for an address that JSON writes in another way. */
  isOf(line: Line, address: string): boolean {
    const start = this.#text.indexOf('\t', line) + 2
    const end = start + address.length
    return this.#text.slice(start, end) === address && this.#text.slice(end, end + 2) === '"\t'
  }

  each(use: (line: Line, owner: number, address: string) => void): void {
    const text = this.#text
    for (let line = this.first; line < text.length; line = this.next(line)) {
      const tab = text.indexOf('\t', line)
      const end = text.indexOf('\t', tab + 1)
      const quoted = text.slice(tab + 2, end - 1)
      const address = quoted.includes('\\') ? (JSON.parse(`"${quoted}"`) as string) : quoted
      use(line, Number(text.slice(line, tab)), address)
    }
  }

  projectOf(line: Line): string | undefined {
    return this.owners[Number(this.#text.slice(line, this.#text.indexOf('\t', line)))]?.project
  }

  /** As `OwnedRecords.standing`. */
  standing(line: Line, declared: Declared): Standing | undefined {
    const text = this.#text
    const start = text.indexOf('\t', text.indexOf('\t', line) + 1) + 1
    const wanted = declaredText(declared)
    const end = start + wanted.length
    // Not startsWith: measured in a process that just began, that takes twenty times as long.
    if (text.slice(start, end) !== wanted || text[end] !== '\t') return undefined
    const digestEnd = text.indexOf('\t', end + 1)
    const revisionEnd = text.indexOf('\t', digestEnd + 1)
    const { memory, unfinished } = this.#rest(text.slice(revisionEnd + 1, text.indexOf('\n', revisionEnd)))
    if (unfinished) return undefined
    return {
      digest: text.slice(end + 1, digestEnd),
      revision: Number(text.slice(digestEnd + 1, revisionEnd)),
      memory,
    }
  }

  record(line: Line): LedgerRecord {
    const text = this.#text
    const columns = text.slice(line, text.indexOf('\n', line)).split('\t')
    const [owner, address, declared, digest, revision, more] = columns as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    const { project, lineage, topology } = this.owners[Number(owner)] as Owner
    const [kind, version, spec, options, claims, after, parent] = JSON.parse(declared)
    const { reactions = noReactions, assets, previous, memory, unfinished } = JSON.parse(more) as Rest
    return {
      project,
      lineage,
      topology,
      address: JSON.parse(address),
      kind,
      version,
      spec,
      digest,
      options: options ?? noOptions,
      claims,
      after,
      parent: parent ?? undefined,
      revision: Number(revision),
      reactions,
      assets,
      previous,
      memory,
      unfinished,
    }
  }

  /** Most lines end alike. */
  #rest(text: string): Rest {
    if (text !== this.#lastText) {
      this.#lastText = text
      this.#last = JSON.parse(text)
    }
    return this.#last
  }
}

/** Against damage, not against forgery; so the first 32 bits do. */
export function checksum(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex').slice(0, 8)
}

/** The error for a ledger that is not what was written. */
export function corrupt(where: string, what: string): HarmonyError {
  return new HarmonyError('ledger-corrupt', `the ledger in ${where} is damaged: ${what}`, {
    hint: 'restore the folder from a backup; or move it away and apply again: what is as wanted is then taken over',
  })
}

function isDefault(options: LedgerRecord['options']): boolean {
  if (options === noOptions) return true
  const { after, formerly, retain, protect, adopt, reactions } = options
  return (
    after.length === 0 &&
    formerly.length === 0 &&
    !retain &&
    !protect &&
    !adopt &&
    Object.keys(reactions).length === 0
  )
}
