/// <reference path="./dbus-native.d.ts" />
/**
 * A connection to a D-Bus, as far as it is needed here: calls, properties, signals. Of `@homebridge/dbus-native` it takes
 * what reads and writes messages, and nothing else: its own connection authenticates as the user of this process (over
 * SSH it is another one), introspects what we know, and prints when a connection breaks.
 */
import type { Duplex } from 'node:stream'
import { HarmonyError } from '@harmony-iac/core'
import DBusBuffer from '@homebridge/dbus-native/lib/dbus-buffer.js'
import codec from '@homebridge/dbus-native/lib/message.js'
import { BusError } from './bus-error.ts'

/** A method, and what it is called with. */
export interface Call {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  /** D-Bus types of the arguments, one string for all: `ss`. */
  readonly signature?: string
  readonly body?: readonly unknown[]
}

/** Which signals are of interest. */
export interface SignalMatch {
  readonly sender: string
  readonly interface: string
  readonly member: string
}

/** A connection to a bus. Calls are pipelined: each is sent at once, and answered whenever its answer comes. */
export interface Bus {
  /** @throws BusError what the other side says; HarmonyError `unreachable` when the connection is lost. */
  call(call: Call): Promise<readonly unknown[]>
  /** All properties of one interface of an object; variants as their values. */
  getAll(destination: string, path: string, iface: string): Promise<Readonly<Record<string, unknown>>>
  /** One property. */
  get(destination: string, path: string, iface: string, property: string): Promise<unknown>
  /** Hears a signal from now on: those that come of calls made after this one are heard. */
  subscribe(match: SignalMatch, hear: (body: readonly unknown[]) => void): Promise<void>
  /** Whether it is lost or closed. */
  readonly ended: boolean
  /** Calls back once when it is lost. */
  onEnd(tell: (why: HarmonyError) => void): void
  close(): void
}

const types = { call: 1, return: 2, error: 3, signal: 4 } as const
const bus = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const

// So long may a bus be silent while it is asked for something: a manager that reads thousands of files takes its time.
const silentMs = 90_000
// A system bus holds no more than 128 unanswered calls of one connection.
const mostUnanswered = 100

interface Waiting {
  readonly resolve: (body: readonly unknown[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens a connection over a stream that leads to a bus.
 * @param uid who to authenticate as (EXTERNAL): the user at the far end of the stream.
 * @throws HarmonyError `refused` when the bus does not let that user in, `unreachable` when the stream ends.
 */
export async function openBus(stream: Duplex, uid: number, name: string): Promise<Bus> {
  const waiting = new Map<number, Waiting>()
  const hearing = new Map<string, ((body: readonly unknown[]) => void)[]>()
  const ends: ((why: HarmonyError) => void)[] = []
  /** What is sent once others are answered. */
  const held: (() => void)[] = []
  let serial = 0
  let lost: HarmonyError | undefined
  let watchdog: NodeJS.Timeout | undefined

  // A connection that nobody waits for keeps no process from ending.
  const holdProcess = (needed: boolean) => {
    if (!needed) {
      clearTimeout(watchdog)
      watchdog = undefined
    } else if (watchdog) watchdog.refresh()
    else watchdog = setTimeout(silent, silentMs)
    const socket = stream as { ref?(): void; unref?(): void }
    if (needed) socket.ref?.()
    else socket.unref?.()
  }
  const end = (why: HarmonyError) => {
    if (lost) return
    lost = why
    clearTimeout(watchdog)
    for (const { reject } of waiting.values()) reject(why)
    waiting.clear()
    for (const send of held.splice(0)) send()
    for (const tell of ends) tell(why)
    stream.destroy()
  }
  const gone = (cause?: unknown) => {
    if (!incoming.isLetIn()) {
      // Whom it does not know it may hang up on without a word.
      end(notLetIn(name, `it hung up on user ${uid}`, cause))
      return
    }
    end(
      new HarmonyError('unreachable', `${name}: the connection to the system bus is lost`, {
        hint: 'see whether the host is up and dbus is running there, and apply again',
        cause,
      }),
    )
  }

  const silent = () =>
    end(
      new HarmonyError('unreachable', `${name}: the system bus has not answered for ${silentMs / 1000} s`, {
        hint: 'see whether the host still answers otherwise, and apply again',
      }),
    )

  const receive = (message: Message) => {
    const { type, replySerial = 0, body } = message
    if (type === types.signal) {
      for (const hear of hearing.get(`${message.interface}.${message.member}`) ?? []) hear(body)
      return
    }
    const asked = waiting.get(replySerial)
    waiting.delete(replySerial)
    holdProcess(waiting.size > 0)
    if (type === types.return) asked?.resolve(body)
    else if (type === types.error)
      asked?.reject(new BusError(message.errorName ?? '', typeof body[0] === 'string' ? body[0] : ''))
    held.shift()?.()
  }

  function call(what: Call): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      if (waiting.size < mostUnanswered) send(what, { resolve, reject })
      else held.push(() => send(what, { resolve, reject }))
    })
  }
  function send(what: Call, asked: Waiting): void {
    if (lost) asked.reject(lost)
    else {
      const own = ++serial
      try {
        const bytes = codec.marshall({ ...what, type: types.call, serial: own })
        waiting.set(own, asked)
        holdProcess(true)
        stream.write(bytes)
      } catch (cause) {
        waiting.delete(own)
        asked.reject(new HarmonyError('internal', `${what.member} cannot be sent over D-Bus`, { cause }))
        held.shift()?.()
      }
    }
  }

