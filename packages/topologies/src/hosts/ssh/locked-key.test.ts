import { readFileSync } from 'node:fs'
import { HarmonyError } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { makeKey, opensshClient, publicKey } from '../../../test/openssh.ts'
import { scratch } from '../../../test/scratch.ts'
import { parseKey } from './key-files.ts'
import { lockedKeyAgent, type OpenKey } from './locked-key.ts'

describeWith(opensshClient, 'a key with a passphrase', () => {
  async function make(open: (path: string) => ReturnType<OpenKey>) {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    let opened = 0
    const locked: string[] = []
    const agent = lockedKeyAgent(
      publicKey(path),
      () => {
        opened++
        return open(path)
      },
      (why) => locked.push(why.message),
    )
    const identities = new Promise((resolve, reject) =>
      agent.getIdentities((error, keys) => (error ? reject(error) : resolve(keys))),
    )
    const sign = () =>
      new Promise<Buffer | undefined>((resolve, reject) =>
        agent.sign(publicKey(path), Buffer.from('text'), {}, (error, signature) =>
          error ? reject(error) : resolve(signature),
        ),
      )
    return { path, identities: await identities, sign, locked, opened: () => opened }
  }

  test('is shown without being opened, and signs once it is wanted', async () => {
    const { path, identities, sign, opened } = await make(async (at) => {
      const key = await parseKey(readFileSync(at, 'utf8'), 'open sesame')
      if (!key || key instanceof Error) throw new Error('the key was not opened')
      return key
    })
    expect(identities).toEqual([publicKey(path)])
    expect(opened()).toBe(0)
    const signature = await sign()
    const key = await parseKey(readFileSync(`${path}.pub`, 'utf8'))
    if (!key || key instanceof Error) throw new Error('the public half cannot be read')
    expect(key.verify(Buffer.from('text'), signature ?? Buffer.of())).toBe(true)
  })

  test('that stays locked signs nothing, and says why', async () => {
    const { sign, locked } = await make(async () => new HarmonyError('refused', 'three answers were wrong'))
    await expect(sign()).rejects.toThrow('three answers were wrong')
    expect(locked).toEqual(['three answers were wrong'])
  })

  test('signs nothing when the question fails', async () => {
    const { sign, locked } = await make(() => Promise.reject(new Error('the terminal is gone')))
    await expect(sign()).rejects.toThrow('the terminal is gone')
    expect(locked).toEqual([])
  })
})
