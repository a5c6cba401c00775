/** A Linux machine at the far end of SSH, with nothing installed on it. */
import { randomBytes } from 'node:crypto'
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Host, HostFacts } from '@harmony-iac/core/host'
import type { Sessions } from '../sessions.ts'
import type { Connection, Endpoint } from './connection.ts'
import { execRemotely } from './exec.ts'
import { remoteFiles } from './files.ts'
import { lockRemotely } from './lock.ts'
import { commandLine } from './quote.ts'

/** What is asked of the login shell once: the numbers and folders of whoever logs in. */
const factsScript = `printf '%s\\0' "$1" "$(id -u)" "$(id -g)" "$(id -un)" "$HOME" "$XDG_STATE_HOME" "$HARMONY_STATE_DIR" end`

interface Login {
  readonly connection: Connection
  readonly user: string
  readonly facts: HostFacts
}

/**
 * The machine at an endpoint. Connects when it is first used, once for all that is done there; a connection that was
 * lost is made anew by the next call, but a lock that was held went with it.
 */
export function sshHost(name: string, endpoint: () => Promise<Endpoint>): Host {
  let login: Promise<Login> | undefined
  let closed = false

  async function open(): Promise<Login> {
    if (closed) throw new HarmonyError('internal', `${name}: this host was closed`)
    const before = await login?.catch(() => undefined)
    if (before && !before.connection.lost.aborted) return before
    const opening = logIn(endpoint)
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
    const { connection, user, facts } = await connected()
    return await execRemotely(connection, { name: user, home: facts.home }, argv, options)
  }
  return {
    name,
    files: remoteFiles(async () => (await connected()).connection),
    facts: async () => (await connected()).facts,
    exec,
    async dial(socketPath) {
      const { connection } = await connected()
      try {
        return await connection.forward(socketPath)
      } catch (error) {
        if (isHarmonyError(error)) throw error
        throw new HarmonyError('unreachable', `${socketPath}: nobody answers at this socket on ${name}`, {
          hint: 'start the service that listens there, check that you may connect to it, and that sshd_config says AllowStreamLocalForwarding yes',
          cause: error,
        })
      }
    },
    async lock(path, options) {
      return await lockRemotely((await connected()).connection, path, options)
    },
    async close() {
      closed = true
      const last = await login?.catch(() => undefined)
      last?.connection.close()
    },
  }
}

async function logIn(endpoint: () => Promise<Endpoint>): Promise<Login> {
  const { Connection } = await import('./connection.ts')
  const connection = await Connection.open(await endpoint())
  try {
    // Nearly everything begins with a file: the channel is opened while the login shell is asked. Who uses it hears of
    // what goes wrong.
    connection.sftp().catch(() => undefined)
    return { connection, ...(await whoLogsIn(connection)) }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Asks a connection as whom it works. */
export async function whoLogsIn(
  connection: Sessions,
): Promise<{ readonly user: string; readonly facts: HostFacts }> {
  const mark = randomBytes(9).toString('base64url')
  let text = ''
  const ended = await connection.session(
    commandLine(['/bin/sh', '-c', factsScript, 'sh', mark]),
    (channel) => {
      channel.end()
      channel.stderr.resume()
      channel.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      return { closed: new Promise<void>((resolve) => channel.once('close', () => resolve())) }
    },
  )
  await ended.closed
  // Before the mark stands whatever the login shell's own files print.
  const [, uid, gid, user, home, xdg, own, end] = text.slice(text.indexOf(mark)).split('\0')
  if (end !== 'end' || user === undefined || home === undefined)
    throw new HarmonyError('unreachable', `${connection.endpoint.name}: the login shell ran nothing`, {
      hint: 'log in by hand and look for what its start-up files do',
    })
  const env = { XDG_STATE_HOME: xdg || undefined, HARMONY_STATE_DIR: own || undefined }
  return { user, facts: { uid: Number(uid), gid: Number(gid), home, env } }
}
