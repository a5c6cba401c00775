/** A Linux machine at the far end of SSH, with nothing installed on it. */
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { type Access, ownAccess } from './access.ts'
import type { Endpoint } from './connect.ts'
import type { Connection } from './connection.ts'
import { execRemotely } from './exec.ts'
import { factsScript, listen, newMark, ranNothing, readFacts, type Worker } from './facts.ts'
import { remoteFiles } from './files.ts'
import { lockRemotely } from './lock.ts'
import { commandLine } from './quote.ts'
import type { AskPassword } from './sudo/sudo.ts'

interface Login extends Worker {
  readonly access: Access
}

/**
 * The machine at an endpoint. Connects when it is first used, once for all that is done there; a connection that was
 * lost is made anew by the next call, but a lock that was held went with it. With `sudo` all is done as root; it gives the
 * password, should one be needed.
 */
export function sshHost(name: string, endpoint: () => Promise<Endpoint>, sudo?: AskPassword): Host {
  let login: Promise<Login> | undefined
  let closed = false

  async function open(): Promise<Login> {
    if (closed) throw new HarmonyError('internal', `${name}: this host was closed`)
    const before = await login?.catch(() => undefined)
    if (before && !before.access.connection.lost.aborted) return before
    const opening = logIn(endpoint, sudo)
    login = opening
    try {
      return await opening
    } catch (error) {
      if (login === opening) login = undefined
      throw error
    }
  }
  /** Callers that come together share one connection. */
  let opening: Promise<Login> | undefined
  const connected = (): Promise<Login> => {
    opening ??= open().finally(() => {
      opening = undefined
    })
    return opening
  }

  const exec: Host['exec'] = async (argv, options) => {
    const { access, user, facts } = await connected()
    return await execRemotely(access, { name: user, home: facts.home }, argv, options)
  }
  return {
    name,
    files: remoteFiles(async () => (await connected()).access),
    facts: async () => (await connected()).facts,
    exec,
    async dial(socketPath) {
      const { access } = await connected()
      try {
        return await access.dial(socketPath)
      } catch (error) {
        if (isHarmonyError(error)) throw error
        throw new HarmonyError('unreachable', `${socketPath}: nobody answers at this socket on ${name}`, {
          hint: 'start the service that listens there, check that you may connect to it, and that sshd_config says AllowStreamLocalForwarding yes',
          cause: error,
        })
      }
    },
    async lock(path, options) {
      return await lockRemotely((await connected()).access, path, options)
    },
    async close() {
      closed = true
      const last = await login?.catch(() => undefined)
      last?.access.connection.close()
    },
  }
}

async function logIn(endpoint: () => Promise<Endpoint>, sudo: AskPassword | undefined): Promise<Login> {
  const { Connection } = await import('./connection.ts')
  const connection = await Connection.open(await endpoint())
  try {
    const own = ownAccess(connection)
    if (!sudo) {
      openFiles(own)
      return { access: own, ...(await whoWorks(connection)) }
    }
    const { becomeRoot } = await import('./sudo/sudo.ts')
    const { access = own, worker } = await becomeRoot(connection, sudo)
    openFiles(access)
    return { access, ...worker }
  } catch (error) {
    connection.close()
    throw error
  }
}

/**
 * Nearly everything begins with a file: the channel is opened before anybody asks. Who uses it hears of what goes wrong.
 */
function openFiles(access: Access): void {
  access.sftp().catch(() => undefined)
}

async function whoWorks(connection: Connection): Promise<Worker> {
  const mark = newMark()
  const line = commandLine(['/bin/sh', '-c', factsScript, 'sh', mark])
  const { said } = await connection.session(line, (channel) => {
    channel.end()
    return listen(channel)
  })
  const found = readFacts((await said).out, mark)
  if (!found) throw connection.lost.aborted ? connection.failure() : ranNothing(connection.endpoint.name)
  return found
}
