import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isSignedBy, newKey } from '../keys/private-key.ts'
import { type Envelope, readEnvelope, signEnvelope, signedBytes, writeEnvelope } from './envelope.ts'
import { writeStrictJson } from './strict-json.ts'

// The test vector of the specification (protocol.md, version 1.0.2), with its members in canonical order.
const body = Buffer.from('hello world')
const type = 'http://example.com/HelloWorld'
const vector = {
  payload: 'aGVsbG8gd29ybGQ=',
  payloadType: type,
  signatures: [
    { sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==' },
  ],
}

describe('the specification', () => {
  test('what is signed', () => {
    expect(signedBytes(type, body).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  })
  test('lengths are those in bytes, and an empty payload has one too', () => {
    expect(signedBytes('å', Buffer.from('ß')).toString()).toBe('DSSEv1 2 å 2 ß')
    expect(signedBytes('', new Uint8Array()).toString()).toBe('DSSEv1 0  0 ')
  })
  test('the signature of its vector is one of what we say is signed', () => {
    const opened = readEnvelope(writeEnvelope(vector), 1000)
    if ('flaw' in opened) throw new Error(JSON.stringify(opened))
    const { payload, payloadType, signatures } = opened.value
    expect(Buffer.from(payload)).toEqual(body)
    const coordinate = (decimal: string) =>
      Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url')
    const key = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: coordinate('46950820868899156662930047687818585632848591499744589407958293238635476079160'),
        y: coordinate('5640078356564379163099075877009565129882514886557779369047442380624545832820'),
      },
    })
    const signature = signatures[0]?.sig ?? Buffer.alloc(0)
    expect(
      verify('sha256', signedBytes(payloadType, payload), { key, dsaEncoding: 'ieee-p1363' }, signature),
    ).toBe(true)
  })
  test('readers take either alphabet of base64, and pass over members that they do not know', () => {
    const { sig = '' } = vector.signatures[0] ?? {}
    const urlSafe = { ...vector, extra: 1, signatures: [{ sig: sig.replaceAll('+', '-'), extension: {} }] }
    expect(readEnvelope(writeStrictJson(urlSafe), 1000)).toEqual(readEnvelope(writeEnvelope(vector), 1000))
  })
})

test('an envelope carries a signature of each key', () => {
  const keys = [newKey('ed25519'), newKey('ed25519')]
  const opened = readEnvelope(writeEnvelope(signEnvelope('text/x', body, keys)), 1000)
  if ('flaw' in opened) throw new Error(JSON.stringify(opened))
  const { signatures } = opened.value
  expect(signatures.map(({ keyid }) => keyid)).toEqual(keys.map((key) => key.public.id))
  signatures.forEach(({ sig }, i) => {
    expect(keys.map((key) => isSignedBy(key.public, signedBytes('text/x', body), sig))).toEqual(
      keys.map((_, at) => at === i),
    )
  })
})

describe('is refused', () => {
  const whole: Envelope = { payload: 'aGk=', payloadType: 'text/x', signatures: [{ sig: 'aGk=' }] }
  test.each<readonly [string, unknown, string]>([
    ['a list', [], 'payloadType'],
    ['nothing', null, 'payloadType'],
    ['a type that is no text', { ...whole, payloadType: 1 }, 'payloadType'],
    ['no payload', { ...whole, payload: undefined }, 'payload'],
    ['a payload without padding', { ...whole, payload: 'aGk' }, 'payload'],
    ['a payload with bits left over', { ...whole, payload: 'aGl=' }, 'payload'],
    ['a payload with white space', { ...whole, payload: 'aG k=' }, 'payload'],
    ['a payload in both alphabets', { ...whole, payload: '+-+-' }, 'payload'],
    ['no list of signatures', { ...whole, signatures: {} }, 'signatures'],
    ['a signature that is no object', { ...whole, signatures: ['aGk='] }, 'signature'],
    ['a signature that is no base64', { ...whole, signatures: [{ sig: '!' }] }, 'signature'],
    ['a hint that is no text', { ...whole, signatures: [{ sig: 'aGk=', keyid: 7 }] }, 'keyid'],
    ['a hint of great length', { ...whole, signatures: [{ sig: 'aGk=', keyid: 'k'.repeat(129) }] }, 'keyid'],
    ['a thousand signatures', { ...whole, signatures: Array(1000).fill({ sig: 'aGk=' }) }, 'signatures'],
  ])('%s', (_, value, detail) => {
    expect(readEnvelope(writeStrictJson(value), 100_000)).toEqual({
      flaw: 'garbled',
      detail: expect.stringContaining(detail),
    })
  })
})
