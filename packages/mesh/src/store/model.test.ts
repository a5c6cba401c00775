/** Whatever is done to a store in memory and to one in a file, they say the same, and watches of both end with the same. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isHarmonyError } from '@harmony-iac/core/errors'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { MemoryContents, memoryStore } from './memory.ts'
import { openSqliteStore } from './sqlite/sqlite.ts'
import type { Cursor, Expected, Store } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'harmony-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const names = ['a', 'b', 'c'] as const
type Name = (typeof names)[number]
type Deed =
  | {
      readonly do: 'put' | 'delete'
      readonly name: Name
      readonly expects: 'absent' | 'any' | 'seen' | 'old'
    }
  | { readonly do: 'watch' }

const deeds = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom('put' as const, 'delete' as const),
        name: fc.constantFrom(...names),
        expects: fc.constantFrom('absent' as const, 'any' as const, 'seen' as const, 'old' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('watch' as const) }) },
  ),
  { maxLength: 40 },
)

/** What a watch has been told, by name; it reads until it is current, and is resumed from its cursor. */
class Mirror {
  readonly values = new Map<string, string>()
  #cursor: Cursor | undefined

  async follow(store: Store, below: string): Promise<void> {
    for await (const event of store.watch({ below }, { after: this.#cursor })) {
      if ('cursor' in event) this.#cursor = event.cursor
      if (event.type === 'put') this.values.set(event.entry.key, Buffer.from(event.entry.value).toString())
      if (event.type === 'delete') this.values.delete(event.key)
      if (event.type === 'reset') this.values.clear()
      if (event.type === 'current') return
    }
  }
}

/** Does them all, and says how each ended and what is there. */
async function play(store: Store, below: string, list: readonly Deed[]): Promise<unknown> {
  const said: string[] = []
  const mirror = new Mirror()
  const revisions = new Map<string, number[]>()
  for (const [i, deed] of list.entries()) {
    if (deed.do === 'watch') {
      await mirror.follow(store, below)
      continue
    }
    const key = `${below}.${deed.name}`
    const known = revisions.get(key) ?? [1_000_000]
    const expected: Expected =
      deed.expects === 'seen' ? (known.at(-1) ?? 0) : deed.expects === 'old' ? (known[0] ?? 0) : deed.expects
    try {
      if (deed.do === 'delete') await store.delete(key, expected === 'absent' ? 'any' : expected)
      else
        revisions.set(key, [
          ...(revisions.get(key) ?? []),
          (await store.put(key, Buffer.from(`${i}`), expected)).revision,
        ])
      said.push('done')
    } catch (error) {
      if (!isHarmonyError(error)) throw error
      said.push(
        error.code === 'store-conflict'
          ? `conflict, there is ${error.data.actual === 0 ? 'none' : 'one'}`
          : error.code,
      )
    }
  }
  await mirror.follow(store, below)
  const there = (await store.list(below)).map(({ key, value }) => [key.at(-1), Buffer.from(value).toString()])
  expect([...mirror.values].map(([key, value]) => [key.at(-1), value]).sort()).toEqual(there)
  return { said, there }
}

test('a store in memory and one in a file cannot be told apart', async () => {
  const contents = new MemoryContents({ remembered: 2 })
  await using memory = memoryStore(contents)
  await using file = await openSqliteStore(join(folder, 'store.db'), { create: true })
  let run = 0
  await fc.assert(
    fc.asyncProperty(deeds, async (list) => {
      // A space for each run: nothing has to be made anew.
      const below = `run-${run++}`
      expect(await play(file, below, list)).toEqual(await play(memory, below, list))
    }),
    { numRuns: 60 },
  )
})
