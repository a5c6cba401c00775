/** Asks the Docker Engine of a host what it is. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { json } from 'node:stream/consumers'
import type { Host } from '@harmony-iac/core/host'
import type { EngineVersion } from './inventory.ts'

const socket = '/var/run/docker.sock'
const timeoutMs = 5000

/** `undefined` when none answers who logs in there: there is none, or it may not be asked, or it hangs for 5 s. */
export async function engineVersion(host: Host): Promise<EngineVersion | undefined> {
  return await askEngine(host).catch(() => undefined)
}

/** The same; fails when none answers, and is `undefined` when what answers is none. */
export async function askEngine(host: Host): Promise<EngineVersion | undefined> {
  const stream = await host.dial(socket)
  try {
    const { Version: version, ApiVersion: apiVersion } = Object(await ask(stream))
    return typeof version === 'string' && typeof apiVersion === 'string' ? { version, apiVersion } : undefined
  } finally {
    stream.destroy()
  }
}

async function ask(stream: Duplex): Promise<unknown> {
  const asked = request({
    path: '/version',
    headers: { host: 'docker' },
    createConnection: () => stream,
    signal: AbortSignal.timeout(timeoutMs),
  })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return await json(response)
}
