/** A container as a host: what it takes to connect, and what stands on the connection. */
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Host, HostFacts } from '@harmony-iac/core/host'
import { execRemotely } from '../ssh/exec.ts'
import { factsScript, listen, newMark, readFacts, type Worker } from '../ssh/facts.ts'
import { lockRemotely } from '../ssh/lock.ts'
import type { ContainerConnection } from './connection.ts'
import { dialInContainer } from './dial.ts'
import { containerFiles } from './files.ts'
import { FileRequests } from './requests.ts'

interface Login {
  readonly connection: ContainerConnection
  readonly requests: FileRequests
  readonly user: string
  readonly facts: HostFacts
}

/**
 * Looks the container up when it is first used, once for all that is done there. After it was stopped or started again the
 * next call looks it up anew, but a lock that was held went with it.
 */
export function containerHost(name: string, connect: () => Promise<ContainerConnection>): Host {
  let login: Login | undefined
  let opening: Promise<Login> | undefined
  let closed = false

  /** Callers that come together share one connection, also after a loss. */
  async function connected(): Promise<Login> {
    if (closed) throw new HarmonyError('internal', `${name}: this host was closed`)
    if (login && !login.connection.lost.aborted) return login
    opening ??= enter(connect).finally(() => {
      opening = undefined
    })
    login = await opening
    return login
  }

  return {
    name,
    files: containerFiles(async () => (await connected()).requests),
    facts: async () => (await connected()).facts,
    async exec(argv, options) {
      const { connection, user, facts } = await connected()
      return await execRemotely(connection, { name: user, home: facts.home }, argv, options)
    },
    async dial(socketPath) {
      return await dialInContainer((await connected()).connection, socketPath)
    },
    async lock(path, options) {
      return await lockRemotely((await connected()).connection, path, options)
    },
    async close() {
      closed = true
      const last = await opening?.catch(() => undefined)
      for (const each of [last, login]) each?.connection.close()
    },
  }
}

async function enter(connect: () => Promise<ContainerConnection>): Promise<Login> {
  const connection = await connect()
  try {
    const who = await whoWorks(connection)
    return { connection, requests: new FileRequests(connection), ...who }
  } catch (error) {
    const reason = connection.lost.aborted ? connection.failure() : error
    connection.close()
    if (!isHarmonyError(reason) || connection.lost.reason === reason) throw reason
    throw new HarmonyError(
      'unreachable',
      `${connection.endpoint.name} cannot be worked in: it has no shell`,
      {
        hint: 'images that are made of one program alone cannot be changed from within: build them anew instead',
        cause: error,
      },
    )
  }
}

async function whoWorks(connection: ContainerConnection): Promise<Worker> {
  const mark = newMark()
  const { said } = await connection.session(['/bin/sh', '-c', factsScript, 'sh', mark], (channel) => {
    channel.end()
    return listen(channel)
  })
  const { out, err } = await said
  const found = readFacts(out, mark)
  if (found) return found
  throw connection.lost.aborted
    ? connection.failure()
    : new HarmonyError('unreachable', `${connection.endpoint.name}: ${err.trim() || out.trim()}`)
}
