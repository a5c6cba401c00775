/**
 * Debian's archive for hosts in containers: a proxy of this process on the engine's own network, since a container may
 * know no name server, and may reach nobody but this machine. It passes requests for packages on, and keeps nothing.
 */
import { createServer, get } from 'node:http'
import { type AddressInfo, isIPv4 } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { engine } from './engine.ts'
import type { Part } from './require-part.ts'

const root = 'http://deb.debian.org/debian'

/** Whether the archive can be reached from here. */
export const debianArchive: Part = {
  name: "Debian's archive",
  get: `see that this machine reaches ${root}`,
  present: await fetch(`${root}/dists/bookworm/InRelease`, {
    method: 'HEAD',
    signal: AbortSignal.timeout(15_000),
  })
    .then(({ ok }) => ok)
    .catch(() => false),
}

/** What a host needs to get packages. */
export interface Archive extends AsyncDisposable {
  /** A file for `/etc/apt/apt.conf.d` of a host on the engine's network. */
  readonly aptConf: string
  /** A file for `/etc/apt/sources.list`. */
  readonly sourcesList: string
}

/** Starts the proxy; disposing of it ends it. */
export async function startArchive(): Promise<Archive> {
  const { IPAM } = (await (await engine()).getNetwork('bridge').inspect()) as {
    readonly IPAM: { readonly Config: readonly { readonly Gateway?: string }[] }
  }
  const gateway = IPAM.Config.map(({ Gateway }) => Gateway).find((each) => each && isIPv4(each))
  if (!gateway) throw new Error('the network of the engine has no gateway')
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || !request.url?.startsWith(`${root}/`)) {
      response.writeHead(403).end()
      return
    }
    const asked = get(request.url, { headers: { ...request.headers, connection: 'close' } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      pipeline(answer, response).catch(() => response.destroy())
    })
    asked.on('error', () => response.writeHead(502).end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, gateway, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    aptConf: `Acquire::http::Proxy "http://${gateway}:${port}";\nAcquire::Check-Valid-Until "false";\n`,
    sourcesList: `deb ${root} bookworm main\n`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
