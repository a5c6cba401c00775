import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noOptions } from '../make-score.ts'
import type { LedgerRecord } from './record.ts'
import { Records } from './records.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'

const record = (address: string, more: Partial<LedgerRecord> = {}): LedgerRecord => ({
  project: 'p',
  lineage: 'l',
  topology: 't',
  address,
  kind: 'Thing',
  version: 1,
  spec: { name: address },
  digest: Buffer.from(address).toString('hex'),
  options: noOptions,
  claims: [{ type: 'path', path: `/${address}` }],
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
const owner = { lineage: 'l', topology: 't' }
const read = (...records: readonly LedgerRecord[]) =>
  new Records(readSnapshot(writeSnapshot(1, records), 'here').lines)

test('records come back as they were, whatever their addresses and texts are', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\\', '\t', '\n', '"\t', '\u2028', 'ä', '𝄞'),
  )
  const records = fc.uniqueArray(
    fc.record({ address: text, spec: text, memory: fc.option(text, { nil: undefined }), lineage: text }),
    { selector: ({ address, lineage }) => JSON.stringify([address, lineage]), maxLength: 6 },
  )
  fc.assert(
    fc.property(records, (given) => {
      const all = given.map(({ address, spec, ...more }) => record(address, { spec: { spec }, ...more }))
      const back = read(...all)
      expect(back.size).toBe(all.length)
      for (const each of all) {
        expect(back.get(each)).toEqual(each)
        expect(
          read(...all)
            .of(each)
            .standing(each.address, each)?.digest,
        ).toBe(each.digest)
      }
      expect([...back.values()].map((each) => each.address).sort()).toEqual(
        all.map((each) => each.address).sort(),
      )
    }),
  )
})

test('whether a Score is declared as it was is told from the text, in any order and more than once', () => {
  const [a, b, c] = [record('a'), record('b', { memory: 'm', revision: 7 }), record('c')]
  for (const order of [
    [a, b, c],
    [c, a, b],
    [b, b, a],
  ]) {
    const own = read(a, b, c).of(owner)
    for (const each of order)
      expect(own.standing(each.address, each)).toMatchObject({
        digest: each.digest,
        revision: each.revision,
        memory: each.memory,
      })
  }
})

test.each<[string, Partial<LedgerRecord>]>([
  ['its version', { version: 2 }],
  ['its spec', { spec: { name: 'x' } }],
  ['an option', { options: { ...noOptions, protect: true } }],
  ['what it claims', { claims: [] }],
  ['what it comes after', { after: ['b'] }],
  ['its composite', { parent: 'C:x' }],
])('a Score that differs in %s does not stand as it was', (_, change) => {
  const own = read(record('a'), record('b')).of(owner)
  expect(own.standing('a', { ...record('a'), ...change })).toBeUndefined()
  expect(own.standing('b', record('b'))).toBeDefined()
})

test('work that was begun and not finished is nothing to rely on', () => {
  const begun = record('a', { unfinished: { step: 'converge' } })
  expect(read(begun).of(owner).standing('a', begun)).toBeUndefined()
  const records = read(record('a'))
  records.put(begun)
  expect(records.of(owner).standing('a', begun)).toBeUndefined()
})

test('what nobody stands for any more is found, also when the rest is in line', () => {
  const all = ['a', 'b', 'c'].map((address) => record(address))
  const left = (...wanted: readonly string[]) =>
    read(...all)
      .of(owner)
      .without(new Map(wanted.map((address) => [address, true])))
      .map((each) => each.address)
  expect(left('a', 'b', 'c')).toEqual([])
  expect(left('a', 'b')).toEqual(['c'])
  expect(left('c', 'b', 'a')).toEqual([])
  expect(left('a', 'b', 'd')).toEqual(['c'])
  expect(left()).toEqual(['a', 'b', 'c'])
})

test('entering and taking away works before and after anything was asked', () => {
  const records = read(record('a'), record('b'))
  records.put(record('c'))
  records.drop(record('a'))
  const own = records.of(owner)
  expect([...own.values()].map((each) => each.address)).toEqual(['b', 'c'])
  expect(own.standing('a', record('a'))).toBeUndefined()
  records.put(record('b', { revision: 2 }))
  expect(own.get('b')?.revision).toBe(2)
  records.drop(record('b'))
  records.drop(record('c'))
  expect(records.size).toBe(0)
})

test('projects that share a lineage are counted each', () => {
  expect(read(record('a'), record('b')).of(owner).projects()).toEqual(new Map([['p', 2]]))
  const renamed = read(record('a'), record('b', { project: 'q' }))
  expect(renamed.of(owner).projects()).toEqual(
    new Map([
      ['p', 1],
      ['q', 1],
    ]),
  )
})
