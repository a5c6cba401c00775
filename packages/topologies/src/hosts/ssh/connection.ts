/**
 * One connection to a host, kept alive and used by everything that is done there. It ends once and for all: whoever
 * wants to go on opens another one, locks and looks again.
 */
import type { Duplex } from 'node:stream'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Client, ClientChannel, SFTPWrapper } from 'ssh2'
import type { SessionOptions } from '../sessions.ts'
import { connect, type Endpoint } from './connect.ts'
import { SessionSlots } from './session-slots.ts'

const openAttempts = 8
// SSH_OPEN_CONNECT_FAILED (RFC 4254, section 5.1), which is what OpenSSH says of one session too many.
const openFailed = 2

/** An open connection. */
export class Connection {
  readonly endpoint: Endpoint
  readonly #client: Client
  readonly #lost = new AbortController()
  readonly #slots = new SessionSlots()

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
    return new Connection(endpoint, await connect(endpoint))
  }

  /** Aborted when the connection has ended, with the reason. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * Runs a command line; see `quote.ts` for how one is made. `use` gets the channel as soon as there is one: what a short
   * program tells (its end above all) may come in the same piece of data, and nobody would hear it later.
   */
  async session<T>(
    command: string,
    use: (channel: ClientChannel) => T,
    { use: purpose = 'program' }: SessionOptions = {},
  ): Promise<T> {
    await this.#slots.take(purpose)
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#ask<T>((done) =>
          this.#client.exec(command, (error, channel) => {
            if (error) {
              done(error, undefined as T)
              return
            }
            channel.once('close', () => this.#slots.giveBack(purpose))
            done(undefined, use(channel))
          }),
        )
      } catch (error) {
        // sshd counts a session until it has seen its program's end, which may be a moment after we have.
        const isFull = (error as { readonly reason?: unknown }).reason === openFailed
        if (!isFull || attempt >= openAttempts) {
          this.#slots.giveBack(purpose)
          throw isFull ? this.#tooFew(error) : error
        }
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt))
      }
  }

  /** The SFTP that sshd offers to whoever has logged in. */
  async sftp(): Promise<SFTPWrapper> {
    try {
      return await this.#ask<SFTPWrapper>((done) => this.#client.sftp(done))
    } catch (error) {
      if (this.#lost.signal.aborted) throw error
      throw new HarmonyError(
        'unreachable',
        `${this.endpoint.name} offers no SFTP, by which files are read and written`,
        {
          hint: 'enable it in sshd_config: Subsystem sftp internal-sftp',
          cause: error,
        },
      )
    }
  }

  /** Connects from the host to another one. */
  tunnel(host: string, port: number): Promise<Duplex> {
    return this.#ask<Duplex>((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done as never))
  }

  /** Connects to a unix socket on the host. */
  forward(socketPath: string): Promise<Duplex> {
    return this.#ask<Duplex>((done) => this.#client.openssh_forwardOutStreamLocal(socketPath, done as never))
  }

  /** Ends it; `why` is what everybody is told who still works with it. */
  close(why?: HarmonyError): void {
    this.#client.end()
    this.#end(why ?? new HarmonyError('internal', `the connection to ${this.endpoint.name} was closed by us`))
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

  #tooFew(cause: unknown): HarmonyError {
    return new HarmonyError(
      'unreachable',
      `${this.endpoint.name} opens no more sessions on this connection`,
      {
        hint: 'its sshd allows too few: set MaxSessions in sshd_config to 10, which is the default, or more',
        cause,
      },
    )
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
    this.#slots.end()
  }
}
