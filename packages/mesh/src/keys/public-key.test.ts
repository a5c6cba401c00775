import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newKey } from './private-key.ts'
import { type KeyAlgorithm, parsePublicKey, publicKey, publicKeyLine } from './public-key.ts'

// RFC 8032, section 7.1, TEST 1; the fingerprint is that of `openssl pkey -pubin -outform DER | sha256sum`.
const raw = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
const known = publicKey('ed25519', raw, 'alice@laptop')

test('a key is one line: what it is, its short id, itself, and whose it is', () => {
  expect(publicKeyLine(known)).toBe(
    `ed25519 ${known.id} 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= alice@laptop`,
  )
  expect(known.fingerprint).toBe('06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9')
  expect(known.id).toBe(known.fingerprint.slice(0, 16))
})

test.each<KeyAlgorithm>(['ed25519', 'x25519'])(
  'an %s key is the same after a journey as a line',
  (algorithm) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (comment) => {
        const key = publicKey(algorithm, raw, comment)
        expect(parsePublicKey(publicKeyLine(key), algorithm)).toEqual(key)
      }),
      { numRuns: 30 },
    )
  },
)

test('two algorithms make two keys of the same bytes', () => {
  expect(publicKey('x25519', raw).id).not.toBe(known.id)
})

describe('a line is refused', () => {
  const line = publicKeyLine(known)
  test.each([
    ['when it is empty', '', 'not the line of a public key'],
    ['when it is cut off', line.slice(0, 40), 'not the line of a public key'],
    ['when a character of the key is another one', line.replace('11qY', '11qZ'), 'mistyped or exchanged'],
    [
      'when the id is that of another key',
      line.replace(known.id, '0000000000000000'),
      'mistyped or exchanged',
    ],
    ['when bits are set that mean nothing', line.replace('HURo=', 'HURp='), 'mistyped'],
    ['when it is a key to seal to', publicKeyLine(newKey('x25519').public), 'ed25519 was asked for'],
  ])('%s', (_, text, message) => {
    expect(() => parsePublicKey(text, 'ed25519')).toThrow(
      expect.objectContaining({ code: 'invalid-value', message: expect.stringContaining(message) }),
    )
  })

  test('when it is a private key, of which nothing is told', () => {
    const pem = newKey('ed25519').toPem()
    const secret = pem.split('\n')[1] ?? ''
    for (const text of [pem, secret])
      try {
        parsePublicKey(text, 'ed25519')
        expect.unreachable()
      } catch (error) {
        expect(`${JSON.stringify(error)} ${error} ${(error as Error).stack}`).not.toContain(secret)
      }
  })
})
