/**
 * Requests to a container engine over connections that a host dials: the same for this machine and over SSH. Connections are
 * kept, and a handful of requests is under way at a time. The library for this API (dockerode) would load gRPC and Protobuf,
 * three times what everything else here costs, and writes each request out in full for a log that nobody reads, secrets
 * included.
 */
import { Agent, type ClientRequestArgs, request as httpRequest, type IncomingMessage } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Slots } from '../at-most.ts'
import { EngineError } from './engine-error.ts'

/** How a request is made. */
export interface EngineRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined
  /** Sent as JSON, or as it comes. */
  readonly body?: unknown
  readonly archive?: AsyncIterable<Uint8Array> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
  /** In milliseconds. Default a minute; 0 for what takes as long as it takes. */
  readonly timeoutMs?: number | undefined
}

/** A container engine that answers. */
export interface EngineApi {
  /** @throws EngineError when it refuses; the error of the connection when nobody answers. */
  json<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: EngineRequest): Promise<T>
  /** The answer as it comes. */
  stream(method: 'GET' | 'POST', path: string, options?: EngineRequest): Promise<IncomingMessage>
  close(): void
}

// Over SSH as root by sudo each is a session, of which sshd allows ten on a connection: files, the lock, the bus and programs
// want theirs.
const mostAtOnce = 3
const usualTimeoutMs = 60_000

/** Speaks to the engine at the other end of what `dial` opens. */
export function engineApi(dial: () => Promise<Duplex>): EngineApi {
  const agent = new DialAgent(dial)
  // Node's agent counts a connection only once it is there.
  const slots = new Slots(mostAtOnce)

  async function stream(method: string, path: string, options?: EngineRequest): Promise<IncomingMessage> {
    await slots.take()
    let response: IncomingMessage
    try {
      response = await ask(method, path, options)
    } catch (error) {
      slots.giveBack()
      throw error
    }
    // A turn later the agent has its connection back, and the next request need not have another one dialled.
    response.once('close', () => setImmediate(() => slots.giveBack()))
    const { statusCode = 0 } = response
    if (statusCode < 400) return response
    throw new EngineError(statusCode, messageIn(await text(response)))
  }

  async function ask(
    method: string,
    path: string,
    { query = {}, body, archive, headers = {}, signal, timeoutMs = usualTimeoutMs }: EngineRequest = {},
  ): Promise<IncomingMessage> {
    const ends = AbortSignal.any([
      ...(signal ? [signal] : []),
      ...(timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : []),
    ])
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const asked = httpRequest({
      agent,
      method,
      path: `${path}${queryOf(query)}`,
      signal: ends,
      headers: {
        host: 'engine',
        ...(content && { 'content-type': 'application/json', 'content-length': content.length }),
        ...(archive && { 'content-type': 'application/x-tar' }),
        ...headers,
      },
    })
    asked.on('response', resolve)
    // Node says only that it was aborted; the signal says why.
    asked.on('error', (error) => reject(ends.aborted ? ends.reason : error))
    if (archive) {
      // An engine that refuses ends the connection while it is written to: its answer says why.
      pipeline(Readable.from(archive), asked).catch(reject)
    } else asked.end(content)
    return await promise
  }

  return {
    stream,
    async json<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: EngineRequest): Promise<T> {
      const body = await text(await stream(method, path, options))
      return (body === '' ? undefined : JSON.parse(body)) as T
    },
    close: () => agent.destroy(),
  }
}

/** Has connections dialled. They need not be sockets of this machine. */
class DialAgent extends Agent {
  readonly #dial: () => Promise<Duplex>

  constructor(dial: () => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: mostAtOnce })
    this.#dial = dial
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const failed = (error: unknown) => callback?.(error as Error, undefined as never)
    this.#dial().then((stream) => callback?.(null, asSocket(stream)), failed)
    return undefined
  }
}

/** What Node calls on the connections that it keeps; those over SSH know none of it, and need none. */
function asSocket(stream: Duplex): Duplex {
  const none = () => stream
  return Object.assign(
    stream,
    Object.fromEntries(
      ['setKeepAlive', 'setTimeout', 'setNoDelay', 'ref', 'unref']
        .filter((method) => !(method in stream))
        .map((method) => [method, none]),
    ),
  )
}

function queryOf(query: NonNullable<EngineRequest['query']>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return ''
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`
}

function messageIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown }
    if (typeof message === 'string') return message.trim()
  } catch {
    // Said in plain text.
  }
  return body.trim()
}
