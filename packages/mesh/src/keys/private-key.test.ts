import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { isSignedBy, newKey, parsePrivateKey, signBytes } from './private-key.ts'
import { publicKey } from './public-key.ts'

// RFC 8032, section 7.1, TEST 2, its seed in the PKCS#8 of RFC 8410.
const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex').toString('base64')}\n-----END PRIVATE KEY-----\n`
const message = Buffer.from('72', 'hex')
const signature = Buffer.from(
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  'hex',
)

test('signs as RFC 8032 says', () => {
  const key = parsePrivateKey(pem, 'ed25519')
  expect(Buffer.from(key.public.key, 'base64').toString('hex')).toBe(
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  )
  expect(signBytes(key, message)).toEqual(signature)
  expect(isSignedBy(key.public, message, signature)).toBe(true)
})

describe('a signature does not hold', () => {
  const key = parsePrivateKey(pem, 'ed25519').public
  // Another spelling of the same signature: its second half plus the order of the group.
  const order = (1n << 252n) + 27742317777372353535851937790883648493n
  const half = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`)
  const other = Buffer.from((half + order).toString(16).padStart(64, '0'), 'hex').reverse()
  test.each([
    ['of other bytes', key, Buffer.from('73', 'hex'), signature],
    ['of another key', newKey('ed25519').public, message, signature],
    ['with a bit changed', key, message, Buffer.from(signature).fill(1, 5, 6)],
    ['cut off', key, message, signature.subarray(0, 63)],
    ['with something behind it', key, message, Buffer.concat([signature, Buffer.from([0])])],
    ['that is nothing', key, message, Buffer.alloc(0)],
    ['spelt in a second way', key, message, Buffer.concat([signature.subarray(0, 32), other])],
    ['by what is no point of the curve', publicKey('ed25519', Buffer.alloc(32, 0xff)), message, signature],
  ])('%s', (_, by, bytes, made) => {
    expect(isSignedBy(by, bytes, made)).toBe(false)
  })
})

test('a key is the same after a journey as PEM', () => {
  const key = newKey('x25519', 'kiosk-1')
  expect(parsePrivateKey(key.toPem(), 'x25519', 'kiosk-1').public).toEqual(key.public)
})

test('a key shows only its public half', () => {
  const key = parsePrivateKey(pem, 'ed25519')
  const shown = `${JSON.stringify(key)} ${inspect(key, { depth: 9, showHidden: true })} ${key}`
  expect(shown).toContain(key.public.id)
  for (const form of [seed, Buffer.from(seed, 'hex').toString('base64')]) expect(shown).not.toContain(form)
})

const encrypted = parsePrivateKey(pem, 'ed25519')
  .keyObject()
  .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'words' })
  .toString()

describe('what is no key is refused, and nothing of it is told', () => {
  test.each([
    ['text', 'hunter2hunter2', 'not PEM'],
    ['PEM that is cut off', pem.slice(0, 60), 'not PEM, or not complete'],
    ['an encrypted key', encrypted, 'encrypted'],
    ['a key to seal to', newKey('x25519').toPem(), 'of the type x25519'],
  ])('%s', (_, text, why) => {
    try {
      parsePrivateKey(text, 'ed25519')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid-value', message: expect.stringContaining(why) })
      const told = inspect(error, { depth: 9, showHidden: true })
      for (const line of text.split('\n').filter((each) => !each.includes('---') && each !== ''))
        expect(told).not.toContain(line)
    }
  })
})
