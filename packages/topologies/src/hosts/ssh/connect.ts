/** Connecting and logging in: one handshake, in which a person may be asked, with the words for what went wrong. */
import type { Duplex } from 'node:stream'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import { type BaseAgent, Client, type ConnectConfig, type ParsedKey } from 'ssh2'
import { lockedKeyAgent, type OpenKey } from './locked-key.ts'
import { Patience } from './patience.ts'

/** Where a connection leads, and whom it trusts. */
export interface Endpoint {
  /** For people: `pi@kiosk.local`. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Refuses a host key by throwing: there is no connection then. */
  checkHostKey(key: Buffer): void | Promise<void>
  /** How to log in, in this order; each is asked for when it is its turn. */
  readonly credentials: readonly AskCredential[]
  /** Kinds of host keys to ask for, the known ones first, so that a host with several shows one that is known. */
  readonly hostKeyTypes?: readonly string[] | undefined
  /** In milliseconds, without the time that people take to answer. Default 20 s. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * How often the other side is asked whether it is still there, and how many questions in a row may stay without an
   * answer. Default: each 15 s, 3.
   */
  readonly keepAlive?: { readonly intervalMs: number; readonly countMax: number } | undefined
  readonly addressFamily?: 'any' | 'inet' | 'inet6' | undefined
  /** The local address to connect from. */
  readonly bindAddress?: string | undefined
  /** Nobody may be asked anything, whoever is there (`BatchMode`). */
  readonly batch?: boolean | undefined
  /** What to connect through, such as a tunnel on another host. */
  readonly through?: (() => Promise<Duplex>) | undefined
}

/**
 * Gives something to log in with. `offered` are the methods that the host would take now (RFC 4252, section 5.2); it has
 * said nothing yet when they are `undefined`. An error tells why a way cannot be used; `undefined` goes on to the next.
 */
export type AskCredential = (
  offered: readonly string[] | undefined,
) => Promise<Credential | HarmonyError | undefined>

/** One way to log in. */
export type Credential =
  /** Asks what the host would take. */
  | { readonly type: 'none' }
  /** An agent, or the path of its socket. */
  | { readonly type: 'agent'; readonly agent: BaseAgent | string }
  /** A private key, opened, or in one of OpenSSH's formats. */
  | { readonly type: 'key'; readonly key: ParsedKey | Buffer | string }
  /** A key that is opened only when the host has said that it would let it in. */
  | { readonly type: 'locked-key'; readonly publicKey: Buffer; readonly open: OpenKey }
  | { readonly type: 'password'; readonly password: string }
  /** Whatever the host wants to know (RFC 4256). */
  | { readonly type: 'dialogue'; answer(questions: readonly HostQuestion[]): Promise<readonly string[]> }

/** What a host asks in a dialogue. */
export interface HostQuestion {
  readonly prompt: string
  /** Whether the answer may be seen. */
  readonly echo: boolean
}

/** Longer than this only people take to answer; the host may have stopped waiting. */
const slowAnswerMs = 1000
const slowAttempts = 3

/**
 * Connects and logs in.
 * @throws HarmonyError `unreachable`, and whatever refuses the host key.
 */
export async function connect(endpoint: Endpoint): Promise<Client> {
  for (let attempt = 1; ; attempt++) {
    const patience = new Patience(endpoint.connectTimeoutMs ?? 20_000)
    try {
      return await connectOnce(endpoint, patience)
    } catch (error) {
      // sshd waits two minutes (LoginGraceTime), people with twenty hosts take longer. The answers are known by now.
      const tooSlow = patience.pausedMs > slowAnswerMs && error instanceof NotConnected && error.isCut
      if (!tooSlow || attempt >= slowAttempts) throw error
    }
  }
}

