import { beforeEach, describe, expect, test } from 'vitest'
import type { StateHome } from './home.ts'
import { Ledger } from './ledger.ts'
import type { LedgerRecord } from './record.ts'

const record = (address: string, more: Partial<LedgerRecord> = {}): LedgerRecord => ({
  project: 'p',
  lineage: 'l',
  topology: 't',
  address,
  kind: 'Thing',
  version: 1,
  spec: { name: address },
  digest: 'd',
  options: { after: [], formerly: [], retain: false, protect: false, adopt: false, reactions: {} },
  claims: [],
  after: [],
  parent: undefined,
  revision: 1,
  reactions: {},
  assets: undefined,
  previous: undefined,
  memory: undefined,
  unfinished: undefined,
  ...more,
})

let files: Map<string, Uint8Array>
let writes: string[]
let failAppend: Error | undefined
let home: StateHome

beforeEach(() => {
  files = new Map()
  writes = []
  failAppend = undefined
  home = {
    id: 'memory',
    description: '/state',
    lock: () => Promise.reject(new Error('not used here')),
    read: async (file) => files.get(file),
    append: async (file, bytes) => {
      writes.push(`append ${file}`)
      if (failAppend) {
        files.set(file, Buffer.concat([files.get(file) ?? Buffer.alloc(0), bytes.subarray(0, 7)]))
        throw failAppend
      }
      files.set(file, Buffer.concat([files.get(file) ?? Buffer.alloc(0), bytes]))
    },
    replace: async (file, bytes) => {
      writes.push(`replace ${file}`)
      files.set(file, bytes)
    },
    remove: async (file) => {
      if (files.delete(file)) writes.push(`remove ${file}`)
    },
    dissolve: async () => {
      writes.push('dissolve')
    },
  }
})

const addresses = async () =>
  [...(await Ledger.load(home)).records.values()].map((each) => each.address).sort()

test('what was flushed is read back, member by member', async () => {
  const ledger = await Ledger.load(home)
  const full = record('a', {
    unfinished: { step: 'converge' },
    previous: { x: 1 },
    memory: 'm',
    parent: 'C:x',
  })
  ledger.write({ put: full }, { put: record('b') })
  await ledger.flush()
  const again = await Ledger.load(home)
  expect(again.records.get(full)).toEqual(full)
  expect(again.records.get(record('b'))).toEqual(record('b'))
})

test('a patch takes members away as well', async () => {
  const ledger = await Ledger.load(home)
  ledger.write(
    { put: record('a', { unfinished: { step: 'remove' } }) },
    { of: record('a'), patch: { unfinished: undefined, revision: 2 } },
  )
  await ledger.flush()
  expect((await Ledger.load(home)).records.get(record('a'))).toEqual(record('a', { revision: 2 }))
})

test('what is entered while a write is under way goes together into the next one', async () => {
  const ledger = await Ledger.load(home)
  ledger.write({ put: record('a') })
  const first = ledger.flush()
  for (const each of ['b', 'c', 'd']) ledger.write({ put: record(each) })
  await Promise.all([first, ledger.flush(), ledger.flush()])
  expect(writes).toEqual(['append ledger.journal', 'append ledger.journal'])
  expect(await addresses()).toEqual(['a', 'b', 'c', 'd'])
})

describe('after a crash', () => {
  test('a torn last line is dropped, and what is written next is not joined to it', async () => {
    const ledger = await Ledger.load(home)
    ledger.write({ put: record('a') })
    await ledger.flush()
    const journal = files.get('ledger.journal') as Uint8Array
    files.set('ledger.journal', Buffer.concat([journal, journal.subarray(0, journal.length / 2)]))
    const after = await Ledger.load(home)
    after.write({ put: record('b') })
    await after.flush()
    expect(await addresses()).toEqual(['a', 'b'])
  })

  test('between a new snapshot and the end of the old journal nothing is replayed twice', async () => {
    const ledger = await Ledger.load(home)
    for (let i = 0; i < 300; i++) ledger.write({ put: record(String(i)) })
    ledger.write({ drop: record('7') })
    await ledger.flush()
    const journal = files.get('ledger.journal') as Uint8Array
    await ledger.tidy()
    expect(files.has('ledger.journal')).toBe(false)
    ledger.write({ drop: record('8') })
    await ledger.flush()
    files.set('ledger.journal', Buffer.concat([journal, files.get('ledger.journal') as Uint8Array]))
    const after = await addresses()
    expect(after).toHaveLength(298)
    expect(after).not.toContain('8')
  })

  test('an append that failed half-way is healed by the next one', async () => {
    const ledger = await Ledger.load(home)
    ledger.write({ put: record('a') })
    failAppend = new Error('disk full')
    await expect(ledger.flush()).rejects.toThrow('disk full')
    failAppend = undefined
    ledger.write({ put: record('b') })
    await ledger.flush()
    expect(await addresses()).toEqual(['a', 'b'])
  })
})

