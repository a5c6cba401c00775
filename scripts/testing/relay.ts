/**
 * A network between a client and a server on this machine: far away, cut, or silent, as a test wants it. A relay, because
 * delaying packets needs a kernel module that is not everywhere, and because a relay can count.
 *
 * Latency is added to each chunk by itself, so whatever is pipelined arrives together; throughput stays. A connection is
 * made to the server only after the time that TCP's handshake takes, so a client waits as long as it would far away.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'

/** What a relay is between, and how far apart they are. */
export interface RelayOptions {
  /** The server's port on 127.0.0.1. */
  readonly to: number
  /** Each way, in milliseconds. Default 0. */
  readonly latencyMs?: number | undefined
}

/** A relay; disposing of it drops every connection. */
export interface Relay extends AsyncDisposable {
  /** On 127.0.0.1; stays the same when the relay was cut and healed. */
  readonly port: number
  /** From the start until now. */
  readonly counters: Counters
  /** Drops every connection (reset), and refuses new ones. */
  cut(): Promise<void>
  /** Ends `cut` and `stall`: takes connections again, and passes what was held back. */
  heal(): Promise<void>
  /** Takes connections and passes nothing, as where a cable was pulled: nobody is told. */
  stall(): void
  /** Drops every connection once so many more bytes, both ways together, have passed. New ones are taken. */
  dropAfter(bytes: number): void
}

/** What has passed through a relay. */
export interface Counters {
  readonly connections: number
  /** Connections that the relay dropped. */
  readonly dropped: number
  /** From clients to the server. */
  readonly bytesUp: number
  readonly bytesDown: number
  /**
   * How often a client said something, and the server something after it, and so on: turns of direction, as long as
   * requests wait for answers. Requests that were sent before an answer had arrived share its round trip. The sum over
   * all connections, without handshakes of TCP.
   */
  readonly roundTrips: number
}

