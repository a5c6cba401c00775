import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alice, bundleOf, lineage } from '../../test/bundles.ts'
import {
  type DesiredState,
  nothingShipped,
  readDesiredState,
  type Shipped,
  withoutProject,
  withShipped,
  writeDesiredState,
} from './desired-state.ts'
import { largestList } from './limits.ts'
import { signBundle } from './make-bundle.ts'
import { nextGeneration } from './ship.ts'
import { writeStrictJson } from './strict-json.ts'

const envelope = signBundle(await bundleOf([]), [alice])
const entry = (project: string, generation = 1): Shipped => ({ project, lineage, generation, envelope })
const stored: Shipped = {
  project: 'big',
  lineage,
  generation: 1,
  stored: { sha256: 'a'.repeat(64), size: 300_000 },
}
const list = [entry('shop'), stored, entry('bank')].reduce(withShipped, nothingShipped)

test('there is one entry for each project, in the order of their names', () => {
  expect(list.bundles.map(({ project }) => project)).toEqual(['bank', 'big', 'shop'])
})

test('a list is the same after a journey', () => {
  expect(readDesiredState(writeDesiredState(list))).toEqual({ value: { ...list, flaws: [] } })
})

test('a higher generation takes the place of a lower one, and only of that', () => {
  const next = withShipped(list, entry('shop', 2))
  expect(next.bundles.map(({ project, generation }) => [project, generation])).toEqual([
    ['bank', 1],
    ['big', 1],
    ['shop', 2],
  ])
})

test('the next generation is above all that are known', () => {
  expect(nextGeneration(nothingShipped, 'shop')).toBe(1)
  expect(nextGeneration(list, 'shop')).toBe(2)
  // The agent has seen more than a store that was restored from a backup.
  expect(nextGeneration(list, 'shop', 40)).toBe(41)
})

test('a project can be taken back', () => {
  expect(withoutProject(list, 'shop').bundles.map(({ project }) => project)).toEqual(['bank', 'big'])
})

describe('an entry is refused', () => {
  test.each<readonly [string, Shipped]>([
    ['when somebody has shipped the same generation', entry('shop')],
    [
      'when another project has the name',
      { ...entry('shop', 2), lineage: '5a0c3a0e-1111-4222-8333-444455556666' },
    ],
  ])('%s', (_, added) => {
    expect(() => withShipped(list, added)).toThrow(expect.objectContaining({ code: 'refused' }))
  })
})

describe('a bad entry does not take the others with it', () => {
  const read = (bundles: readonly unknown[]) =>
    readDesiredState(writeStrictJson({ harmony: 1, bundles })) as {
      value: DesiredState & { flaws: unknown[] }
    }
  test.each<readonly [string, unknown]>([
    ['that is none', 7],
    ['without an envelope', { project: 'x', lineage, generation: 1 }],
    ['with both forms', { ...stored, envelope }],
    ['with a member more', { ...entry('x'), more: 1 }],
    ['with an envelope that is none', { ...entry('x'), envelope: 'text' }],
    ['larger than any envelope', { ...stored, stored: { sha256: 'a'.repeat(64), size: 1e9 } }],
    ['for a project that has one', entry('shop', 9)],
  ])('%s', (_, bad) => {
    const { value } = read([entry('shop'), bad, stored])
    expect(value.bundles).toEqual([entry('shop'), stored])
    expect(value.flaws).toEqual([{ at: 1, detail: expect.any(String) }])
  })
})

test('no change to a list makes reading it fail', () => {
  const bytes = writeDesiredState(list)
  fc.assert(
    fc.property(
      fc.nat(bytes.length - 1),
      fc.nat(20),
      fc.uint8Array({ maxLength: 4 }),
      (at, remove, insert) => {
        const changed = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
        const read = readDesiredState(changed)
        expect('flaw' in read || read.value.bundles.length + read.value.flaws.length <= 4).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

describe('a list is refused as a whole', () => {
  test.each<readonly [string, Uint8Array, object]>([
    ['when it is garbage', Buffer.from('{'), { flaw: 'garbled' }],
    ['when it is too large', Buffer.alloc(largestList + 1), { flaw: 'too-large' }],
    ['when it is of a newer form', writeStrictJson({ ...list, harmony: 2 }), { flaw: 'garbled' }],
    ['when it is none', writeStrictJson([]), { flaw: 'garbled' }],
    ['when there is no list in it', writeStrictJson({ harmony: 1, bundles: {} }), { flaw: 'garbled' }],
  ])('%s', (_, bytes, flaw) => {
    expect(readDesiredState(bytes)).toMatchObject(flaw)
  })
})
