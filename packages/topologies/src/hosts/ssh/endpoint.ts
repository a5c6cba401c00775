/** From the settings for a destination to a connection: whom to trust, how to log in, whom to ask, and the way there. */
import { homedir, userInfo } from 'node:os'
import type { Duplex } from 'node:stream'
import { HarmonyError, type Secret } from '@harmony-iac/core'
import { attendant } from '@harmony-iac/core/attendant'
import ssh2, { type OpenSSHAgent } from 'ssh2'
import { algorithmList } from './algorithms.ts'
import { asking } from './asking.ts'
import { type SshSettings, sshSettings } from './config.ts'
import type { AskCredential, Credential, Endpoint } from './connect.ts'
import { Connection } from './connection.ts'
import { readPublicKey } from './key-files.ts'
import { keyRing } from './key-ring.ts'
import { credentials } from './keys.ts'
import { knownFirst, knownKeyTypes } from './known-hosts.ts'
import { readKnownHosts } from './known-hosts-files.ts'
import { askedCredentials } from './passwords.ts'
import type { SshOptions } from './ssh.ts'
import type { AskPassword } from './sudo/sudo.ts'
import { trustHostKey } from './trust.ts'

// What ssh2 can verify, the newer first.
const hostKeyAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

// One for all hosts of this process: what is opened for one is open for the others, and one question comes at a time.
const people = asking()
const ring = keyRing(({ path, about, attempt, attempts }) =>
  people.inTurn(async (who) => {
    const again = attempt === 1 ? {} : { introduction: `That does not open it (${attempt} of ${attempts}).` }
    return await who.ask({ about: about ?? path, prompt: `passphrase of ${path}`, hidden: true, ...again })
  }),
)

/** Where a destination is, for whoever runs this process. */
export function endpointFor(destination: string, { configFile, password }: SshOptions): Endpoint {
  const home = homedir()
  const context = { home, env: process.env, user: userInfo().username, configFile }
  return endpointOf(sshSettings(destination, context), home, destination, password)
}

/** Asks for what sudo wants. */
export function sudoPassword(secret: Secret | undefined): AskPassword {
  return async ({ name, host, port, user, batch = false }, refused) =>
    await people.password({
      key: `sudo ${user}@${host}:${port}`,
      about: name,
      prompt: `password of ${user} for sudo`,
      refused,
      secret,
      batch,
      otherwise: `run the command in a terminal, let ${user} do without (NOPASSWD: ALL in sudoers), or say where it is: ssh(…, { sudo: { password: secret(…) } })`,
    })
}

function endpointOf(settings: SshSettings, home: string, name: string, secret?: Secret): Endpoint {
  const { host, port, user, hostKey, keepAlive, connectTimeoutMs, via, addressFamily, bindAddress } = settings
  const { login } = settings
  const { batch } = login
  const target = { host, port, alias: hostKey.alias }
  const known = readKnownHosts([...hostKey.userFiles, ...hostKey.globalFiles])
  return {
    name,
    host,
    port,
    user,
    hostKeyTypes: knownFirst(
      algorithmList(settings.algorithms.hostKey, hostKeyAlgorithms, [...hostKeyAlgorithms, 'ssh-rsa']),
      knownKeyTypes(known, target),
    ),
    connectTimeoutMs,
    keepAlive,
    addressFamily,
    bindAddress,
    batch,
    checkHostKey: (key) => trustHostKey({ name, target, settings: hostKey, batch }, key, people),
    credentials: [
      ...credentials(login, home).map(
        (each): AskCredential =>
          async (offered) => {
            if (offered && !offered.includes('publickey')) return undefined
            if (each.kind === 'agent') return { type: 'agent', agent: await agentOf(each.socket, each.only) }
            const found = await ring.open(each.path, { mayAsk: false })
            if (found.status === 'ready') return { type: 'key', key: found.key }
            const isAsked = found.status === 'locked' && attendant().present && !batch
            const publicKey = isAsked ? await readPublicKey(each.path) : undefined
            if (publicKey)
              return {
                type: 'locked-key',
                publicKey,
                async open() {
                  const opened = await ring.open(each.path, { about: name })
                  return opened.status === 'ready' ? opened.key : opened.error
                },
              }
            // A key that nobody has named may well be missing; any other trouble with a key is worth knowing.
            return found.status === 'missing' && !each.configured ? undefined : found.error
          },
      ),
      ...askedCredentials({ name, host, port, user, login, secret }, people),
    ],
    through: via && (async () => await tunnelTo(via, home, host, port)),
  }
}

/** A connection through another host, which ends with the last one that goes through it. */
async function tunnelTo(via: SshSettings, home: string, host: string, port: number): Promise<Duplex> {
  const jump = await Connection.open(endpointOf(via, home, via.name))
  try {
    const tunnel = await jump.tunnel(host, port)
    tunnel.once('close', () => jump.close())
    return tunnel
  } catch (error) {
    jump.close()
    throw new HarmonyError('unreachable', `${host}, port ${port}, cannot be reached from ${via.name}`, {
      hint: `see that ${via.name} can reach it, and that its sshd_config allows TCP forwarding`,
      cause: error,
    })
  }
}

async function agentOf(
  socket: string,
  only: readonly string[] | undefined,
): Promise<Extract<Credential, { type: 'agent' }>['agent']> {
  if (!only) return socket
  const wanted = await Promise.all(only.map(readPublicKey))
  return new ChosenAgent(
    socket,
    wanted.filter((key) => key !== undefined),
  )
}

/** An agent that offers only some of its keys (`IdentitiesOnly`). */
class ChosenAgent extends ssh2.OpenSSHAgent {
  readonly #wanted: readonly Buffer[]

  constructor(socket: string, wanted: readonly Buffer[]) {
    super(socket)
    this.#wanted = wanted
  }

  override getIdentities(done: Parameters<OpenSSHAgent['getIdentities']>[0]): void {
    super.getIdentities((error, keys) => {
      const isWanted = (key: unknown) => {
        const bytes = Buffer.isBuffer(key) ? key : (key as { getPublicSSH?(): Buffer }).getPublicSSH?.()
        return bytes !== undefined && this.#wanted.some((each) => each.equals(bytes))
      }
      done(error, keys?.filter(isWanted) as never)
    })
  }
}
