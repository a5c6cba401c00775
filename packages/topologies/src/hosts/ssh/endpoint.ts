/** From the settings for a destination to a connection: whom to trust, how to log in, and the way there. */
import { homedir, userInfo } from 'node:os'
import type { Duplex } from 'node:stream'
import { HarmonyError } from '@harmony-iac/core'
import ssh2, { type OpenSSHAgent } from 'ssh2'
import { algorithmList } from './algorithms.ts'
import { type SshSettings, sshSettings } from './config.ts'
import { Connection, type Credential, type Endpoint } from './connection.ts'
import { hostKeyError } from './host-key-errors.ts'
import { readPublicKey } from './key-files.ts'
import { keyRing } from './key-ring.ts'
import { credentials } from './keys.ts'
import { checkHostKey, knownFirst, knownKeyTypes } from './known-hosts.ts'
import { readKnownHosts, rememberHostKey } from './known-hosts-files.ts'
import type { SshOptions } from './ssh.ts'

// What ssh2 can verify, the newer first.
const hostKeyAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

// One for all hosts of this process: what is opened for one is open for the others.
const ring = keyRing()

/** Where a destination is, for whoever runs this process. */
export function endpointFor(destination: string, options: SshOptions): Endpoint {
  const home = homedir()
  const context = { home, env: process.env, user: userInfo().username, ...options }
  return endpointOf(sshSettings(destination, context), home, destination)
}

function endpointOf(settings: SshSettings, home: string, name: string): Endpoint {
  const { host, port, user, hostKey, keepAlive, connectTimeoutMs, via, addressFamily, bindAddress } = settings
  const target = { host, port, alias: hostKey.alias }
  const known = () => readKnownHosts([...hostKey.userFiles, ...hostKey.globalFiles])
  const types = knownKeyTypes(known(), target)
  return {
    name,
    host,
    port,
    user,
    hostKeyTypes: knownFirst(
      algorithmList(settings.algorithms.hostKey, hostKeyAlgorithms, [...hostKeyAlgorithms, 'ssh-rsa']),
      types,
    ),
    connectTimeoutMs,
    keepAlive,
    addressFamily,
    bindAddress,
    checkHostKey(key) {
      const check = checkHostKey(known(), target, key)
      if (check.status === 'known') return
      const [file] = hostKey.userFiles
      const mayTrust = hostKey.strict === 'accept-new' || hostKey.strict === 'no'
      if (check.status !== 'unknown' || check.authority || !mayTrust || !file)
        throw hostKeyError(check, target, key)
      rememberHostKey(file, target, key, { hash: hostKey.hash })
    },
    credentials: credentials(settings.login, home).map((each) => async () => {
      if (each.kind === 'agent') return { type: 'agent', agent: await agentOf(each.socket, each.only) }
      const found = await ring.open(each.path)
      if (found.status === 'ready') return { type: 'key', key: found.key }
      // A key that nobody has named may well be missing; any other trouble with a key is worth knowing.
      return found.status === 'missing' && !each.configured ? undefined : found.error
    }),
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
