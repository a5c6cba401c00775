import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Relay, startRelay } from './relay.ts'

/** Something that listens and answers, on a free port. */
async function serve(answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const echo = (socket: Socket) => socket.pipe(socket)

async function relayTo(answer: (socket: Socket) => void, latencyMs?: number): Promise<Relay> {
  const relay = await startRelay({ to: await serve(answer), latencyMs })
  onTestFinished(() => relay[Symbol.asyncDispose]())
  return relay
}

/** A client, and what it has got so far. */
async function dial({ port }: Relay) {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    got += chunk
  })
  const closed = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('close', () => resolve('closed'))
  })
  await Promise.race([once(socket, 'connect'), closed])
  onTestFinished(() => {
    socket.destroy()
  })
  return {
    socket,
    /** How the connection ended. */
    closed,
    got: () => got,
    async until(text: string) {
      while (got !== text) await once(socket, 'data')
    },
  }
}

test('what either end says reaches the other, and is counted', async () => {
  const relay = await relayTo(echo)
  const client = await dial(relay)
  client.socket.write('hello')
  await client.until('hello')
  client.socket.end(' again')
  expect(await client.closed).toBe('closed')
  expect(client.got()).toBe('hello again')
  expect(relay.counters).toEqual({ connections: 1, dropped: 0, bytesUp: 11, bytesDown: 11, roundTrips: 2 })
})

test('a megabyte passes a slow reader whole', async () => {
  const relay = await relayTo(echo)
  const client = await dial(relay)
  client.socket.pause()
  client.socket.end('x'.repeat(1_000_000))
  await nextTurn()
  client.socket.resume()
  await client.closed
  expect(client.got()).toBe('x'.repeat(1_000_000))
})

test('a greeting of the server is no round trip, its answers are', async () => {
  const relay = await relayTo((socket) => {
    socket.write('welcome')
    socket.on('data', (chunk) => socket.write(`<${chunk}>`))
  })
  const client = await dial(relay)
  await client.until('welcome')
  expect(relay.counters.roundTrips).toBe(0)
  client.socket.write('a')
  await client.until('welcome<a>')
  client.socket.write('b')
  await client.until('welcome<a><b>')
  expect(relay.counters.roundTrips).toBe(2)
})

test('a server that is not there resets the client', async () => {
  const relay = await startRelay({ to: 1 })
  onTestFinished(() => relay[Symbol.asyncDispose]())
  const client = await dial(relay)
  expect(await client.closed).toBe('ECONNRESET')
})

describe('with latency', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Lets sockets do what they can do without the clock going on. */
  async function settle() {
    for (let i = 0; i < 100; i += 1) await nextTurn()
  }
  async function pass(ms: number) {
    await settle()
    await vi.advanceTimersByTimeAsync(ms)
    await settle()
  }

  test('pipelined chunks are each late by as much, and arrive together', async () => {
    const arrived: string[] = []
    const relay = await relayTo((socket) => socket.on('data', (chunk) => arrived.push(`${chunk}`)), 50)
    const { socket } = await dial(relay)
    await pass(150)
    for (let i = 0; i < 20; i += 1) {
      socket.write(`${i},`)
      await pass(1)
    }
    expect(arrived).toEqual([])
    await pass(29)
    expect(arrived.join('')).toBe('')
    await pass(1)
    expect(arrived.join('')).toBe('0,')
    await pass(19)
    expect(arrived.join('')).toBe(Array.from({ length: 20 }, (_, i) => `${i},`).join(''))
  })

  test('an answer takes one way back as well, after the handshake of TCP', async () => {
    const relay = await relayTo(echo, 50)
    const client = await dial(relay)
    client.socket.write('hello')
    await pass(150)
    await pass(49)
    expect(client.got()).toBe('')
    await pass(1)
    expect(client.got()).toBe('hello')
    expect(relay.counters.roundTrips).toBe(1)
  })

  test('requests that do not wait for answers share a round trip', async () => {
    const relay = await relayTo(echo, 50)
    const client = await dial(relay)
    await pass(150)
    for (let i = 0; i < 30; i += 1) {
      client.socket.write('request')
      await pass(1)
    }
    await pass(100)
    expect(client.got()).toBe('request'.repeat(30))
    expect(relay.counters.roundTrips).toBe(1)
    client.socket.write('next')
    await pass(50)
    await pass(50)
    expect(relay.counters.roundTrips).toBe(2)
  })
})

describe('a cut', () => {
  test('drops connections and refuses new ones until it is healed', async () => {
    const relay = await relayTo(echo)
    const client = await dial(relay)
    client.socket.write('hello')
    await client.until('hello')
    await relay.cut()
    expect(await client.closed).toBe('ECONNRESET')
    expect(await (await dial(relay)).closed).toBe('ECONNREFUSED')
    await relay.heal()
    const next = await dial(relay)
    next.socket.write('hello')
    await next.until('hello')
    expect(relay.counters).toMatchObject({ connections: 2, dropped: 1 })
  })
})

describe('a stall', () => {
  test('holds what is said on old connections and new ones, and passes it when healed', async () => {
    const relay = await relayTo(echo)
    const old = await dial(relay)
    old.socket.write('a')
    await old.until('a')
    relay.stall()
    old.socket.write('b')
    const later = await dial(relay)
    later.socket.write('c')
    for (let i = 0; i < 100; i += 1) await nextTurn()
    expect([old.got(), later.got()]).toEqual(['a', ''])
    await relay.heal()
    await Promise.all([old.until('ab'), later.until('c')])
  })

  test('keeps an end of the connection to itself too', async () => {
    let server: Socket | undefined
    const relay = await relayTo((socket) => {
      server = echo(socket)
    })
    const client = await dial(relay)
    client.socket.write('a')
    await client.until('a')
    relay.stall()
    server?.resetAndDestroy()
    for (let i = 0; i < 100; i += 1) await nextTurn()
    expect(client.socket.destroyed).toBe(false)
    await relay.heal()
    expect(await client.closed).toBe('ECONNRESET')
  })
})

describe('a drop after so many bytes', () => {
  test.each([
    { bytes: 3, got: 'hel' },
    { bytes: 7, got: 'hello, ' },
  ])('passes $bytes of them', async ({ bytes, got }) => {
    const relay = await relayTo((socket) => socket.write('hello, world'))
    relay.dropAfter(bytes)
    const client = await dial(relay)
    expect(await client.closed).toBe('ECONNRESET')
    expect(client.got()).toBe(got)
    expect(relay.counters).toMatchObject({ dropped: 1, bytesDown: bytes })
  })

  test('counts both ways, happens once, and takes the next connection', async () => {
    const relay = await relayTo(echo)
    relay.dropAfter(6)
    const client = await dial(relay)
    client.socket.write('hello')
    expect(await client.closed).toBe('ECONNRESET')
    expect(relay.counters).toMatchObject({ bytesUp: 5, bytesDown: 1 })
    const next = await dial(relay)
    next.socket.write('hello')
    await next.until('hello')
    expect(relay.counters.dropped).toBe(1)
  })
})

test('disposing of a relay drops what is connected', async () => {
  const relay = await relayTo(echo)
  const client = await dial(relay)
  client.socket.write('hello')
  await client.until('hello')
  await relay[Symbol.asyncDispose]()
  expect(await client.closed).toBe('ECONNRESET')
})
