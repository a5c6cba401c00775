/**
 * A registry of images in this process, with as much of the OCI distribution protocol as an engine asks for when it pulls.
 * Images are busybox with a page of their own. It can ask for a login, and hold back what it sends.
 */
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { busyboxRoot } from '../../../scripts/testing/busybox-image.ts'

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'

/** A running registry; disposing of it ends it. */
export interface Registry extends AsyncDisposable {
  /** For references: `127.0.0.1:40123`. */
  readonly address: string
  /** Puts an image there, or another one under the same tag; tells its digest. */
  publish(name: string, tag: string, content: string): Promise<string>
  /** From now on only who logs in gets anything. */
  demandLogin(username: string, password: string): void
  /** Layers are begun and not finished until {@link release}. Resolves when somebody waits for one. */
  holdBack(): Promise<void>
  release(): void
  /** How many requests there were for layers. */
  readonly layersServed: number
}

/** Starts one on 127.0.0.1, which engines reach without TLS. */
export async function startRegistry(): Promise<Registry> {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Buffer>()
  let login: string | undefined
  let held:
    | { readonly asked: () => void; readonly free: Promise<void>; readonly release: () => void }
    | undefined
  let layersServed = 0

  const put = (bytes: Buffer): { digest: string; size: number } => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { digest, size: bytes.length }
  }

  async function answer({ url = '', method, headers }: IncomingMessage, to: ServerResponse): Promise<void> {
    const send = (status: number, type: string, bytes: Buffer, digest?: string) => {
      to.writeHead(status, {
        'content-type': type,
        'content-length': bytes.length,
        ...(digest && { 'docker-content-digest': digest }),
      })
      to.end(method === 'HEAD' ? undefined : bytes)
    }
    if (login !== undefined && headers.authorization !== login) {
      to.setHeader('www-authenticate', 'Basic realm="test"')
      send(
        401,
        'application/json',
        Buffer.from('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'),
      )
      return
    }
    const [, kind, reference = ''] = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? []
    if (url === '/v2/') return send(200, 'application/json', Buffer.from('{}'))
    const path = /^\/v2\/(.+)\/manifests\//.exec(url)?.[1]
    const found = kind === 'manifests' ? manifests.get(`${path}:${reference}`) : blobs.get(reference)
    if (!found)
      return send(
        404,
        'application/json',
        Buffer.from('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'),
      )
    if (kind === 'manifests') return send(200, manifestType, found, digestOf(found))
    if (found[0] === 0x1f) {
      layersServed++
      if (held) {
        to.writeHead(200, { 'content-length': found.length })
        to.write(found.subarray(0, found.length / 2))
        held.asked()
        await held.free
        to.end(found.subarray(found.length / 2))
        return
      }
    }
    send(200, 'application/octet-stream', found, reference)
  }

  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    async publish(name, tag, content) {
      const { folder, tar } = await busyboxRoot(content)
      const layer = await readFile(tar)
      await rm(folder, { recursive: true, force: true })
      const config = put(
        Buffer.from(
          JSON.stringify({
            architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
            os: 'linux',
            config: { Env: ['PATH=/bin'], Cmd: ['sleep', '100000'], StopSignal: 'SIGKILL' },
            rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
          }),
        ),
      )
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: manifestType,
          config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...config },
          layers: [
            { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...put(gzipSync(layer)) },
          ],
        }),
      )
      const digest = digestOf(manifest)
      for (const reference of [tag, digest]) manifests.set(`${name}:${reference}`, manifest)
      return digest
    },
    demandLogin(username, password) {
      login = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    },
    holdBack() {
      const asked = Promise.withResolvers<void>()
      const free = Promise.withResolvers<void>()
      held = { asked: asked.resolve, free: free.promise, release: free.resolve }
      return asked.promise
    },
    release() {
      held?.release()
      held = undefined
    },
    get layersServed() {
      return layersServed
    },
    async [Symbol.asyncDispose]() {
      held?.release()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}
