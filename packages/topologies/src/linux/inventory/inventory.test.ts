import { createServer } from 'node:http'
import { arch, cpus, hostname, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Host } from '@harmony-iac/core/host'
import { describe, expect, test } from 'vitest'
import { hasCommand } from '../../../../../scripts/testing/has-command.ts'
import { scratch } from '../../../test/scratch.ts'
import { localHost } from '../../hosts/local.ts'
import { type Inventory, takeInventory } from './inventory.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

test('this machine is as Node knows it', async () => {
  const found = await takeInventory(localHost())
  expect(found).toMatchObject({
    hostname: hostname(),
    kernel: release(),
    architecture: architectures[arch()] ?? expect.any(String),
    processors: cpus().length,
    memory: { total: totalmem() },
  })
  expect(found.fileSystems).toContainEqual(expect.objectContaining({ mountPoint: '/' }))
  expect(found.interfaces).toContainEqual(expect.objectContaining({ name: 'lo' }))
  expect(Date.parse(found.bootedAt ?? '')).toBeLessThan(Date.now())
})

test.each(['dash', 'bash'].filter(hasCommand))('the script says the same in %s', async (shell) => {
  const here = localHost()
  const asked: Host = {
    ...here,
    exec: (argv, options) => here.exec([shell, ...argv.slice(1)] as never, options),
  }
  // Other tests use memory and disks, and make interfaces.
  const lasting = ({ memory, fileSystems, interfaces, engine: _, ...rest }: Inventory) => ({
    ...rest,
    memory: memory?.total,
    root: fileSystems.find(({ mountPoint }) => mountPoint === '/')?.device,
    loopback: interfaces.find(({ name }) => name === 'lo'),
  })
  expect(lasting(await takeInventory(asked))).toEqual(lasting(await takeInventory(here)))
})

describe('an engine', () => {
  /** This machine, with a server of ours where the engine is. */
  async function withEngine(body: string | undefined): Promise<unknown> {
    const socket = join(scratch(), 'engine.sock')
    const server = createServer((_request, response) =>
      body === undefined ? response.destroy() : response.end(body),
    )
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    const here = localHost()
    try {
      return (await takeInventory({ ...here, dial: () => here.dial(socket) })).engine
    } finally {
      server.close()
    }
  }

  test('is asked for its version', async () => {
    expect(await withEngine('{"Version":"26.1.0","ApiVersion":"1.45","More":[]}')).toEqual({
      version: '26.1.0',
      apiVersion: '1.45',
    })
  })
  test.each([undefined, 'no JSON', 'null', '{"Version":1}'])('that answers %j is none', async (body) => {
    expect(await withEngine(body)).toBeUndefined()
  })
})

describe('a host that does not tell', () => {
  const ended = { exitCode: 1, signal: null, timedOut: false, stdoutCut: 0, stderrCut: 0, durationMs: 1 }
  const telling = (result: object): Host => ({
    ...localHost(),
    dial: () => Promise.reject(new Error('nobody there')),
    exec: async () => ({ ...ended, stdout: Buffer.from(''), stderr: Buffer.from(''), ...result }),
  })

  test('is named, with what it said', async () => {
    const silent = telling({ stderr: Buffer.from('no shell for you\n') })
    await expect(takeInventory(silent)).rejects.toMatchObject({
      code: 'command-failed',
      message: 'this machine did not tell its facts: no shell for you',
    })
  })
  test('in time is named', async () => {
    const late = telling({ timedOut: true, stdout: Buffer.from('end\n') })
    await expect(takeInventory(late)).rejects.toMatchObject({
      message: 'this machine did not tell its facts within 20 s',
    })
  })
})
