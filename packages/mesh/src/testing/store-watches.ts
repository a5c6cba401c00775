/** Rules about watches. */
import type { Store } from '../store/store.ts'
import { demand, demandSame } from './demand.ts'
import type { StoreRule } from './store-conformance.ts'
import { bytes } from './store-keys.ts'
import { Watcher } from './store-watcher.ts'

async function put(store: Store, key: string, text: string): Promise<void> {
  await store.put(key, bytes(text), 'any')
}

/** Each with the check. */
export const watchRules: Readonly<Record<'always' | 'inTrouble' | 'acrossRestarts', readonly StoreRule[]>> = {
  always: [
    [
      'a watch of nothing is current at once, and tells what comes',
      async ({ store, another }) => {
        const others = await another()
        await using below = new Watcher(store, { below: 'w' })
        await using exact = new Watcher(store, { key: 'w.b' })
        for (const watcher of [below, exact]) demandSame(await watcher.until('current'), [], 'told at first')
        for (const [key, text] of [
          ['w.a', '1'],
          ['w.b', '2'],
          ['x.b', '3'],
        ] as const)
          await put(others, key, text)
        await others.delete('w.b', 'any')
        demandSame(await below.change(), ['w.a', '1'], 'first')
        demandSame(await lastOf(below, 'w.b', 'gone'), ['w.b', 'gone'], 'last')
        demandSame(await lastOf(exact, 'w.b', 'gone'), ['w.b', 'gone'], 'last of the one key')
      },
    ],
    [
      'a watch is told nothing of what it does not watch',
      async ({ store, another }) => {
        const others = await another()
        await using watcher = new Watcher(store, { below: 'w' })
        await using elsewhere = new Watcher(store, { below: 'x' })
        for (const each of [watcher, elsewhere]) await each.until('current')
        const next = watcher.next()
        for (const text of ['1', '2']) {
          await put(others, 'x.a', text)
          await lastOf(elsewhere, 'x.a', text)
        }
        await put(others, 'w.a', '3')
        const event = await next
        demandSame(event.type === 'put' && event.entry.key, 'w.a', 'the key of what is told next')
      },
    ],
    [
      'a watch begins with what is there, in the order of revisions, without what was deleted',
      async ({ store }) => {
        for (const key of ['w.c', 'w.a', 'w.gone', 'w.b', 'w.a']) await put(store, key, key)
        await store.delete('w.gone', 'any')
        await using watcher = new Watcher(store, { below: 'w' })
        const told = await watcher.until('current')
        demandSame(
          told,
          [
            ['w.c', 'w.c'],
            ['w.b', 'w.b'],
            ['w.a', 'w.a'],
          ],
          'told',
        )
      },
    ],
    [
      'a watch that is resumed tells what it missed, once, deletions too',
      async ({ store, another }) => {
        const others = await another()
        for (const key of ['w.kept', 'w.gone', 'w.changed']) await put(store, key, 'old')
        const first = new Watcher(store, { below: 'w' })
        demandSame((await first.until('current')).length, 3, 'told at first')
        await first.end()
        await put(others, 'w.changed', 'new')
        await others.delete('w.gone', 'any')
        await put(others, 'w.added', 'new')
        await using second = new Watcher(others, { below: 'w' }, first.cursor)
        const missed = [
          ['w.changed', 'new'],
          ['w.gone', 'gone'],
          ['w.added', 'new'],
        ]
        demandSame(await second.until('current'), missed, 'told again')
        await using third = new Watcher(store, { below: 'w' }, second.cursor)
        demandSame(await third.until('current'), [], 'told with nothing missed')
      },
    ],
    [
      'a watch may be resumed after every single event',
      async ({ store }) => {
        for (let i = 0; i < 8; i++) await put(store, `w.k${i}`, String(i))
        const seen: string[] = []
        let cursor: string | undefined
        for (let i = 0; i < 8; i++) {
          await using watcher = new Watcher(store, { below: 'w' }, cursor)
          seen.push((await watcher.change())[1])
          cursor = watcher.cursor
        }
        demandSame(seen.join(''), '01234567', 'told one at a time')
        await using watcher = new Watcher(store, { below: 'w' }, cursor)
        demandSame(await watcher.until('current'), [], 'told in the end')
      },
    ],
    [
      'while others write, a watch rises and ends with what is there',
      async ({ store, another }) => {
        const others = [await another(), await another()]
        await using watcher = new Watcher(store, { below: 'w' })
        await watcher.until('current')
        const writes = others.map(async (writer, w) => {
          for (let i = 0; i < 30; i++) await put(writer, `w.${w}-${i % 7}`, `${i}`)
          await put(writer, `w.end${w}`, 'end')
        })
        const last = new Map<string, string>()
        let revision = 0
        for (let ends = 0; ends < 2; ) {
          const event = await watcher.next()
          demand(event.type === 'put', `told ${event.type}`)
          demand(event.entry.revision > revision, `revision ${event.entry.revision} after ${revision}`)
          revision = event.entry.revision
          last.set(event.entry.key, Buffer.from(event.entry.value).toString())
          if (event.entry.key.startsWith('w.end')) ends++
        }
        await Promise.all(writes)
        const there = (await store.list('w')).map(({ key, value }) => [key, Buffer.from(value).toString()])
        demandSame([...last].sort(), there.sort(), 'what was told last')
      },
    ],
    [
      'a watcher that is slow gets last values, and its own writes are told as others are',
      async ({ store }) => {
        await using watcher = new Watcher(store, { key: 'w.a' })
        await watcher.until('current')
        for (let i = 0; i <= 20; i++) await put(store, 'w.a', String(i))
        demandSame(await lastOf(watcher, 'w.a', '20'), ['w.a', '20'], 'the last')
      },
    ],
    [
      'a cursor of another store starts anew',
      async ({ store }) => {
        await put(store, 'w.a', '1')
        for (const cursor of ['', 'x', 'another:3', 'another:99999999']) {
          await using watcher = new Watcher(store, { below: 'w' }, cursor)
          demandSame(await watcher.next(), { type: 'reset', reason: 'rewound' }, `first with ${cursor}`)
          demandSame(await watcher.until('current'), [['w.a', '1']], 'then')
        }
      },
    ],
    [
      'a watch ends when told to, and with its store',
      async ({ store, another }) => {
        const watcher = new Watcher(store, { below: 'w' })
        await watcher.until('current')
        await watcher.end()
        const closing = await another()
        const events = closing.watch({ below: 'w' })[Symbol.asyncIterator]()
        await events.next()
        const next = events.next()
        await closing.close()
        demandSame(await next, { done: true }, 'after the store was closed')
        for await (const event of store.watch({ below: 'w' }, { signal: AbortSignal.abort() }))
          demand(false, `a watch that was aborted before told ${event.type}`)
      },
    ],
  ],
  inTrouble: [
    [
      'a watch that is cut off says so, and tells what it missed once it is back',
      async ({ store, another, trouble }) => {
        const others = await another()
        await put(others, 'w.a', '1')
        await using watcher = new Watcher(store, { below: 'w' })
        demandSame(await watcher.until('current'), [['w.a', '1']], 'told before')
        trouble?.cut()
        demandSame(await watcher.until('interrupted'), [], 'told when cut off')
        await put(others, 'w.b', '2')
        trouble?.restore()
        demandSame(await watcher.until('current'), [['w.b', '2']], 'told when back')
      },
    ],
  ],
  acrossRestarts: [
    [
      'what was acknowledged outlives a restart, and a watch goes on where it was',
      async (stage) => {
        const { store, restart } = stage
        demand(restart !== undefined, 'the stage cannot restart')
        const { revision } = await store.put('w.a', bytes('1'), 'any')
        const before = new Watcher(store, { below: 'w' })
        await before.until('current')
        await put(store, 'w.b', '2')
        const again = await restart()
        demandSame((await again.get('w.a'))?.revision, revision, 'the revision')
        await using watcher = new Watcher(again, { below: 'w' }, before.cursor)
        demandSame(await watcher.until('current'), [['w.b', '2']], 'told after the restart')
        demand((await again.put('w.a', bytes('3'), revision)).revision > revision + 1, 'revisions went back')
      },
    ],
  ],
}

/** What is told last of a key; what was replaced may be left out. */
async function lastOf(watcher: Watcher, key: string, value: string): Promise<readonly [string, string]> {
  for (;;) {
    const told = await watcher.change()
    if (told[0] === key && told[1] === value) return told
  }
}
