/** Rules about writes: revisions, expectations, contention, lost answers, time. */
import { isHarmonyError } from '@harmony-iac/core/errors'
import type { Store } from '../store/store.ts'
import { demand, demandFailure, demandSame } from './demand.ts'
import type { StoreRule } from './store-conformance.ts'
import { bytes } from './store-keys.ts'

/** Adds to the number under a key by compare-and-set, as often as it takes, and returns how many conflicts it met. */
export async function countUp(store: Store, key: string, times: number): Promise<number> {
  let conflicts = 0
  for (let done = 0; done < times; ) {
    const entry = await store.get(key)
    const next = bytes(String(Number(Buffer.from(entry?.value ?? []).toString()) + 1))
    try {
      await store.put(key, next, entry?.revision ?? 'absent')
      done++
    } catch (error) {
      if (!isHarmonyError(error) || error.code !== 'store-conflict') throw error
      conflicts++
    }
  }
  return conflicts
}

/** Each with the check. */
export const writeRules: Readonly<Record<'always' | 'inTrouble', readonly StoreRule[]>> = {
  always: [
    [
      'a key that is not there is absent, not an error',
      async ({ store }) => {
        demandSame(await store.get('r.none'), undefined, 'get')
        await store.delete('r.none', 'any')
        demandSame(await store.list('r'), [], 'list')
      },
    ],
    [
      'revisions rise with every write, and what is read is what was acknowledged',
      async ({ store, another }) => {
        const others = await another()
        let last = 0
        for (const [writer, reader, text] of [
          [store, others, 'one'],
          [others, store, 'two'],
          [store, others, 'two'],
        ] as const) {
          const written = await writer.put('r.a', bytes(text), 'any')
          demand(
            Number.isSafeInteger(written.revision) && written.revision > last,
            'the revision did not rise',
          )
          last = written.revision
          const entry = await reader.get('r.a', { atLeast: written.revision })
          demandSame(
            entry && { ...entry, value: Buffer.from(entry.value).toString() },
            { key: 'r.a', value: text, ...written },
            'another client reads',
          )
        }
      },
    ],
    [
      'absent creates once',
      async ({ store, another }) => {
        const { revision } = await store.put('r.a', bytes('1'), 'absent')
        const again = async () => (await another()).put('r.a', bytes('2'), 'absent')
        const { data } = await demandFailure(again, 'store-conflict', 'a second creation')
        demandSame(data, { key: 'r.a', expected: 0, actual: revision }, 'the data of the conflict')
      },
    ],
    [
      'an expected revision is the one that is there, no older, newer or foreign one',
      async ({ store }) => {
        const first = await store.put('r.a', bytes('1'), 'absent')
        const other = await store.put('r.b', bytes('1'), 'absent')
        const second = await store.put('r.a', bytes('2'), first.revision)
        for (const expected of [first.revision, other.revision, second.revision + 1000])
          for (const write of [
            () => store.put('r.a', bytes('3'), expected),
            () => store.delete('r.a', expected),
          ]) {
            const { data } = await demandFailure(write, 'store-conflict', `a write at ${expected}`)
            demandSame(data, { key: 'r.a', expected, actual: second.revision }, 'the data of the conflict')
          }
        demandSame((await store.get('r.a'))?.revision, second.revision, 'the revision after conflicts')
      },
    ],
    [
      'a deleted key is absent, and comes back with a higher revision',
      async ({ store }) => {
        const first = await store.put('r.a', bytes('1'), 'absent')
        await store.delete('r.a', first.revision)
        demandSame(await store.get('r.a', { atLeast: first.revision + 1 }), undefined, 'a deleted key')
        demandSame(await store.list('r'), [], 'the list')
        const update = () => store.put('r.a', bytes('2'), first.revision)
        const { data } = await demandFailure(update, 'store-conflict', 'an update of a deleted key')
        demandSame(data.actual, 0, 'the actual revision of a deleted key')
        const again = await store.put('r.a', bytes('2'), 'absent')
        demand(again.revision > first.revision + 1, 'a revision was used again')
        await store.delete('r.a', 'any')
        await store.delete('r.a', 'any')
        await demandFailure(() => store.delete('r.a', again.revision), 'store-conflict', 'a second deletion')
      },
    ],
    [
      'of many writers who contend every one gets through, and no write is lost',
      async ({ another }) => {
        const writers = await Promise.all(Array.from({ length: 4 }, () => another()))
        await Promise.all(writers.map((writer) => countUp(writer, 'r.count', 10)))
        const [reader] = writers
        demandSame(Buffer.from((await reader?.get('r.count'))?.value ?? []).toString(), '40', 'the count')
      },
    ],
    [
      'of many who create at once one succeeds',
      async ({ another }) => {
        const writers = await Promise.all(Array.from({ length: 4 }, () => another()))
        const results = await Promise.allSettled(
          writers.map((writer, i) => writer.put('r.one', bytes(String(i)), 'absent')),
        )
        const won = results.findIndex(({ status }) => status === 'fulfilled')
        demandSame(results.filter(({ status }) => status === 'fulfilled').length, 1, 'creations')
        const entry = await writers[0]?.get('r.one')
        demandSame(Buffer.from(entry?.value ?? []).toString(), String(won), 'the value that won')
        for (const result of results)
          if (result.status === 'rejected') demandSame(result.reason.code, 'store-conflict', 'the others')
      },
    ],
    [
      'a read that cannot have seen a revision says so in bounded time',
      async ({ store }) => {
        const { revision } = await store.put('r.a', bytes('1'), 'any')
        const ahead = () => store.get('r.a', { atLeast: revision + 1000 })
        const { data } = await demandFailure(ahead, 'store-unreachable', 'a read ahead')
        demandSame(data.reason, 'behind', 'the reason')
      },
    ],
    [
      'the time of a write is between what the clock showed before and after',
      async ({ store }) => {
        const before = await store.now()
        const { time } = await store.put('r.a', bytes('1'), 'any')
        const after = await store.now()
        demand(before <= time && time <= after, `${before} <= ${time} <= ${after}`)
        demandSame((await store.get('r.a'))?.time, time, 'the time that is read')
      },
    ],
    [
      'a closed store refuses every call and closes twice',
      async ({ another }) => {
        const store = await another()
        await store.close()
        await store.close()
        for (const call of [
          () => store.get('r.a'),
          () => store.put('r.a', bytes('1'), 'any'),
          () => store.delete('r.a', 'any'),
          () => store.list('r'),
          () => store.now(),
          async () => store.watch({ below: 'r' }),
        ]) {
          const { data } = await demandFailure(call, 'store-unreachable', 'a call')
          demandSame(data.reason, 'closed', 'the reason')
        }
      },
    ],
  ],
  inTrouble: [
    [
      'a write whose answer was lost may have been done: its content tells',
      async ({ store, another, trouble }) => {
        for (const lost of ['stored', 'not stored'] as const) {
          const key = `r.${lost.replace(' ', '-')}`
          const { revision } = await store.put(key, bytes('old'), 'absent')
          trouble?.loseAnswer(lost)
          const put = () => store.put(key, bytes('new'), revision)
          await demandFailure(put, 'store-uncertain', `a put that was ${lost}`)
          const entry = await (await another()).get(key)
          const is = Buffer.from(entry?.value ?? []).toString()
          demandSame(is, lost === 'stored' ? 'new' : 'old', `after a put that was ${lost}`)
          await store.put(key, bytes('newer'), entry?.revision ?? 'absent')
        }
      },
    ],
    [
      'a deletion whose answer was lost can be done again',
      async ({ store, trouble }) => {
        for (const lost of ['stored', 'not stored'] as const) {
          await store.put('r.a', bytes('1'), 'any')
          trouble?.loseAnswer(lost)
          await demandFailure(() => store.delete('r.a', 'any'), 'store-uncertain', 'a deletion')
          await store.delete('r.a', 'any')
          demandSame(await store.get('r.a'), undefined, 'after the second')
        }
      },
    ],
    [
      'a client that is cut off fails, and goes on when it is back',
      async ({ store, trouble }) => {
        const { revision } = await store.put('r.a', bytes('1'), 'any')
        trouble?.cut()
        await demandFailure(() => store.put('r.a', bytes('2'), revision), 'store-unreachable', 'a put')
        await demandFailure(() => store.get('r.a'), 'store-unreachable', 'a get')
        await demandFailure(() => store.list('r'), 'store-unreachable', 'a list')
        trouble?.restore()
        await store.put('r.a', bytes('2'), revision)
      },
    ],
  ],
}
