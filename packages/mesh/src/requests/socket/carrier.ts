/** The asker's end of an agent's unix socket: a connection for each exchange. */
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Carrier, messageLimit } from '../carrier.ts'
import { agentUnreachable } from '../errors.ts'
import { frame, framesOf } from './frames.ts'

/** How to reach the socket. */
export interface SocketOptions {
  /** Connects to it. Default: on this machine; `Host.dial` reaches it over SSH. */
  readonly dial?: (path: string) => Promise<Duplex>
}

/** Carries requests to whichever agent listens at that path. */
export function socketCarrier(path: string, { dial = dialHere }: SocketOptions = {}): Carrier {
  return {
    exchange: async function* (agent, message, signal) {
      let socket: Duplex
      try {
        signal.throwIfAborted()
        socket = await dial(path)
      } catch (error) {
        throw agentUnreachable(agent, error)
      }
      const end = () => socket.destroy()
      // A connection that breaks ends; what is missing then is missed by whoever opens the seals.
      socket.on('error', () => {})
      signal.addEventListener('abort', end, { once: true })
      try {
        if (signal.aborted) return
        socket.write(frame(message))
        yield* framesOf(untilBroken(socket), messageLimit)
      } finally {
        signal.removeEventListener('abort', end)
        end()
      }
    },
  }
}

async function* untilBroken(socket: Duplex): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of socket) yield piece
  } catch {}
}

function dialHere(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
