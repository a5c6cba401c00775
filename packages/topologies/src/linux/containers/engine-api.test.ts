import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { type EngineApi, engineApi } from './engine-api.ts'

/** An engine that answers as the test says, behind streams that are no sockets, as over SSH. */
async function engine(
  answer: RequestListener,
): Promise<{ api: EngineApi; dialled: () => number; most: () => number }> {
  let [dialled, open, most] = [0, 0, 0]
  const server = createServer((request, response) => {
    most = Math.max(most, ++open)
    response.once('finish', () => open--)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const api = engineApi(async () => {
    dialled++
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return Duplex.from({ readable: socket, writable: socket } as never)
  })
  onTestFinished(() => {
    api.close()
    server.closeAllConnections()
    server.close()
  })
  return { api, dialled: () => dialled, most: () => most }
}

test('connections are kept', async () => {
  const { api, dialled } = await engine((_, response) => response.end('{"a":1}'))
  for (let i = 0; i < 5; i++) expect(await api.json('GET', '/version')).toEqual({ a: 1 })
  expect(dialled()).toBe(1)
})

test('of many requests a handful is under way at a time', async () => {
  const { api, dialled, most } = await engine((_, response) => setImmediate(() => response.end('{}')))
  await Promise.all(Array.from({ length: 100 }, () => api.json('GET', '/containers/json')))
  expect(dialled()).toBeLessThanOrEqual(4)
  expect(most()).toBeLessThanOrEqual(4)
})

test('a refusal is told in the words of the engine, and frees its connection', async () => {
  const { api, dialled } = await engine((_, response) => {
    response.statusCode = 404
    response.end('{"message":"No such container: web"}\n')
  })
  for (let i = 0; i < 20; i++)
    await expect(api.json('GET', '/containers/web/json')).rejects.toMatchObject({
      status: 404,
      message: 'No such container: web',
    })
  expect(dialled()).toBe(1)
})

test('an engine that does not answer is not waited for for ever', async () => {
  const { api } = await engine(() => undefined)
  await expect(api.json('GET', '/version', { timeoutMs: 20 })).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('what cannot be dialled is told as it is', async () => {
  const problem = new Error('nobody there')
  const api = engineApi(() => Promise.reject(problem))
  await expect(api.json('GET', '/version')).rejects.toBe(problem)
})

test('questions, bodies and archives arrive as they were given', async () => {
  const { api } = await engine((request, response) => {
    request.on('data', (chunk) => response.write(JSON.stringify(`${request.url} ${String(chunk)}`)))
    request.on('end', () => response.end())
  })
  const query = { all: true, name: 'a b&c', left: undefined }
  expect(await api.json('POST', '/x', { query, body: { a: 1 } })).toBe('/x?all=true&name=a+b%26c {"a":1}')
  async function* archive() {
    yield Buffer.from('tar')
  }
  const stream = await api.stream('POST', '/load', { archive: archive() })
  expect(JSON.parse(String(await stream.toArray()))).toBe('/load tar')
})
