/**
 * One connection to a host, kept alive and used by everything that is done there. It ends once and for all: whoever
 * wants to go on opens another one, locks and looks again.
 */
import type { Duplex } from 'node:stream'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import {
  type BaseAgent,
  Client,
  type ClientChannel,
  type ConnectConfig,
  type ParsedKey,
  type SFTPWrapper,
} from 'ssh2'

/** Where a connection leads, and whom it trusts. */
export interface Endpoint {
  /** For people: `pi@kiosk.local`. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Refuses a host key by throwing: there is no connection then. */
  checkHostKey(key: Buffer): void | Promise<void>
  /** How to log in, in this order; each is asked for when it is its turn. An error tells why one cannot be used. */
  readonly credentials: readonly (() => Promise<Credential | HarmonyError | undefined>)[]
  /** Kinds of host keys to ask for, the known ones first, so that a host with several shows one that is known. */
  readonly hostKeyTypes?: readonly string[] | undefined
  /** In milliseconds. Default 20 s. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * How often the other side is asked whether it is still there, and how many questions in a row may stay without an
   * answer. Default: each 15 s, 3.
   */
  readonly keepAlive?: { readonly intervalMs: number; readonly countMax: number } | undefined
  readonly addressFamily?: 'any' | 'inet' | 'inet6' | undefined
  /** The local address to connect from. */
  readonly bindAddress?: string | undefined
  /** What to connect through, such as a tunnel on another host. */
  readonly through?: (() => Promise<Duplex>) | undefined
}

/** One way to log in. */
export type Credential =
  /** An agent, or the path of its socket. */
  | { readonly type: 'agent'; readonly agent: BaseAgent | string }
  /** A private key, opened, or in one of OpenSSH's formats. */
  | { readonly type: 'key'; readonly key: ParsedKey | Buffer | string }
  | { readonly type: 'password'; readonly password: string }

// sshd allows ten sessions on a connection (MaxSessions): one is for SFTP, one for the lock.
const parallelSessions = 6
const openAttempts = 8
// SSH_OPEN_CONNECT_FAILED (RFC 4254, section 5.1), which is what OpenSSH says of one session too many.
const openFailed = 2

/** An open connection. */
export class Connection {
  readonly endpoint: Endpoint
  readonly #client: Client
  readonly #lost = new AbortController()
  #sftp: Promise<SFTPWrapper> | undefined
  #sessions = 0
  readonly #waiting: (() => void)[] = []

