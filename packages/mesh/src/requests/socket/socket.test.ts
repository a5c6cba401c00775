import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { requestsConformance } from '../../testing/requests-conformance.ts'
import type { Listening } from '../carrier.ts'
import { socketCarrier } from './carrier.ts'
import { frame } from './frames.ts'
import { listenOnSocket } from './listen.ts'

describe('requests over a unix socket', () => {
  const checks = requestsConformance({
    name: 'unix socket',
    open: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'harmony-socket-'))
      const path = join(folder, 'agent.sock')
      let listening: Listening | undefined
      return {
        carrier: socketCarrier(path),
        listen: async (_, serve) => {
          await listening?.close()
          listening = await listenOnSocket(path, serve)
          return listening
        },
        [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
      }
    },
  })
  for (const { name, run } of checks) test(name, run)
})

describe('the socket of an agent', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'harmony-socket-'))
    path = join(folder, 'agent.sock')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const echo: Parameters<typeof listenOnSocket>[1] = (message, reply) => reply.send(message)

  async function ask(message: Uint8Array): Promise<readonly Uint8Array[]> {
    const replies: Uint8Array[] = []
    for await (const reply of socketCarrier(path).exchange('a', message, new AbortController().signal))
      replies.push(reply)
    return replies
  }

  /** What comes back for raw bytes until the agent closes. */
  function raw(bytes: Uint8Array): Promise<string> {
    return new Promise((resolve) => {
      let text = ''
      const socket = connect(path, () => socket.write(bytes))
      socket.on('data', (data) => {
        text += data.toString('latin1')
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    })
  }

  test('is its user\u2019s only, and leaves nothing beside it, nor itself when closed', async () => {
    chmodSync(folder, 0o755)
    const listening = await listenOnSocket(path, echo)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['agent.sock'])
    await listening.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('replaces one that a killed agent left', async () => {
    const killed = createServer().listen(join(folder, 'first'))
    await new Promise((resolve) => killed.once('listening', resolve))
    const { renameSync } = await import('node:fs')
    renameSync(join(folder, 'first'), path)
    await new Promise((resolve) => killed.close(resolve))
    expect(existsSync(path)).toBe(true)

    await using _ = await listenOnSocket(path, echo)
    expect(await ask(new Uint8Array([1]))).toEqual([Buffer.from([1])])
  })

  test('is not taken from an agent that runs, nor from a file', async () => {
    await using _ = await listenOnSocket(path, echo)
    await expect(listenOnSocket(path, echo)).rejects.toMatchObject({ code: 'locked' })
    expect(await ask(new Uint8Array([1]))).toHaveLength(1)

    const file = join(folder, 'file')
    writeFileSync(file, 'precious')
    await expect(listenOnSocket(file, echo)).rejects.toMatchObject({ code: 'refused' })
  })

  test('tells when its path is too long', async () => {
    const long = join(folder, 'x'.repeat(100))
    await expect(listenOnSocket(long, echo)).rejects.toMatchObject({ code: 'invalid-value' })
    expect(readdirSync(folder)).toEqual([])
  })

  test('tells when its folder is not there', async () => {
    await expect(listenOnSocket(join(folder, 'none/agent.sock'), echo)).rejects.toMatchObject({
      code: 'system',
      data: { errno: 'ENOENT' },
    })
  })

  test('closes on who announces more than it takes, before it comes', async () => {
    let served = 0
    await using _ = await listenOnSocket(path, async () => {
      served++
    })
    expect(await raw(new Uint8Array([0x7f, 0xff, 0xff, 0xff]))).toBe('')
    expect(served).toBe(0)
  })

  test('closes on who does not say what it wants', async () => {
    await using _ = await listenOnSocket(path, echo, { patienceMs: 20 })
    expect(await raw(new Uint8Array([0, 0]))).toBe('')
  })

  test('hangs up on who does not, so that others have room', async () => {
    await using _ = await listenOnSocket(path, echo, { patienceMs: 20, connections: 1 })
    const socket = connect({ path, allowHalfOpen: true }, () => socket.write(frame(new Uint8Array([7]))))
    socket.on('error', () => {}).resume()
    await once(socket, 'end')
    await vi.waitFor(async () => expect(await ask(new Uint8Array([1]))).toHaveLength(1), { timeout: 10_000 })
    socket.destroy()
  })

  test('closes on who says more than one thing', async () => {
    let aborted = false
    await using _ = await listenOnSocket(path, (_, { signal }) => {
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          aborted = true
          resolve()
        }),
      )
    })
    const one = frame(new Uint8Array([1]))
    expect(await raw(Buffer.concat([one, one]))).toBe('')
    expect(aborted).toBe(true)
  })
})
