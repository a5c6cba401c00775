import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { makeKey, opensshClient, publicKey } from '../../../test/openssh.ts'
import { scratch } from '../../../test/scratch.ts'
import { keyRing, type PassphraseQuestion } from './key-ring.ts'

/** A ring whose user gives these answers, and what was asked. */
function answering(...answers: readonly (string | undefined)[]) {
  const asked: PassphraseQuestion[] = []
  const left = [...answers]
  const ring = keyRing(async (question) => {
    asked.push(question)
    if (left.length === 0) throw new Error('asked too often')
    return left.shift()
  })
  return { ring, asked }
}

describeWith(opensshClient, 'a key with a passphrase', () => {
  test.each([
    { type: 'ed25519', more: [] },
    { type: 'ecdsa', more: [] },
    { type: 'rsa', more: [] },
    { type: 'rsa', more: ['-m', 'PEM'] },
    { type: 'ed25519', more: ['-Z', 'aes256-gcm@openssh.com'] },
  ])('of type $type $more opens with it, after a wrong one', async ({ type, more }) => {
    const path = `${scratch()}/key`
    makeKey(path, type, 'open sesame', more)
    const { ring, asked } = answering('wrong', 'open sesame')
    const found = await ring.open(path)
    if (found.status !== 'ready') throw found.error
    expect(found.key.getPublicSSH()).toEqual(publicKey(path))
    expect(found.key.sign('text')).toBeInstanceOf(Buffer)
    expect(asked).toEqual([1, 2].map((attempt) => ({ path, attempt, attempts: 3 })))
  })

  test('is asked for once, by however many hosts', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    const { ring, asked } = answering('open sesame')
    const found = await Promise.all([ring.open(path), ring.open(path), ring.open(path)])
    expect(found.map(({ status }) => status)).toEqual(['ready', 'ready', 'ready'])
    expect((await ring.open(path)).status).toBe('ready')
    expect(asked).toHaveLength(1)
  })

  test('is given up after three wrong answers, for every host', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    const { ring, asked } = answering('a', 'b', 'c')
    for (const _ of [1, 2])
      expect(await ring.open(path)).toMatchObject({
        status: 'locked',
        error: {
          code: 'refused',
          message: `${path}: this key has a passphrase, and 3 answers were wrong`,
          hint: `add the key to an agent: ssh-add ${path}`,
        },
      })
    expect(asked).toHaveLength(3)
  })

  test.each([undefined, ''])('stays locked when the answer is %j', async (answer) => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    const { ring, asked } = answering(answer)
    expect(await ring.open(path)).toMatchObject({ status: 'locked' })
    expect(asked).toHaveLength(1)
  })

  test('stays locked where nobody can be asked', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    expect(await keyRing().open(path)).toMatchObject({
      status: 'locked',
      error: { message: `${path}: this key has a passphrase, and nobody can be asked for it` },
    })
  })

  test('is asked for again when asking has failed', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    const answers = [Promise.reject(new Error('the terminal is gone')), Promise.resolve('open sesame')]
    const ring = keyRing(async () => answers.shift())
    await expect(ring.open(path)).rejects.toThrow('the terminal is gone')
    expect(await ring.open(path)).toMatchObject({ status: 'ready' })
  })

  test('waits with its question until that about another key is answered', async () => {
    const dir = scratch()
    for (const name of ['a', 'b']) makeKey(`${dir}/${name}`, 'ed25519', 'open sesame')
    const answers: (() => void)[] = []
    const asked: string[] = []
    const ring = keyRing(({ path }) => {
      asked.push(path)
      return new Promise((resolve) => answers.push(() => resolve('open sesame')))
    })
    const first = ring.open(`${dir}/a`)
    await expect.poll(() => answers.length).toBe(1)
    const second = ring.open(`${dir}/b`)
    await new Promise(setImmediate)
    expect(asked).toEqual([`${dir}/a`])
    answers.shift()?.()
    await first
    await expect.poll(() => answers.length).toBe(1)
    answers.shift()?.()
    expect(await second).toMatchObject({ status: 'ready' })
    expect(asked).toEqual([`${dir}/a`, `${dir}/b`])
  })
})

describeWith(opensshClient, 'a key without a passphrase', () => {
  test('asks nobody, and is refused as soon as others can read it', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519')
    const { ring, asked } = answering()
    expect(await ring.open(path)).toMatchObject({ status: 'ready', path })
    chmodSync(path, 0o644)
    expect(await ring.open(path)).toMatchObject({ status: 'too-open' })
    expect(asked).toEqual([])
  })
})