  const incoming = framed(stream, receive, end, name)
  stream.on('data', incoming.take)
  stream.once('error', gone)
  stream.once('end', gone)
  stream.once('close', gone)
  // In one go, as sd-bus does: over a slow line each answer that is waited for costs.
  stream.write(`\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString('hex')}\r\nBEGIN\r\n`)
  await call({ ...bus, member: 'Hello' })

  return {
    call,
    async getAll(destination, path, iface) {
      const [all] = await call({ ...properties(destination, path), member: 'GetAll', ...strings(iface) })
      return Object.fromEntries(
        (all as readonly (readonly [string, Variant])[]).map(([key, value]) => [key, unwrapped(value)]),
      )
    },
    async get(destination, path, iface, property) {
      const [value] = await call({
        ...properties(destination, path),
        member: 'Get',
        ...strings(iface, property),
      })
      return unwrapped(value as Variant)
    },
    async subscribe({ sender, interface: iface, member }, hear) {
      const key = `${iface}.${member}`
      hearing.set(key, [...(hearing.get(key) ?? []), hear])
      const rule = `type='signal',sender='${sender}',interface='${iface}',member='${member}'`
      await call({ ...bus, member: 'AddMatch', ...strings(rule) })
    },
    get ended() {
      return lost !== undefined
    },
    onEnd: (tell) => {
      ends.push(tell)
    },
    close: () => end(new HarmonyError('unreachable', `${name}: the connection to the system bus was closed`)),
  }
}

/** A variant as the package reads it: its type, and its value in a list. */
type Variant = readonly [unknown, readonly [unknown]]
const unwrapped = (variant: Variant): unknown => variant[1][0]

function properties(destination: string, path: string) {
  return { destination, path, interface: 'org.freedesktop.DBus.Properties' } as const
}

function strings(...body: readonly string[]): {
  readonly signature: string
  readonly body: readonly string[]
} {
  return { signature: 's'.repeat(body.length), body }
}

const headerSize = 16
// As the specification has it: 128 MiB.
const largest = 128 * 1024 * 1024

/** Cuts what comes into an answer to the authentication and messages. */
function framed(
  stream: Duplex,
  receive: (message: Message) => void,
  fail: (why: HarmonyError) => void,
  name: string,
) {
  let held: Buffer[] = []
  let size = 0
  let needed = 1
  let letIn = false

  /** The bytes so far, as one piece. */
  const whole = (): Buffer => {
    const bytes = held.length === 1 && held[0] ? held[0] : Buffer.concat(held)
    held = [bytes]
    return bytes
  }
  const keep = (bytes: Buffer) => {
    held = bytes.length > 0 ? [bytes] : []
    size = bytes.length
  }
  const read = () => {
    if (!letIn) {
      const bytes = whole()
      const cut = bytes.indexOf('\r\n')
      needed = bytes.length + 1
      if (cut < 0) return
      const line = bytes.subarray(0, cut).toString('latin1')
      if (!line.startsWith('OK ')) {
        fail(notLetIn(name, line))
        return
      }
      letIn = true
      keep(bytes.subarray(cut + 2))
      needed = headerSize
    }
    while (size >= needed) {
      const bytes = whole()
      const length = lengthOf(bytes)
      if (length > largest) {
        fail(new HarmonyError('unreachable', `${name}: what answers at the system bus speaks no D-Bus`))
        return
      }
      needed = length
      if (size < length) return
      receive(decode(bytes.subarray(0, length)))
      keep(bytes.subarray(length))
      needed = headerSize
    }
  }
  return {
    isLetIn: () => letIn,
    take: (chunk: Buffer) => {
      held.push(chunk)
      size += chunk.length
      if (size < needed) return
      try {
        read()
      } catch (cause) {
        fail(new HarmonyError('internal', `${name}: a message of the system bus cannot be read`, { cause }))
        stream.destroy()
      }
    },
  }
}

function notLetIn(name: string, why: string, cause?: unknown): HarmonyError {
  return new HarmonyError('refused', `${name}: the system bus does not let us in: ${why}`, {
    hint: 'connect as root, or as a user whom that host knows by this number',
    cause,
  })
}

/** Of the whole message, by its first 16 bytes. */
function lengthOf(header: Buffer): number {
  const little = header[0] === 0x6c
  const body = little ? header.readUInt32LE(4) : header.readUInt32BE(4)
  const fields = little ? header.readUInt32LE(12) : header.readUInt32BE(12)
  return headerSize + ((fields + 7) & ~7) + body
}

/** A message that has come, as far as it matters here. */
interface Message {
  readonly type: number
  readonly replySerial: number | undefined
  readonly interface: string | undefined
  readonly member: string | undefined
  readonly errorName: string | undefined
  readonly body: readonly unknown[]
}

// The numbers of the header's fields.
const field = { interface: 2, member: 3, errorName: 4, replySerial: 5, signature: 8 } as const

function decode(bytes: Buffer): Message {
  const reader = new DBusBuffer(bytes, 0, { littleEndian: bytes[0] === 0x6c })
  const [, type, , , , , fields] = reader.read('yyyyuua(yv)')
  const header = new Map(
    (fields as readonly (readonly [number, Variant])[]).map(([code, value]) => [code, unwrapped(value)]),
  )
  reader.align(3)
  const text = (code: number) => header.get(code) as string | undefined
  const signature = text(field.signature)
  return {
    type: type as number,
    replySerial: header.get(field.replySerial) as number | undefined,
    interface: text(field.interface),
    member: text(field.member),
    errorName: text(field.errorName),
    body: signature ? reader.read(signature) : [],
  }
}