test('damage in the middle is refused with what to do, never guessed around', async () => {
  const ledger = await Ledger.load(home)
  ledger.write({ put: record('a') })
  await ledger.flush()
  ledger.write({ put: record('b') })
  await ledger.flush()
  const journal = Buffer.from(files.get('ledger.journal') as Uint8Array)
  journal[20] = (journal[20] as number) ^ 1
  files.set('ledger.journal', journal)
  await expect(Ledger.load(home)).rejects.toMatchObject({
    code: 'ledger-corrupt',
    hint: expect.stringContaining('restore'),
  })
})

test('a snapshot that is lost or older than its journal is refused, not taken for an empty one', async () => {
  const ledger = await Ledger.load(home)
  for (let i = 0; i < 300; i++) ledger.write({ put: record(String(i)) })
  await ledger.tidy()
  const old = files.get('ledger.json') as Uint8Array
  for (let i = 0; i < 400; i++) ledger.write({ put: record(`b${i}`) })
  await ledger.tidy()
  ledger.write({ put: record('c') })
  await ledger.flush()
  files.set('ledger.json', old)
  await expect(Ledger.load(home)).rejects.toMatchObject({ code: 'ledger-corrupt' })
  files.delete('ledger.json')
  await expect(Ledger.load(home)).rejects.toMatchObject({ code: 'ledger-corrupt' })
})

test('damage in the last line is refused as well: it was acknowledged', async () => {
  const ledger = await Ledger.load(home)
  ledger.write({ put: record('a') })
  await ledger.flush()
  const journal = Buffer.from(files.get('ledger.journal') as Uint8Array)
  journal[20] = (journal[20] as number) ^ 1
  files.set('ledger.journal', journal)
  await expect(Ledger.load(home)).rejects.toMatchObject({ code: 'ledger-corrupt' })
})

test('a damaged snapshot is refused', async () => {
  const ledger = await Ledger.load(home)
  for (let i = 0; i < 300; i++) ledger.write({ put: record(String(i)) })
  await ledger.tidy()
  const snapshot = Buffer.from(files.get('ledger.json') as Uint8Array)
  snapshot[100] = (snapshot[100] as number) ^ 1
  files.set('ledger.json', snapshot)
  await expect(Ledger.load(home)).rejects.toMatchObject({ code: 'ledger-corrupt' })
})

test('the ledger goes when its last record goes', async () => {
  const ledger = await Ledger.load(home)
  ledger.write({ put: record('a') })
  await ledger.makeKey()
  await ledger.flush()
  ledger.write({ drop: record('a') })
  await ledger.tidy()
  expect([...files.keys()]).toEqual([])
  expect(writes.at(-1)).toBe('dissolve')
})

test('a ledger that nothing is entered into writes nothing', async () => {
  const ledger = await Ledger.load(home)
  ledger.write({ put: record('a') })
  await ledger.flush()
  writes.length = 0
  await (await Ledger.load(home)).tidy()
  expect(writes).toEqual([])
})

test('it can tell whether anybody has written since it was read', async () => {
  const reader = await Ledger.load(home)
  expect(await reader.isAsRead()).toBe(true)
  const writer = await Ledger.load(home)
  for (const write of [
    () => writer.write({ put: record('Thing:a') }),
    () => writer.write({ put: record('Thing:b') }),
  ]) {
    const before = await Ledger.load(home)
    write()
    expect(await before.isAsRead()).toBe(true)
    await writer.flush()
    expect(await before.isAsRead()).toBe(false)
    expect(await (await Ledger.load(home)).isAsRead()).toBe(true)
  }
  const before = await Ledger.load(home)
  for (let i = 0; i < 300; i++) writer.write({ put: record('Thing:a') })
  await writer.tidy()
  expect(writes).toContain('replace ledger.json')
  expect(await before.isAsRead()).toBe(false)
})
