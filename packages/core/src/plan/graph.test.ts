import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type Claim, name, part, path, tree } from '../claims.ts'
import { defineScore } from '../score.ts'
import { ClaimIndex, deriveGraph } from './graph.ts'
import { expand } from './leaf.ts'

const Thing = defineScore({
  kind: 'Thing',
  version: 1,
  needs: [],
  spec: z.strictObject({
    name: z.string(),
    claims: z.custom<readonly Claim[]>().optional(),
    uses: z.custom<readonly Claim[]>().optional(),
  }),
  identity: (spec) => spec.name,
  claims: (spec) => spec.claims ?? [],
  uses: (spec) => spec.uses ?? [],
  interpret: {
    observe: async () => ({}),
    compare: () => [],
    converge: async () => undefined,
    remove: async () => undefined,
  },
  reactions: { restartOn: async () => undefined },
})

const Base = defineScore({
  kind: 'Base',
  version: 1,
  needs: [],
  spec: z.strictObject({ name: z.string() }),
  identity: (spec) => spec.name,
  uses: () => [tree('/etc/sources')],
  groundwork: true,
  interpret: {
    observe: async () => ({}),
    compare: () => [],
    converge: async () => undefined,
    remove: async () => undefined,
  },
})

describe('groundwork', () => {
  const follows = (things: Parameters<typeof expand>[0]) =>
    Object.fromEntries(
      deriveGraph(expand(things)).order.map(({ address, follows }) => [address, follows] as const),
    )

  test('is followed by what is listed after it, and by nothing that is listed before', () => {
    const things = [
      Thing({ name: 'a' }),
      Base({ name: 'x' }),
      Thing({ name: 'b' }),
      Base({ name: 'y' }),
      Thing({ name: 'c' }),
    ]
    expect(follows(things)).toEqual({
      'Thing:a': [],
      'Base:x': [],
      'Thing:b': ['Base:x'],
      'Base:y': [],
      'Thing:c': ['Base:x', 'Base:y'],
    })
  })

  test('is not followed by what it comes after itself, near or far', () => {
    const far = Thing({ name: 'far' })
    const near = Thing({ name: 'near', after: [far] })
    const things = [Base({ name: 'x' }), far, near, Base({ name: 'y', after: [near] }), Thing({ name: 'b' })]
    expect(follows(things)).toMatchObject({
      'Thing:far': [],
      'Thing:near': [],
      'Thing:b': ['Base:x', 'Base:y'],
    })
  })

  test('comes after whatever claims something in a tree that it stands on', () => {
    const things = [
      Base({ name: 'x' }),
      Thing({ name: 'list', claims: [path('/etc/sources/list.d/a')] }),
      Thing({ name: 'key', claims: [part('/etc/sources/keys', 'k')] }),
      Thing({ name: 'other', claims: [path('/etc/sourcesx')] }),
    ]
    const leaf = deriveGraph(expand(things)).leaves.get('Base:x')
    expect(leaf?.after).toEqual(['Thing:list', 'Thing:key'])
  })
})

const order = (things: Parameters<typeof expand>[0]) =>
  deriveGraph(expand(things)).order.map((leaf) => leaf.address.slice('Thing:'.length))

describe('order', () => {
  test('what stands in a folder comes after whoever claims the folder, however they are listed', () => {
    const file = Thing({ name: 'file', claims: [path('/srv/site/a')], uses: [path('/srv/site')] })
    const folder = Thing({ name: 'folder', claims: [path('/srv/site')], uses: [path('/srv')] })
    const above = Thing({ name: 'above', claims: [path('/srv')], uses: [path('/')] })
    expect(order([file, folder, above])).toEqual(['above', 'folder', 'file'])
  })

  test('the nearest claimed folder counts when the one in between is nobody’s', () => {
    const file = Thing({ name: 'file', uses: [path('/srv/site/deep/down')] })
    expect(order([file, Thing({ name: 'srv', claims: [path('/srv')] })])).toEqual(['srv', 'file'])
  })

  test('a name that is used comes after its claimant', () => {
    const file = Thing({ name: 'file', uses: [name('user', 'web')] })
    expect(order([file, Thing({ name: 'user', claims: [name('user', 'web')] })])).toEqual(['user', 'file'])
  })

  test('after and reactions order as well; what is unrelated stays in the order of the project', () => {
    const config = Thing({ name: 'config' })
    const service = Thing({ name: 'service', restartOn: [config] })
    const last = Thing({ name: 'last', after: [service] })
    expect(order([last, Thing({ name: 'x' }), service, config])).toEqual(['config', 'service', 'last', 'x'])
  })

  test('a chain of twenty thousand is no problem', () => {
    let before = Thing({ name: '0' })
    const all = [before]
    for (let i = 1; i < 20_000; i++) {
      before = Thing({ name: String(i), after: [before] })
      all.push(before)
    }
    expect(order(all.reverse())[0]).toBe('0')
  })

  test('a cycle is printed as a path', () => {
    const a = Thing({ name: 'a', claims: [path('/a')], uses: [path('/b')] })
    const b = Thing({ name: 'b', claims: [path('/b')], uses: [path('/a')] })
    expect(() => order([a, b])).toThrow('the Scores wait for each other: Thing:a → Thing:b → Thing:a')
  })

  test('a Score that is not deployed cannot be waited for', () => {
    expect(() => order([Thing({ name: 'a', after: [Thing({ name: 'b' })] })])).toThrow(
      'Thing:a Thing:b is not part of this deployment',
    )
  })
})

describe('claims', () => {
  const conflict = (...claims: readonly (readonly Claim[])[]) => {
    const index = new ClaimIndex<{ address: string; claims: readonly Claim[] }>()
    return claims.flatMap((each, i) => index.add({ address: String(i), claims: each })).length > 0
  }
  test.each([
    ['two of one path', [path('/a')], [path('/a')], true],
    ['two paths', [path('/a')], [path('/ab')], false],
    ['a path in a tree', [tree('/a')], [path('/a/b/c')], true],
    ['a tree around a path', [path('/a/b/c')], [tree('/a')], true],
    ['a tree beside a path with the same beginning', [path('/ab')], [tree('/a')], false],
    ['a tree within a tree', [tree('/a/b')], [tree('/a')], true],
    ['everything and anything', [tree('/')], [path('/a')], true],
    ['two parts of one file', [part('/a', 'x')], [part('/a', 'y')], false],
    ['the same part twice', [part('/a', 'x')], [part('/a', 'x')], true],
    ['a part and the whole file', [part('/a', 'x')], [path('/a')], true],
    ['one name in two spaces', [name('unit', 'x')], [name('port', 'x')], false],
    ['one name in one space', [name('unit', 'x')], [name('unit', 'x')], true],
  ] as const)('%s', (_, a, b, expected) => {
    expect(conflict(a, b)).toBe(expected)
    expect(conflict(b, a)).toBe(expected)
  })

  test('all conflicts are told at once, each with both owners', () => {
    const things = ['a', 'b', 'c'].map((each) => Thing({ name: each, claims: [path('/same')] }))
    expect(() => order(things)).toThrow(
      expect.objectContaining({
        code: 'claim-conflict',
        issues: [
          expect.objectContaining({ message: 'claims /same, and so does Thing:a' }),
          expect.objectContaining({ message: 'claims /same, and so does Thing:b' }),
        ],
      }),
    )
  })
})
