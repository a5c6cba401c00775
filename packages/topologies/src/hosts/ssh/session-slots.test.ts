import { expect, test, vi } from 'vitest'
import type { SessionUse } from '../sessions.ts'
import { SessionSlots } from './session-slots.ts'

function begun(slots: SessionSlots, ...uses: readonly SessionUse[]) {
  const log: string[] = []
  uses.forEach((use, i) => {
    slots.take(use).then(
      () => log.push(`${use} ${i}`),
      (error: Error) => log.push(error.message),
    )
  })
  return log
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('programs run however many sockets are open', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const slots = new SessionSlots()
    const log = begun(slots, ...Array<SessionUse>(7).fill('socket'), 'program', 'program')
    await settle()
    expect(log).toEqual(['socket 0', 'socket 1', 'socket 2', 'socket 3', 'socket 4', 'program 7'])
    slots.giveBack('program')
    await settle()
    expect(log.at(-1)).toBe('program 8')
    slots.giveBack('socket')
    await settle()
    expect(log.at(-1)).toBe('socket 5')
    vi.advanceTimersByTime(20_000)
    await settle()
    expect(log.at(-1)).toContain('no more than 5 sockets')
  } finally {
    vi.useRealTimers()
  }
})

test('a socket waits for programs that take long, and is not told that there are too many sockets', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const slots = new SessionSlots()
    const log = begun(slots, ...Array<SessionUse>(6).fill('program'), 'socket')
    vi.advanceTimersByTime(60_000)
    await settle()
    expect(log).toHaveLength(6)
    slots.giveBack('program')
    await settle()
    expect(log.at(-1)).toBe('socket 6')
  } finally {
    vi.useRealTimers()
  }
})

test('what lasts and what is urgent waits for nobody', async () => {
  const slots = new SessionSlots()
  const log = begun(slots, ...Array<SessionUse>(8).fill('program'), 'lasting', 'urgent')
  await settle()
  expect(log).toHaveLength(8)
  expect(log.slice(-2)).toEqual(['lasting 8', 'urgent 9'])
})

test('the end of the connection lets everybody go on', async () => {
  const slots = new SessionSlots()
  const log = begun(slots, ...Array<SessionUse>(9).fill('program'))
  await settle()
  slots.end()
  await settle()
  expect(log).toHaveLength(9)
})
