import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Host } from '@harmony-iac/core/host'
import { expect, onTestFinished, test } from 'vitest'
import { engineContainers } from './engine-containers.ts'

/** An engine with fifty containers of one image that writes down what it is asked. */
async function fifty() {
  const asked: string[] = []
  const ids = Array.from({ length: 50 }, (_, i) => `${i}`.padStart(64, '0'))
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const id = /^\/containers\/([0-9]{64})\/json$/.exec(url)?.[1]
    const found = url.startsWith('/containers/json')
      ? ids.map((each, i) => ({ Id: each, Names: [`/web-${i}`] }))
      : url.startsWith('/images/')
        ? { Id: 'sha256:1', Config: { Cmd: ['serve'] } }
        : id && {
            ...{ Id: id, Name: `/web-${Number(id)}`, Image: 'sha256:1', RestartCount: 0 },
            ...{ State: { Status: 'running' }, Config: { Image: 'app:1' }, HostConfig: {} },
          }
    response.statusCode = found ? 200 : 404
    response.end(JSON.stringify(found ?? { message: `No such container: ${url}` }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dial = async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  const containers = engineContainers({ name: 'pi', dial } as unknown as Host)
  onTestFinished(async () => {
    await containers.close()
    server.closeAllConnections()
    server.close()
  })
  return { containers, asked }
}

test('many looks at the same time are one list, one question for each that is there, and one for each image', async () => {
  const { containers, asked } = await fifty()
  const names = Array.from({ length: 50 }, (_, i) => [`web-${i}`, `web-${i}.harmony-new`]).flat()
  const found = await Promise.all(names.map((name) => containers.container(name)))
  expect(found.filter((each) => each !== undefined)).toHaveLength(50)
  expect(found[0]).toMatchObject({ name: 'web-0', defaults: { command: ['serve'] } })
  expect(asked.filter((url) => url.startsWith('/containers/json'))).toHaveLength(1)
  expect(asked.filter((url) => url.startsWith('/images/'))).toHaveLength(1)
  expect(asked).toHaveLength(52)
})

test('a name is never taken for the beginning of an id', async () => {
  const { containers } = await fifty()
  expect(await containers.container('0000')).toBeUndefined()
})

test('a signal that has aborted asks nothing', async () => {
  const { containers, asked } = await fifty()
  await expect(containers.container('web-1', AbortSignal.abort())).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(asked).toEqual([])
})
