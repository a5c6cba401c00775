import { expect, test } from 'vitest'
import * as z from 'zod'
import { defineComposite } from '../composite.ts'
import { defineScore } from '../score.ts'
import { expand } from './leaf.ts'

const Leaf = defineScore({
  kind: 'Leaf',
  version: 1,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  interpret: {
    observe: async () => ({}),
    compare: () => [],
    converge: async () => undefined,
    remove: async () => undefined,
  },
})
const Inner = defineComposite({
  kind: 'Inner',
  version: 1,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  compose: ({ name }) => [Leaf({ name: `${name}.1` }), false, [Leaf({ name: `${name}.2` })]],
})
const Outer = defineComposite({
  kind: 'Outer',
  version: 1,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  compose: ({ name }) => [Inner({ name }), Leaf({ name: `${name}.3` })],
})

test('composites are expanded into leaves that name the outermost one', () => {
  expect([...expand([Outer({ name: 'a' })]).values()].map((leaf) => [leaf.address, leaf.parent])).toEqual([
    ['Leaf:a.1', 'Outer:a'],
    ['Leaf:a.2', 'Outer:a'],
    ['Leaf:a.3', 'Outer:a'],
  ])
})

test('children wait for what their composite waits for, and are as protected', () => {
  const first = Leaf({ name: 'first' })
  const leaves = [...expand([first, Inner({ name: 'a', after: [first], protect: true })]).values()]
  expect(leaves[1]?.options).toMatchObject({ after: ['Leaf:first'], protect: true, retain: false })
})

test('waiting for a composite is waiting for all its leaves', () => {
  const outer = Outer({ name: 'a' })
  expect(expand([Leaf({ name: 'z', after: [outer] }), outer]).get('Leaf:z')?.options.after).toEqual([
    'Leaf:a.1',
    'Leaf:a.2',
    'Leaf:a.3',
  ])
})

test('one identity declared twice is refused, also when a composite declares it', () => {
  expect(() => expand([Leaf({ name: 'a.1' }), Inner({ name: 'a' })])).toThrow(
    expect.objectContaining({ code: 'duplicate-address' }),
  )
})