  private constructor(endpoint: Endpoint, client: Client) {
    this.endpoint = endpoint
    this.#client = client
    client.on('error', (error) => this.#end(error))
    client.on('close', () => this.#end(undefined))
  }

  /**
   * Connects and logs in.
   * @throws HarmonyError `unreachable`, and whatever refuses the host key.
   */
  static async open(endpoint: Endpoint): Promise<Connection> {
    const {
      name,
      host,
      port,
      user,
      credentials,
      connectTimeoutMs = 20_000,
      addressFamily,
      bindAddress,
    } = endpoint
    const keepAlive = endpoint.keepAlive ?? { intervalMs: 15_000, countMax: 3 }
    const client = new Client()
    let refused: unknown
    const left = [...credentials]
    const troubles: HarmonyError[] = []
    const next = async (): Promise<Credential | undefined> => {
      for (let ask = left.shift(); ask; ask = left.shift()) {
        const found = await ask()
        if (isHarmonyError(found)) troubles.push(found)
        else if (found) return found
      }
      return undefined
    }
    const config: ConnectConfig = {
      host,
      port,
      username: user,
      readyTimeout: connectTimeoutMs,
      keepaliveInterval: keepAlive.intervalMs,
      keepaliveCountMax: keepAlive.countMax,
      forceIPv4: addressFamily === 'inet',
      forceIPv6: addressFamily === 'inet6',
      ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
      hostVerifier: (key: Buffer, answer: (accepted: boolean) => void) => {
        Promise.resolve()
          .then(() => endpoint.checkHostKey(key))
          .then(
            () => answer(true),
            (error) => {
              refused = error
              answer(false)
            },
          )
      },
      // Asked for the next way to log in until there is none.
      authHandler: (_methods, _partial, answer) => {
        next().then(
          (credential) => answer(methodOf(credential, user) as never),
          (error) => {
            refused = error
            answer(false as never)
          },
        )
      },
    }
    if (endpoint.hostKeyTypes) config.algorithms = { serverHostKey: endpoint.hostKeyTypes as never }
    if (endpoint.through) config.sock = await endpoint.through()
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve)
      client.once('error', (error) => reject(refused ?? notConnected(endpoint, error, troubles)))
      client.once('close', () =>
        reject(refused ?? notConnected(endpoint, new Error('the connection was closed'))),
      )
      try {
        client.connect(config)
      } catch (error) {
        reject(notConnected(endpoint, error))
      }
    }).catch((error: unknown) => {
      client.on('error', () => {}) // more may come, and it is known by now
      client.end()
      throw isHarmonyError(error) ? error : notConnected(endpoint, error)
    })
    client.removeAllListeners('error')
    client.removeAllListeners('close')
    client.setNoDelay(true)
    return new Connection({ ...endpoint, name }, client)
  }

  /** Aborted when the connection has ended, with the reason. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * Runs a command line; see `quote.ts` for how one is made. `use` gets the channel as soon as there is one: what a short
   * program tells (its end above all) may come in the same piece of data, and nobody would hear it later.
   */
  async session<T>(command: string, use: (channel: ClientChannel) => T): Promise<T> {
    await this.#take()
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#ask<T>((done) =>
          this.#client.exec(command, (error, channel) => {
            if (error) {
              done(error, undefined as T)
              return
            }
            channel.once('close', () => this.#giveBack())
            done(undefined, use(channel))
          }),
        )
      } catch (error) {
        // sshd counts a session until it has seen its program's end, which may be a moment after we have.
        const isFull = (error as { readonly reason?: unknown }).reason === openFailed
        if (!isFull || attempt >= openAttempts) {
          this.#giveBack()
          throw error
        }
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt))
      }
  }

  /** Opened once, for all that is done with files. */
  sftp(): Promise<SFTPWrapper> {
    this.#sftp ??= this.#ask<SFTPWrapper>((done) => this.#client.sftp(done)).catch((error: unknown) => {
      if (this.#lost.signal.aborted) throw error
      throw new HarmonyError(
        'unreachable',
        `${this.endpoint.name} offers no SFTP, by which files are read and written`,
        {
          hint: 'enable it in sshd_config: Subsystem sftp internal-sftp',
          cause: error,
        },
      )
    })
    return this.#sftp
  }

  /** Connects from the host to another one. */
  tunnel(host: string, port: number): Promise<Duplex> {
    return this.#ask<Duplex>((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done as never))
  }

  /** Connects to a unix socket on the host. */
  forward(socketPath: string): Promise<Duplex> {
    return this.#ask<Duplex>((done) => this.#client.openssh_forwardOutStreamLocal(socketPath, done as never))
  }

  close(): void {
    this.#client.end()
    this.#end(new HarmonyError('internal', `the connection to ${this.endpoint.name} was closed by us`))
  }

  /** What a request ends with when the connection does. */
  failure(): unknown {
    return this.#lost.signal.reason
  }

  /** A request that the end of the connection ends as well: ssh2 itself calls nobody back then. */
  async #ask<T>(request: (done: (error: Error | undefined, result: T) => void) => void): Promise<T> {
    this.#lost.signal.throwIfAborted()
    return await new Promise<T>((resolve, reject) => {
      const onLost = () => reject(this.failure())
      this.#lost.signal.addEventListener('abort', onLost, { once: true })
      const done = (error: Error | undefined, result: T) => {
        this.#lost.signal.removeEventListener('abort', onLost)
        if (error) reject(error)
        else resolve(result)
      }
      try {
        request(done)
      } catch (error) {
        done(error as Error, undefined as T)
      }
    })
  }

  async #take(): Promise<void> {
    while (this.#sessions >= parallelSessions)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#sessions++
  }

  #giveBack(): void {
    this.#sessions--
    this.#waiting.shift()?.()
  }

  #end(cause: unknown): void {
    if (this.#lost.signal.aborted) return
    this.#lost.abort(
      isHarmonyError(cause)
        ? cause
        : new HarmonyError('unreachable', `the connection to ${this.endpoint.name} was lost`, {
            hint: 'see that the host is up and can be reached; apply again to finish what was begun',
            cause,
          }),
    )
    for (const go of this.#waiting.splice(0)) go()
  }
}

function methodOf(credential: Credential | undefined, username: string): unknown {
  switch (credential?.type) {
    case undefined:
      return false
    case 'agent':
      return { type: 'agent', username, agent: credential.agent }
    case 'key':
      return { type: 'publickey', username, key: credential.key }
    case 'password':
      return { type: 'password', username, password: credential.password }
  }
}

function notConnected(
  { name, host, port, user, credentials }: Endpoint,
  error: unknown,
  troubles: readonly HarmonyError[] = [],
): HarmonyError {
  const { code, level, message } = error as {
    readonly code?: string
    readonly level?: string
    readonly message?: string
  }
  const where = `${host}, port ${port}`
  const [why, hint] =
    level === 'client-authentication'
      ? [
          [
            `${user} may not log in with ${credentials.length === 0 ? 'nothing' : 'what was offered'}`,
            ...troubles.map(({ message }) => message),
          ].join('; '),
          troubles[0]?.hint ?? `try: ssh -p ${port} ${user}@${host}`,
        ]
      : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? [`no address is known for ${host}`, 'check the name, and whether this machine can look it up']
        : code === 'ECONNREFUSED'
          ? [
              `nobody listens at ${where}`,
              'see that the host is up and sshd runs there: systemctl status ssh',
            ]
          : level === 'client-timeout' || code === 'ETIMEDOUT'
            ? [`no answer from ${where}`, 'see that the host is up, and that no firewall is in between']
            : [message ?? String(error), `try: ssh -p ${port} ${user}@${host}`]
  return new HarmonyError('unreachable', `${name} cannot be reached: ${why}`, {
    hint,
    cause: error,
    data: { host, port },
  })
}
