import { describe, expect, test } from 'vitest'
import { storeConformance } from '../testing/store-conformance.ts'
import { Watcher } from '../testing/store-watcher.ts'
import { MemoryContents, memoryStore } from './memory.ts'

const text = (value: string) => new TextEncoder().encode(value)

describe('a store in memory', () => {
  const checks = storeConformance({
    name: 'memory',
    has: { trouble: false, restart: true },
    open: async () => {
      const contents = new MemoryContents()
      return {
        store: memoryStore(contents),
        another: async () => memoryStore(contents),
        restart: async () => memoryStore(contents),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  })
  for (const { name, run } of checks) test(name, run)

  test('tells a watch that it was restored from a backup', async () => {
    const contents = new MemoryContents()
    await using store = memoryStore(contents)
    await store.put('a.kept', text('1'), 'absent')
    const restore = contents.backup()
    await using watcher = new Watcher(store, { below: 'a' })
    await watcher.until('current')
    await store.put('a.lost', text('2'), 'absent')
    expect(await watcher.change()).toEqual(['a.lost', '2'])

    restore()
    expect(await watcher.next()).toEqual({ type: 'reset', reason: 'rewound' })
    expect(await watcher.until('current')).toEqual([['a.kept', '1']])
  })

  test('starts a watch anew whose cursor is older than the deletions it remembers', async () => {
    await using store = memoryStore(new MemoryContents({ remembered: 2 }))
    for (const key of ['a.1', 'a.2', 'a.3', 'a.kept']) await store.put(key, text(key), 'absent')
    const first = new Watcher(store, { below: 'a' })
    await first.until('current')
    await first.end()
    for (const key of ['a.1', 'a.2', 'a.3']) await store.delete(key, 'any')

    await using second = new Watcher(store, { below: 'a' }, first.cursor)
    expect(await second.next()).toEqual({ type: 'reset', reason: 'forgotten' })
    expect(await second.until('current')).toEqual([['a.kept', 'a.kept']])
  })

  test('shows the time of the clock it was given', async () => {
    await using store = memoryStore(new MemoryContents({ clock: () => 42 }))
    expect(await store.now()).toBe(42)
    expect(await store.put('a.b', text(''), 'any')).toMatchObject({ time: 42 })
  })
})