/** Starts a relay on a free port of 127.0.0.1. */
export async function startRelay({ to, latencyMs = 0 }: RelayOptions): Promise<Relay> {
  const counters = { connections: 0, dropped: 0, bytesUp: 0, bytesDown: 0, roundTrips: 0 }
  const pairs = new Set<Pair>()
  let stalled = false
  /** Bytes that may pass until everything is dropped, which waits until the last of them are on their way. */
  let credit = Number.POSITIVE_INFINITY
  let spent = false

  const drop = () => {
    counters.dropped += pairs.size
    for (const pair of pairs) pair.reset()
    pairs.clear()
    credit = Number.POSITIVE_INFINITY
    spent = false
  }

  /** Writes what may pass of a chunk; false when nothing more should come for now. */
  const pass = (to: Socket, chunk: Buffer, way: 'bytesUp' | 'bytesDown'): boolean => {
    if (spent) return false
    const passing = chunk.subarray(0, credit)
    counters[way] += passing.length
    credit -= passing.length
    if (credit > 0) return to.write(passing)
    spent = true
    to.write(passing, drop)
    return false
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    counters.connections += 1
    const pair = new Pair(client, to, latencyMs, {
      up: (server, chunk) => pass(server, chunk, 'bytesUp'),
      down: (client, chunk) => pass(client, chunk, 'bytesDown'),
      turned: () => {
        counters.roundTrips += 1
      },
      closed: () => pairs.delete(pair),
    })
    pairs.add(pair)
    if (stalled) pair.hold()
  })
  const port = await listen(server, 0)

  const cut = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    drop()
    await closed
  }
  return {
    port,
    get counters() {
      return { ...counters }
    },
    cut,
    async heal() {
      stalled = false
      for (const pair of pairs) pair.resume()
      if (!server.listening) await listen(server, port)
    },
    stall() {
      stalled = true
      for (const pair of pairs) pair.hold()
    },
    dropAfter(bytes) {
      credit = bytes
    },
    [Symbol.asyncDispose]: cut,
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What a pair tells its relay. */
interface Events {
  /** Writes what may pass. */
  up(to: Socket, chunk: Buffer): boolean
  down(to: Socket, chunk: Buffer): boolean
  /** The client has got something that the server said after what the client had said before. */
  turned(): void
  closed(): void
}

/** A client's connection and the one to the server that belongs to it. */
class Pair {
  readonly #client: Socket
  readonly #server = new Socket({ allowHalfOpen: true })
  readonly #up: Lane
  readonly #down: Lane
  readonly #dialing: NodeJS.Timeout

  constructor(client: Socket, port: number, latencyMs: number, events: Events) {
    this.#client = client
    const server = this.#server.setNoDelay()
    // How many round trips lie behind what each end knows, and so behind what it says next.
    const known = { client: 0, server: 0 }
    this.#up = new Lane(client, latencyMs, {
      arrives: (chunk, trips) => {
        known.server = Math.max(known.server, trips + 1)
        return events.up(server, chunk)
      },
      trips: () => known.client,
      into: server,
    })
    this.#down = new Lane(server, latencyMs, {
      arrives: (chunk, trips) => {
        if (trips > known.client) events.turned()
        known.client = Math.max(known.client, trips)
        return events.down(client, chunk)
      },
      trips: () => known.server,
      into: client,
    })
    let open = 2
    for (const socket of [client, server])
      socket.once('close', () => {
        open -= 1
        if (open === 0) events.closed()
      })
    // SYN, its answer, and the answer to that.
    this.#up.hold('dialing')
    this.#dialing = setTimeout(() => {
      server.connect(port, '127.0.0.1')
      this.#up.release('dialing')
    }, 3 * latencyMs)
  }

  hold(): void {
    for (const lane of [this.#up, this.#down]) lane.hold('stalled')
  }

  resume(): void {
    for (const lane of [this.#up, this.#down]) lane.release('stalled')
  }

  reset(): void {
    clearTimeout(this.#dialing)
    for (const lane of [this.#up, this.#down]) lane.stop()
    for (const socket of [this.#client, this.#server])
      if (socket.readyState === 'opening' || socket.pending) socket.destroy()
      else socket.resetAndDestroy()
  }
}

/** Where a lane leads. */
interface LaneEnd {
  readonly into: Socket
  /** A chunk has arrived; false when no more should come for now. */
  arrives(chunk: Buffer, trips: number): boolean
  /** How many round trips lie behind a chunk that is said now. */
  trips(): number
}

/** One direction of a pair: what goes in comes out `latencyMs` later, in the same order. */
class Lane {
  readonly #from: Socket
  readonly #end: LaneEnd
  readonly #underWay: { readonly due: number; readonly arrive: () => void }[] = []
  readonly #heldFor = new Set<'dialing' | 'stalled' | 'full'>()
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, latencyMs: number, end: LaneEnd) {
    this.#from = from
    this.#end = end
    const { into } = end
    const later = (arrive: () => void) => {
      this.#underWay.push({ due: performance.now() + latencyMs, arrive })
      this.#deliver()
    }
    from.on('data', (chunk: Buffer) => {
      const trips = end.trips()
      later(() => {
        if (!end.arrives(chunk, trips)) this.#waitForDrain()
      })
    })
    from.once('end', () => later(() => into.end()))
    // What went wrong at one end is told to the other, as the network would.
    let failed = false
    from.once('error', () => {
      failed = true
    })
    from.once('close', () => {
      if (failed) later(() => into.resetAndDestroy())
    })
  }

  hold(why: 'dialing' | 'stalled' | 'full'): void {
    this.#heldFor.add(why)
    if (why !== 'dialing') this.#from.pause()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  release(why: 'dialing' | 'stalled' | 'full'): void {
    this.#heldFor.delete(why)
    if (this.#heldFor.size > 0) return
    this.#from.resume()
    this.#deliver()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#underWay.length = 0
  }

  #waitForDrain(): void {
    this.hold('full')
    this.#end.into.once('drain', () => this.release('full'))
  }

  #deliver(): void {
    if (this.#timer !== undefined) return
    while (this.#heldFor.size === 0) {
      const [next] = this.#underWay
      if (next === undefined) return
      // Timers count whole milliseconds.
      const waitMs = next.due - performance.now()
      if (waitMs > 0.5) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined
          this.#deliver()
        }, waitMs)
        return
      }
      this.#underWay.shift()
      next.arrive()
    }
  }
}
