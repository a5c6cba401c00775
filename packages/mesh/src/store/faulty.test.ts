import { describe, expect, test } from 'vitest'
import { storeConformance } from '../testing/store-conformance.ts'
import { Watcher } from '../testing/store-watcher.ts'
import { faultyStore, StoreFaults } from './faulty.ts'
import { MemoryContents, memoryStore } from './memory.ts'
import type { Store } from './store.ts'

const text = (value: string) => new TextEncoder().encode(value)

describe('a store with faults', () => {
  const checks = storeConformance({
    name: 'memory behind faults',
    has: { trouble: true, restart: false },
    open: async () => {
      const contents = new MemoryContents()
      const faults = new StoreFaults()
      return {
        store: faultyStore(memoryStore(contents), faults),
        another: async () => memoryStore(contents),
        trouble: {
          loseAnswer: (lost) => faults.loseAnswers(lost),
          cut: () => faults.cut(),
          restore: () => faults.restore(),
        },
        [Symbol.asyncDispose]: async () => {},
      }
    },
  })
  for (const { name, run } of checks) test(name, run)

  const behind = storeConformance({
    name: 'memory whose reads are behind',
    has: { trouble: false, restart: false },
    open: async () => {
      const contents = new MemoryContents()
      const faults = new StoreFaults()
      const client = (): Store => {
        const inner = memoryStore(contents)
        const outer = faultyStore(inner, faults)
        return {
          ...outer,
          put: async (key, value, expected) => {
            const before = await inner.get(key)
            const written = await outer.put(key, value, expected)
            faults.staleRead(key, before)
            return written
          },
        }
      }
      return {
        store: client(),
        another: async () => client(),
        settled: async () => faults.catchUp(),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  })
  for (const { name, run } of behind) test(name, run)

  test('answers once with what was there before', async () => {
    const faults = new StoreFaults()
    await using store = faultyStore(memoryStore(), faults)
    await store.put('a.b', text('old'), 'any')
    const old = await store.get('a.b')
    const { revision } = await store.put('a.b', text('new'), 'any')

    faults.staleRead('a.b', old)
    expect(await store.get('a.b', { atLeast: revision })).toMatchObject({ value: text('new') })
    expect(await store.get('a.b')).toEqual(old)
    expect(await store.get('a.b')).toMatchObject({ value: text('new') })
  })

  test('holds events back, and tells them all when they are released', async () => {
    const faults = new StoreFaults()
    await using store = faultyStore(memoryStore(), faults)
    await using watcher = new Watcher(store, { below: 'a' })
    await watcher.until('current')

    faults.hold()
    let told = false
    const next = watcher.change().then((change) => {
      told = true
      return change
    })
    await store.put('a.b', text('1'), 'any')
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toBe(false)
    faults.release()
    expect(await next).toEqual(['a.b', '1'])
  })

  test('tells events twice', async () => {
    const faults = new StoreFaults()
    await using store = faultyStore(memoryStore(), faults)
    await store.put('a.b', text('1'), 'any')
    faults.repeat(2)
    await using watcher = new Watcher(store, { below: 'a' })
    expect(await watcher.until('current')).toEqual([
      ['a.b', '1'],
      ['a.b', '1'],
    ])
  })
})
