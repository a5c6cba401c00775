/** Rules about keys, prefixes and values. */
import { type Store, storeLimits } from '../store/store.ts'
import { demand, demandFailure, demandSame } from './demand.ts'
import type { StoreRule } from './store-conformance.ts'
import { Watcher } from './store-watcher.ts'

/** Keys that mean something to a shell, a file system, SQL, a subject of NATS, or JavaScript. */
const hostile = [
  '',
  '.',
  'a',
  '.a.b',
  'a.b.',
  'a..b',
  'a.*',
  'a.>',
  'a.b c',
  'a.b\n',
  'a.b\0c',
  'a/b.c',
  '../a.b',
  'a.ä',
  'a.%',
  "a.b'; drop table entries; --",
]
/** Keys that look odd and are none the less keys. */
const odd = ['__proto__.constructor', 'a.__proto__', '-.-', '_.0', 'a.A', 'a.a', '0.-1', 'a.NULL']

const oversized = new Uint8Array(storeLimits.value + 1)

/** Every call that takes a key. */
function callsWith(store: Store, key: string): readonly (readonly [string, () => unknown])[] {
  return [
    ['get', () => store.get(key)],
    ['put', () => store.put(key, bytes('x'), 'any')],
    ['delete', () => store.delete(key, 'any')],
    ['watch', async () => store.watch({ key })],
  ]
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Each with the check. */
export const keyRules: readonly StoreRule[] = [
  [
    'keys that are none are refused by every call',
    async ({ store }) => {
      for (const key of hostile)
        for (const [call, run] of callsWith(store, key))
          await demandFailure(run, 'invalid-value', `${call}(${JSON.stringify(key)})`)
      for (const below of hostile.filter((key) => key !== 'a')) {
        await demandFailure(() => store.list(below), 'invalid-value', `list(${JSON.stringify(below)})`)
        await demandFailure(() => store.watch({ below }), 'invalid-value', `watch below ${below}`)
      }
    },
  ],
  [
    'odd keys are kept apart, by their case too',
    async ({ store }) => {
      for (const key of odd) await store.put(key, bytes(key), 'absent')
      for (const key of odd)
        demandSame(Buffer.from((await store.get(key))?.value ?? []).toString(), key, `the value of ${key}`)
      demandSame(await keysBelow(store, 'a'), ['a.A', 'a.NULL', 'a.__proto__', 'a.a'], 'the keys below a')
    },
  ],
  [
    'the longest key is kept, and a longer one refused',
    async ({ store }) => {
      const key = `a.${'k'.repeat(storeLimits.key - 2)}`
      await store.put(key, bytes('x'), 'absent')
      demand((await store.get(key)) !== undefined, 'the longest key is not there')
      demandSame(await keysBelow(store, 'a'), [key], 'the keys below a')
      for (const [call, run] of callsWith(store, `${key}k`))
        await demandFailure(run, 'store-too-large', `${call} with a key that is too long`)
    },
  ],
  [
    'a prefix is of whole segments, and is not below itself',
    async ({ store }) => {
      const keys = ['a.b', 'a.b.c', 'a.b.c.d', 'a.b-c', 'a.bc', 'a.b_.c', 'a.b0.c', 'ab.b.c', 'A.b.c']
      for (const key of keys) await store.put(key, bytes(key), 'absent')
      demandSame(await keysBelow(store, 'a.b'), ['a.b.c', 'a.b.c.d'], 'the keys below a.b')
      demandSame(await keysBelow(store, 'a.b.c'), ['a.b.c.d'], 'the keys below a.b.c')
      demandSame(await keysBelow(store, 'a.x'), [], 'the keys below a.x')
      await using watcher = new Watcher(store, { below: 'a.b' })
      demandSame(
        (await watcher.until('current')).map(([key]) => key),
        ['a.b.c', 'a.b.c.d'],
        'watched',
      )
      await using exact = new Watcher(store, { key: 'a.b' })
      demandSame(
        (await exact.until('current')).map(([key]) => key),
        ['a.b'],
        'watched exactly',
      )
    },
  ],
  [
    'values are any bytes, none at all, and as large as the limit',
    async ({ store }) => {
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      const largest = Uint8Array.from({ length: storeLimits.value }, (_, i) => (i * 31) & 255)
      for (const [key, value] of Object.entries({
        'v.all': all,
        'v.none': bytes(''),
        'v.largest': largest,
      })) {
        await store.put(key, value, 'absent')
        const entry = await store.get(key)
        demand(entry !== undefined && Buffer.compare(entry.value, value) === 0, `${key} came back changed`)
      }
      const listed = new Map((await store.list('v')).map(({ key, value }) => [key, value.byteLength]))
      demandSame(
        [...listed],
        [
          ['v.all', 256],
          ['v.largest', storeLimits.value],
          ['v.none', 0],
        ],
        'listed sizes',
      )
    },
  ],
  [
    'a value over the limit is refused, and nothing is written',
    async ({ store }) => {
      const put = () => store.put('v.big', oversized, 'any')
      const { data } = await demandFailure(put, 'store-too-large', 'a put')
      demandSame(data, { size: oversized.byteLength, limit: storeLimits.value }, 'the data of the error')
      demand((await store.get('v.big')) === undefined, 'something was written')
    },
  ],
  [
    'what is kept does not change with the buffers of who wrote or read it',
    async ({ store }) => {
      const buffer = bytes('mine')
      await store.put('v.a', buffer, 'any')
      buffer.fill(0)
      ;(await store.get('v.a'))?.value.fill(0)
      demandSame(Buffer.from((await store.get('v.a'))?.value ?? []).toString(), 'mine', 'the value')
    },
  ],
]

async function keysBelow(store: Store, below: string): Promise<readonly string[]> {
  return (await store.list(below)).map(({ key }) => key)
}
