import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Attendant } from '@harmony-iac/core/attendant'
import { expect, test } from 'vitest'
import { scratch } from '../../../test/scratch.ts'
import type { Asking } from './asking.ts'
import { fingerprint } from './known-hosts.ts'
import { type Stranger, trustHostKey } from './trust.ts'

const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIBsUGcMCWxLwQ2LLvDPG2ZRFXKKKDBtnBQ1RQ4kmBqQK', 'base64')
const print = fingerprint(key)

/** A host of which nothing is known, and the file where it would be. */
function stranger(
  settings: Partial<Stranger['settings']> = {},
  batch = false,
): { file: string; host: Stranger } {
  const file = `${scratch()}/known_hosts`
  return {
    file,
    host: {
      name: 'kiosk',
      target: { host: 'kiosk.local', port: 22 },
      settings: {
        alias: undefined,
        userFiles: [file],
        globalFiles: [],
        strict: 'ask',
        hash: false,
        checkAddress: false,
        ...settings,
      },
      batch,
    },
  }
}

function answering(...answers: readonly (string | undefined)[]): {
  asking: Asking
  asked: (string | undefined)[]
} {
  const asked: (string | undefined)[] = []
  const left = [...answers]
  const who: Attendant = {
    present: answers.length > 0,
    async ask({ introduction }) {
      asked.push(introduction)
      return left.shift()
    },
    secret: () => Promise.reject(new Error('no secret is wanted')),
  }
  return {
    asked,
    asking: {
      inTurn: (work) => work(who),
      password: () => Promise.reject(new Error('no password is wanted')),
    },
  }
}

test.each([['yes'], [print], [` ${print}\t`]])('%j makes a host known', async (answer) => {
  const { file, host } = stranger()
  const { asking, asked } = answering(answer)
  await trustHostKey(host, key, asking)
  expect(asked).toEqual([
    `Nothing is known of this host (kiosk.local, port 22). It shows the ssh-ed25519 key\n${print}`,
  ])
  expect(readFileSync(file, 'utf8')).toBe(`kiosk.local ssh-ed25519 ${key.toString('base64')}\n`)
  await trustHostKey(host, key, asking)
  expect(asked).toHaveLength(1)
})

test.each([['no'], [''], [undefined], ['y', 'no'], [`${print.slice(0, -1)}x`, 'no']])(
  '%j and %j do not',
  async (...answers) => {
    const { file, host } = stranger()
    await expect(trustHostKey(host, key, answering(...answers).asking)).rejects.toMatchObject({
      code: 'host-key',
      message: `kiosk: its host key ssh-ed25519 ${print} was not trusted`,
    })
    expect(existsSync(file)).toBe(false)
  },
)

test.each([
  ['where nobody is there', {}, false, []],
  ['in batch mode', {}, true, ['yes']],
  ['where the configuration is strict', { strict: 'yes' }, false, ['yes']],
  ['where it could not be remembered', { userFiles: [] }, false, ['yes']],
] as const)('nobody is asked %s', async (_, settings, batch, answers) => {
  const { host } = stranger(settings, batch)
  const { asking, asked } = answering(...answers)
  await expect(trustHostKey(host, key, asking)).rejects.toMatchObject({
    code: 'host-key',
    message: expect.stringContaining('nobody has vouched for its host key'),
  })
  expect(asked).toEqual([])
})

test('nobody is asked about a key that has changed', async () => {
  const { file, host } = stranger()
  const other = Buffer.from(key)
  other[40] = (other[40] ?? 0) ^ 1
  writeFileSync(file, `kiosk.local ssh-ed25519 ${other.toString('base64')}\n`)
  const { asking, asked } = answering('yes')
  await expect(trustHostKey(host, key, asking)).rejects.toThrow('THE HOST KEY HAS CHANGED')
  expect(asked).toEqual([])
})

test.each(['accept-new', 'no'] as const)(
  'with StrictHostKeyChecking %s it is known without a question',
  async (strict) => {
    const { file, host } = stranger({ strict })
    await trustHostKey(host, key, answering().asking)
    expect(readFileSync(file, 'utf8')).toContain('kiosk.local ssh-ed25519')
  },
)
