import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import { duplexPair } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Bus, openBus } from './bus.ts'

interface Said {
  readonly serial: number
  readonly member: string
  readonly body?: readonly unknown[]
}
const codec = createRequire(import.meta.url)('@homebridge/dbus-native/lib/message.js') as {
  marshall(message: Record<string, unknown>): Buffer
  unmarshalMessages(stream: Duplex, hear: (message: Said) => void): void
}

/** The other end of a bus: lets in, and answers as told. */
async function opened(
  answer: (call: Said, reply: (message: Record<string, unknown>) => void) => void,
  { chunk = 1_000_000 } = {},
): Promise<{ readonly bus: Bus; readonly far: Duplex; readonly greeting: string }> {
  const [near, far] = duplexPair()
  let serial = 0
  const write = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += chunk) far.write(bytes.subarray(at, at + chunk))
  }
  const opening = openBus(near, 1000, 'a host')
  await once(far, 'readable')
  const first = far.read() as Buffer
  const cut = first.indexOf('BEGIN\r\n') + 7
  far.unshift(first.subarray(cut))
  codec.unmarshalMessages(far, (call) => {
    const reply = (message: Record<string, unknown>) =>
      write(codec.marshall({ type: 2, serial: ++serial, replySerial: call.serial, ...message }))
    if (call.member === 'Hello') reply({ signature: 's', body: [':1.7'] })
    else answer(call, reply)
  })
  write(Buffer.from('OK 1234deadbeef\r\n'))
  return { bus: await opening, far, greeting: first.subarray(0, cut).toString('latin1') }
}

const call = (member: string) => ({ destination: 'x.y', path: '/x', interface: 'x.y', member })

test('it authenticates as the user at the far end', async () => {
  const { greeting } = await opened(() => {})
  expect(greeting).toBe(`\0AUTH EXTERNAL ${Buffer.from('1000').toString('hex')}\r\nBEGIN\r\n`)
})

test.each([1, 3, 16, 17, 1_000_000])('answers that come in pieces of %i bytes', async (chunk) => {
  const body = [['a', 'é'.repeat(3000)], true, 7]
  const { bus } = await opened((_, reply) => reply({ signature: 'asbu', body }), { chunk })
  expect(await bus.call(call('Get'))).toEqual(body)
})

test('an answer without arguments', async () => {
  const { bus } = await opened((_, reply) => reply({}))
  expect(await bus.call(call('Reload'))).toEqual([])
})

test('properties are told as values', async () => {
  const { bus } = await opened((_, reply) =>
    reply({
      signature: 'a{sv}',
      body: [
        [
          ['Id', ['s', 'a.service']],
          ['Paths', ['as', ['/a', '/b']]],
          ['Since', ['t', 1_700_000_000_000_000]],
        ],
      ],
    }),
  )
  const all = await bus.getAll('x.y', '/x', 'x.y')
  expect(all).toEqual({ Id: 'a.service', Paths: ['/a', '/b'], Since: 1_700_000_000_000_000 })
})

test('calls are answered in any order, and no more than the bus takes are unanswered', async () => {
  const asked: { readonly call: Said; readonly reply: (message: Record<string, unknown>) => void }[] = []
  let most = 0
  const { bus } = await opened((call, reply) => {
    asked.push({ call, reply })
    most = Math.max(most, asked.length)
    setImmediate(() => {
      const last = asked.pop()
      last?.reply({ signature: 's', body: [last.call.member] })
    })
  })
  const members = Array.from({ length: 1000 }, (_, i) => `Get${i}`)
  const answers = await Promise.all(members.map((member) => bus.call(call(member))))
  expect(answers).toEqual(members.map((member) => [member]))
  expect(most).toBeLessThanOrEqual(100)
})

test('an error has its name', async () => {
  const { bus } = await opened((_, reply) =>
    reply({ type: 3, errorName: 'x.y.NoSuchUnit', signature: 's', body: ['no such unit'] }),
  )
  await expect(bus.call(call('Start'))).rejects.toMatchObject({
    errorName: 'x.y.NoSuchUnit',
    message: 'no such unit',
  })
})

test('signals are heard by whoever has asked for them', async () => {
  const { bus, far } = await opened((_, reply) => reply({}))
  const heard: unknown[] = []
  await bus.subscribe({ sender: 'x.y', interface: 'x.y', member: 'JobRemoved' }, (body) => heard.push(body))
  const signal = { type: 4, serial: 99, path: '/x', interface: 'x.y', signature: 's' }
  far.write(codec.marshall({ ...signal, member: 'JobNew', body: ['no'] }))
  far.write(codec.marshall({ ...signal, member: 'JobRemoved', body: ['yes'] }))
  await bus.call(call('Flush'))
  expect(heard).toEqual([['yes']])
})

test('a connection that is lost fails what waits, and what comes later', async () => {
  const { bus, far } = await opened(() => far.destroy())
  await expect(bus.call(call('Get'))).rejects.toMatchObject({ code: 'unreachable' })
  await expect(bus.call(call('Get'))).rejects.toMatchObject({ code: 'unreachable' })
  expect(bus.ended).toBe(true)
})

test('a bus that falls silent is given up, and one that is only slow is not', async () => {
  const { bus } = await opened((call, reply) => {
    if (call.member === 'Slow') setTimeout(() => reply({}), 80_000)
  })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const slow = bus.call(call('Slow'))
  const never = expect(bus.call(call('Never'))).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('has not answered for 90 s'),
  })
  await new Promise(setImmediate)
  await vi.advanceTimersByTimeAsync(85_000)
  await slow
  await vi.advanceTimersByTimeAsync(80_000)
  expect(bus.ended).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  await never
})

test.each([
  ['REJECTED EXTERNAL\r\n', 'refused', 'REJECTED EXTERNAL'],
  ['OK 12\r\nHTTP/1.1 400 Bad Request and so on', 'unreachable', 'speaks no D-Bus'],
])('%j', async (answer, code, message) => {
  const [near, far] = duplexPair()
  const opening = openBus(near, 0, 'a host')
  far.write(answer)
  await expect(opening).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
})

test('a user whom the bus hangs up on', async () => {
  const [near, far] = duplexPair()
  const opening = openBus(near, 4711, 'a host')
  far.end()
  await expect(opening).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('4711') })
})
