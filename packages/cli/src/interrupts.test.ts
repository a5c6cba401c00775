import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Interrupts } from './interrupts.ts'
import type { Io, StopSignal } from './io.ts'

let handlers: ((signal: StopSignal) => void)[] = []
const io = {
  onSignal(handler: (signal: StopSignal) => void) {
    handlers.push(handler)
    return () => {
      handlers = handlers.filter((each) => each !== handler)
    }
  },
} as unknown as Io
const press = () => {
  for (const handler of handlers) handler('SIGINT')
}

beforeEach(() => {
  handlers = []
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

test('before anything is written the first one ends what reads', async () => {
  const interrupts = new Interrupts(io)
  interrupts.listen()
  press()
  expect(interrupts.reading.aborted).toBe(true)
  expect(() => interrupts.startApplying(() => {})).toThrow('interrupted')
  vi.advanceTimersByTime(2000)
  await expect(interrupts.givenUp).rejects.toMatchObject({ code: 'interrupted' })
})

test('the second one does not wait for what reads', async () => {
  const interrupts = new Interrupts(io)
  interrupts.listen()
  press()
  press()
  await expect(interrupts.givenUp).rejects.toMatchObject({ code: 'interrupted' })
})

test('while steps run the first stops, the second aborts', () => {
  const interrupts = new Interrupts(io)
  const said: string[] = []
  interrupts.listen()
  interrupts.startApplying((text) => said.push(text))
  press()
  expect([interrupts.stop.aborted, interrupts.abort.aborted, interrupts.reading.aborted]).toEqual([
    true,
    false,
    false,
  ])
  press()
  expect(interrupts.abort.aborted).toBe(true)
  expect(said).toEqual([expect.stringContaining('nothing new starts'), 'Aborting what runs.'])
})

test('steps get 30 seconds', () => {
  const interrupts = new Interrupts(io)
  interrupts.listen()
  interrupts.startApplying(() => {})
  press()
  vi.advanceTimersByTime(29_999)
  expect(interrupts.abort.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(interrupts.abort.aborted).toBe(true)
})

test('no timer and no handler is left', () => {
  const interrupts = new Interrupts(io)
  interrupts.listen()
  interrupts.listen()
  expect(handlers).toHaveLength(1)
  press()
  interrupts.close()
  expect(handlers).toHaveLength(0)
  expect(vi.getTimerCount()).toBe(0)
})
