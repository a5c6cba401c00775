import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { expect, onTestFinished, test } from 'vitest'
import { localHost } from '../../hosts/local.ts'
import { linuxContainers } from './containers.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'harmony-no-engine-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

/** A host on which somebody logs in who is not root, as SSH tells it: only that the socket was not to be had. */
function seenBy(uid: number, groups: string, socket: { uid: number; gid: number; mode: number }): Host {
  const stat = { type: 'other', size: 0, inode: '1', device: 1n, mtimeNs: 1n, ctimeNs: 1n, ...socket }
  return {
    name: 'pi',
    files: { realpath: async (path: string) => path, lstat: async () => stat },
    facts: async () => ({ uid, gid: uid, home: '/home/pi', env: {} }),
    exec: async () => ({ exitCode: 0, stdout: Buffer.from(`${groups}\n`) }),
    dial: async () => {
      throw new HarmonyError('unreachable', 'open failed')
    },
  } as unknown as Host
}

test('a host without an engine says what to install', async () => {
  const containers = linuxContainers(localHost(), { socket: join(folder(), 'docker.sock') })
  await expect(containers.container('web')).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('no container engine is there'),
    hint: expect.stringContaining('install'),
  })
})

test('a socket that an engine has left says that one was there', async () => {
  const socket = join(folder(), 'docker.sock')
  writeFileSync(socket, '')
  const containers = linuxContainers(localHost(), { socket })
  await expect(containers.container('web')).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('does not answer'),
  })
})

const socket = { uid: 0, gid: 998, mode: 0o660 }

test.each([
  ['may not be asked by this user', 'refused', seenBy(1000, '1000 27', socket)],
  ['does not answer', 'unreachable', seenBy(1000, '1000 998', socket)],
  ['does not answer', 'unreachable', seenBy(0, '0', socket)],
])(
  'over SSH, where only that it failed is known, it is found out that the engine %s (%s)',
  async (message, code, host) => {
    await expect(linuxContainers(host).volume('data')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      hint: expect.any(String),
    })
  },
)
