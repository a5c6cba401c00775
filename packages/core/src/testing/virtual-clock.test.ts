import { expect, test } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'

test('an hour passes at once, in the order of the sleepers', async () => {
  const clock = new VirtualClock()
  const woken: [string, number][] = []
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push([name, clock.now()])
  }
  await Promise.all([
    sleeper('late', 3_600_000),
    sleeper('early', 10),
    sleeper('now', 0),
    sleeper('past', -5),
  ])
  expect(woken).toEqual([
    ['now', 0],
    ['past', 0],
    ['early', 10],
    ['late', 3_600_000],
  ])
  expect(clock.sleeping).toBe(0)
})

test('time does not pass while there is something to do', async () => {
  const clock = new VirtualClock()
  const asleep = clock.sleep(1000)
  for (let i = 0; i < 100; i++) await Promise.resolve()
  expect(clock.now()).toBe(0)
  await asleep
  expect(clock.now()).toBe(1000)
})

test('by hand it advances as far as it is told, and what is slept meanwhile counts', async () => {
  const clock = new VirtualClock({ manual: true })
  const woken: number[] = []
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(60)
      woken.push(clock.now())
    }
  })()
  await clock.advance(59)
  expect(woken).toEqual([])
  await clock.advance(70)
  expect([woken, clock.now()]).toEqual([[60, 120], 129])
  await clock.advance(1000)
  await loop
  expect(woken).toEqual([60, 120, 180])
})

test('whoever aborts sleeps no longer', async () => {
  const clock = new VirtualClock({ manual: true })
  const abort = new AbortController()
  const asleep = clock.sleep(1000, abort.signal)
  abort.abort(new Error('enough'))
  await expect(asleep).rejects.toThrow('enough')
  await expect(clock.sleep(1, abort.signal)).rejects.toThrow('enough')
  expect(clock.sleeping).toBe(0)
})