async function connectOnce(endpoint: Endpoint, patience: Patience): Promise<Client> {
  const { host, port, user, addressFamily, bindAddress } = endpoint
  const keepAlive = endpoint.keepAlive ?? { intervalMs: 15_000, countMax: 3 }
  const client = new Client()
  let refused: unknown
  const left = [...endpoint.credentials]
  const troubles: HarmonyError[] = []
  const next = async (offered: readonly string[] | undefined): Promise<Credential | undefined> => {
    for (let ask = left.shift(); ask; ask = left.shift()) {
      const found = await ask(offered)
      if (isHarmonyError(found)) troubles.push(found)
      else if (found) return found
    }
    return undefined
  }
  const config: ConnectConfig = {
    host,
    port,
    username: user,
    readyTimeout: 0, // it would count what people take to answer
    keepaliveInterval: keepAlive.intervalMs,
    keepaliveCountMax: keepAlive.countMax,
    forceIPv4: addressFamily === 'inet',
    forceIPv6: addressFamily === 'inet6',
    ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
    hostVerifier: (key: Buffer, answer: (accepted: boolean) => void) => {
      patience
        .pause(async () => endpoint.checkHostKey(key))
        .then(
          () => answer(true),
          (error) => {
            refused = error
            answer(false)
          },
        )
    },
    // Asked for the next way to log in until there is none.
    authHandler: (methods, _partial, answer) => {
      patience
        .pause(() => next((methods as readonly string[] | null) ?? undefined))
        .then(
          (credential) => answer(methodOf(credential, user, patience, troubles) as never),
          (error) => {
            refused = error
            answer(false as never)
          },
        )
    },
  }
  if (endpoint.hostKeyTypes) config.algorithms = { serverHostKey: endpoint.hostKeyTypes as never }
  if (endpoint.through) config.sock = await endpoint.through()
  const told = (error: unknown): HarmonyError => new NotConnected(endpoint, error, troubles)
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve)
      client.on('error', (error) => {
        // An agent that does not answer, or signs nothing, has no say: the next way to log in is tried.
        if ((error as { readonly level?: string }).level !== 'agent') reject(told(error))
      })
      client.once('close', () => reject(told(new Error('the connection was closed'))))
      patience.start(() => reject(told(Object.assign(new Error('no answer'), { level: 'client-timeout' }))))
      client.connect(config)
    })
  } catch (error) {
    client.on('error', () => {}) // more may come, and it is known by now
    client.end()
    client.destroy()
    // Whoever is being asked is let finish: the answer counts the next time, and a no is the reason then.
    await patience.idle
    const why = refused ?? error
    throw isHarmonyError(why) ? why : told(why)
  } finally {
    patience.end()
  }
  client.removeAllListeners('error')
  client.removeAllListeners('close')
  client.setNoDelay(true)
  return client
}

function methodOf(
  credential: Credential | undefined,
  username: string,
  patience: Patience,
  troubles: HarmonyError[],
): unknown {
  switch (credential?.type) {
    case undefined:
      return false
    case 'none':
      return { type: 'none', username }
    case 'agent':
      return { type: 'agent', username, agent: credential.agent }
    case 'key':
      return { type: 'publickey', username, key: credential.key }
    case 'locked-key': {
      const open = () => patience.pause(credential.open)
      const agent = lockedKeyAgent(credential.publicKey, open, (why) => troubles.push(why))
      return { type: 'agent', username, agent }
    }
    case 'password':
      return { type: 'password', username, password: credential.password }
    case 'dialogue':
      return {
        type: 'keyboard-interactive',
        username,
        prompt: (
          _name: string,
          _instructions: string,
          _language: string,
          questions: readonly { readonly prompt: string; readonly echo?: boolean }[],
          finish: (answers: readonly string[]) => void,
        ) => {
          const asked = questions.map(({ prompt, echo = false }) => ({ prompt, echo }))
          // Without an answer the host refuses, and the next way is tried.
          patience.pause(() => credential.answer(asked)).then(finish, () => finish(asked.map(() => '')))
        },
      }
  }
}

class NotConnected extends HarmonyError {
  /** Whether the other side has hung up, rather than answered. */
  readonly isCut: boolean

  constructor(endpoint: Endpoint, error: unknown, troubles: readonly HarmonyError[]) {
    const { host, port, user, credentials, name } = endpoint
    const { code, level, message } = Object(error) as { code?: string; level?: string; message?: string }
    const where = `${host}, port ${port}`
    const byHand = `try: ssh -p ${port} ${user}@${host}`
    const [why, hint] =
      level === 'client-authentication'
        ? [
            [
              `${user} may not log in with ${credentials.length === 0 ? 'nothing' : 'what was offered'}`,
              ...troubles.map((trouble) => trouble.message),
            ].join('; '),
            troubles[0]?.hint ?? byHand,
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
              : [message ?? String(error), byHand]
    super('unreachable', `${name} cannot be reached: ${why}`, { hint, cause: error, data: { host, port } })
    this.isCut = level !== 'client-authentication' && level !== 'client-timeout' && code !== 'ECONNREFUSED'
  }
}
