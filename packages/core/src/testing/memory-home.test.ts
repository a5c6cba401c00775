import { expect, test } from 'vitest'
import { Faults } from './faults.ts'
import { MemoryHome } from './memory-home.ts'

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
const bytes = (value: string) => Buffer.from(value)

test('files are appended to, replaced and removed', async () => {
  const home = new MemoryHome()
  expect(await home.read('a')).toBeUndefined()
  await home.append('a', bytes('one '))
  await home.append('a', bytes('two'))
  expect(text(await home.read('a'))).toBe('one two')
  await home.replace('a', bytes('three'))
  expect(text(await home.read('a'))).toBe('three')
  await home.remove('a')
  expect([...home.stored]).toEqual([])
})

test.each([
  ['before', 'old'],
  [1, 'oldne'],
  ['after', 'oldnew!'],
] as const)('an append that is killed at %s leaves %s', async (moment, left) => {
  const faults = new Faults()
  const home = new MemoryHome({ faults })
  await home.append('journal', bytes('old'))
  faults.killAt(1, moment)
  await expect(home.append('journal', bytes('new!'))).rejects.toThrow('killed')
  faults.restart()
  expect(text(await home.read('journal'))).toBe(left)
})

test('one holder at a time; who waits too long is told who it is', async () => {
  const home = new MemoryHome({ name: 'kiosk' })
  const met: string[] = []
  const first = await home.lock({ holder: 'anna', waitMs: 0 })
  const second = home.lock({ holder: 'ben', waitMs: 10_000, onWait: (holder) => met.push(holder) })
  await expect(second).rejects.toMatchObject({
    code: 'locked',
    message: 'the memory of kiosk is held by anna',
  })
  expect(met).toEqual(['anna'])
  await first.release()
  await first.release()
  const third = await home.lock({ holder: 'carl', waitMs: 0 })
  await first.release()
  expect(home.holder).toBe('carl')
  await third.release()
})

test('who waits gets the lock as soon as it is free', async () => {
  const home = new MemoryHome()
  const first = await home.lock({ holder: 'anna', waitMs: 0 })
  const second = home.lock({ holder: 'ben', waitMs: 10_000 })
  await first.release()
  await (await second).release()
  expect(home.holder).toBeUndefined()
})

test('who waits may give up', async () => {
  const home = new MemoryHome()
  await home.lock({ holder: 'anna', waitMs: 0 })
  const abort = new AbortController()
  const second = home.lock({ holder: 'ben', waitMs: 10_000, signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(second).rejects.toThrow('enough')
})

test('the lock ends with its holder', async () => {
  const faults = new Faults()
  const home = new MemoryHome({ faults })
  await home.lock({ holder: 'anna', waitMs: 0 })
  faults.kill()
  faults.restart()
  const { lost } = await home.lock({ holder: 'ben', waitMs: 0 })
  expect(lost.aborted).toBe(false)
  home.loseLock()
  expect(lost.aborted).toBe(true)
})
