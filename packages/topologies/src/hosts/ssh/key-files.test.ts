import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { makeKey, opensshClient, publicKey } from '../../../test/openssh.ts'
import { asOrdinaryUser, root, scratch, unprivileged } from '../../../test/scratch.ts'
import { readKeyFile, readPublicKey } from './key-files.ts'

const types = ['ed25519', 'ecdsa', 'rsa']

describeWith(opensshClient, 'a key of the real ssh-keygen', () => {
  test.each(types)('of type %s is read', async (type) => {
    const path = `${scratch()}/key`
    makeKey(path, type)
    const found = await readKeyFile(path)
    if (found.status !== 'ready') throw new Error(found.status)
    expect(found.key.isPrivateKey()).toBe(true)
    expect(found.key.getPublicSSH()).toEqual(publicKey(path))
  })

  test.each([
    ...types.map((type) => ({ type, more: [] as string[] })),
    { type: 'rsa', more: ['-m', 'PEM'] },
    { type: 'ecdsa', more: ['-m', 'PEM'] },
    { type: 'ed25519', more: ['-Z', 'aes256-gcm@openssh.com'] },
  ])('of type $type $more with a passphrase is recognized', async ({ type, more }) => {
    const path = `${scratch()}/key`
    makeKey(path, type, 'open sesame', more)
    expect(await readKeyFile(path)).toMatchObject({ status: 'encrypted', path })
    expect(await readPublicKey(path)).toEqual(publicKey(path))
  })

  test('shows its public half although it is encrypted and no .pub is beside it', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519', 'open sesame')
    const expected = publicKey(path)
    rmSync(`${path}.pub`)
    expect(await readPublicKey(path)).toEqual(expected)
  })

  test('is believed before the .pub of another key', async () => {
    const dir = scratch()
    makeKey(`${dir}/key`, 'ed25519')
    const expected = publicKey(`${dir}/key`)
    makeKey(`${dir}/other`, 'ed25519')
    cpSync(`${dir}/other.pub`, `${dir}/key.pub`)
    expect(await readPublicKey(`${dir}/key`)).toEqual(expected)
  })

  test('of which only the public half is here is known by it, and is no private key', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519')
    rmSync(path)
    expect(await readPublicKey(path)).toEqual(publicKey(path))
    expect(await readPublicKey(`${path}.pub`)).toEqual(publicKey(path))
    expect(await readKeyFile(`${path}.pub`)).toMatchObject({
      status: 'not-a-private-key',
      error: { code: 'invalid-value', message: `${path}.pub: this is a public key` },
    })
  })

  test.each([0o640, 0o604, 0o644, 0o660])('that others can read (mode %o) is refused', async (mode) => {
    const path = `${scratch()}/key`
    makeKey(path, 'ed25519')
    chmodSync(path, mode)
    expect(await readKeyFile(path)).toMatchObject({
      status: 'too-open',
      error: { code: 'refused', hint: `chmod 600 ${path}`, data: { mode } },
    })
    execFileSync('chmod', ['600', path])
    expect(await readKeyFile(path)).toMatchObject({ status: 'ready' })
  })

  describeWith(root, 'that belongs to another user', () => {
    test('may have any mode, as with OpenSSH', async () => {
      const path = `${scratch()}/key`
      makeKey(path, 'ed25519')
      execFileSync('chown', ['65534', path])
      chmodSync(path, 0o644)
      expect(await readKeyFile(path)).toMatchObject({ status: 'ready' })
    })
  })

  describeWith(unprivileged, 'that may not be read', () => {
    test('is unreadable', async () => {
      const path = `${scratch()}/key`
      makeKey(path, 'ed25519')
      chmodSync(path, 0o000)
      const found = await asOrdinaryUser(() => readKeyFile(path))
      expect(found).toMatchObject({ status: 'unreadable', error: { code: 'system', data: { path } } })
    })
  })

  test('in the format PKCS#8 is told how to be rewritten, and can be', async () => {
    const path = `${scratch()}/key`
    makeKey(path, 'rsa', '', ['-m', 'PKCS8'])
    const found = await readKeyFile(path)
    expect(found).toMatchObject({
      status: 'not-a-private-key',
      error: { hint: expect.stringContaining(`ssh-keygen -p -f ${path}`) },
    })
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', '', '-f', path])
    expect(await readKeyFile(path)).toMatchObject({ status: 'ready' })
  })
})

test.each([
  { what: 'nothing', status: 'missing', make: () => {} },
  { what: 'a folder', status: 'not-a-private-key', make: (path: string) => mkdirSync(path) },
  { what: 'an empty file', status: 'not-a-private-key', make: (path: string) => writeFileSync(path, '') },
  {
    what: 'some text, which others may read',
    status: 'not-a-private-key',
    make: (path: string) => writeFileSync(path, 'Hello\n', { mode: 0o644 }),
  },
  {
    what: 'a large file',
    status: 'not-a-private-key',
    make: (path: string) => writeFileSync(path, Buffer.alloc(2 ** 21), { mode: 0o600 }),
  },
  {
    what: 'a key that is cut off',
    status: 'not-a-private-key',
    make: (path: string) =>
      writeFileSync(
        path,
        '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n-----END OPENSSH PRIVATE KEY-----\n',
        { mode: 0o600 },
      ),
  },
])('where $what is, the key is $status', async ({ make, status }) => {
  const path = `${scratch()}/key`
  make(path)
  expect(await readKeyFile(path)).toMatchObject({
    status,
    path,
    error: { message: expect.stringContaining(path), hint: expect.stringMatching(/./) },
  })
  expect(await readPublicKey(path)).toBeUndefined()
})
