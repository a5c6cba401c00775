import { createPrivateKey, createPublicKey } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { open, seal } from './hpke.ts'
import { newKey } from './private-key.ts'
import { openBox, sealTo } from './sealed-box.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const x25519 = (raw: string) =>
  createPrivateKey({ key: hex(`302e020100300506032b656e04220420${raw}`), format: 'der', type: 'pkcs8' })

describe.each([
  {
    name: 'A.2.1, base mode',
    skEm: 'f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600',
    skRm: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
    skSm: undefined,
    enc: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
    ct: '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  },
  {
    name: 'A.2.3, auth mode',
    skEm: 'c94619e1af28971c8fa7957192b7e62a71ca2dcdde0a7cc4a8a9e741d600ab13',
    skRm: '3ca22a6d1cda1bb9480949ec5329d3bf0b080ca4c45879c95eddb55c70b80b82',
    skSm: '2def0cb58ffcf83d1062dd085c8aceca7f4c0c3fd05912d847b61f3e54121f05',
    enc: 'f7674cc8cd7baa5872d1f33dbaffe3314239f6197ddf5ded1746760bfc847e0e',
    ct: 'ab1a13c9d4f01a87ec3440dbd756e2677bd2ecf9df0ce7ed73869b98e00c09be111cb9fdf077347aeb88e61bdf',
  },
])('RFC 9180, appendix $name', ({ skEm, skRm, skSm, enc, ct }) => {
  const recipient = x25519(skRm)
  const sender = skSm === undefined ? undefined : x25519(skSm)
  const binding = { info: hex('4f6465206f6e2061204772656369616e2055726e'), aad: hex('436f756e742d30') }
  const sealed = { enc: hex(enc), ciphertext: hex(ct) }
  const text = Buffer.from('Beauty is truth, truth beauty')

  test('seals', () => {
    const options = { sender, ephemeral: x25519(skEm) }
    expect(seal(createPublicKey(recipient), text, binding, options)).toEqual(sealed)
  })
  test('opens', () => {
    expect(open(recipient, sealed, binding, sender && createPublicKey(sender))).toEqual(text)
  })
  test('opens not as if another had sent it', () => {
    const other = createPublicKey(x25519('01'.repeat(32)))
    expect(open(recipient, sealed, binding, other)).toBeUndefined()
    if (sender) expect(open(recipient, sealed, binding)).toBeUndefined()
  })
})

const key = newKey('x25519')
const about = { agent: 'kiosk-1', project: 'shop', generation: 3, name: 'wifi' }

test('what is sealed is opened by the holder of the key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
      const box = sealTo(key.public, 'bundle secret', about, value)
      expect(openBox(key, 'bundle secret', about, JSON.parse(JSON.stringify(box)))).toEqual(
        Buffer.from(value),
      )
    }),
    { numRuns: 30 },
  )
})

test('the same value sealed twice looks different', () => {
  const [a, b] = [0, 1].map(() => sealTo(key.public, 'bundle secret', about, Buffer.from('psk')))
  expect(a?.ciphertext).not.toBe(b?.ciphertext)
})

describe('a box does not open', () => {
  const value = Buffer.from('correct horse')
  const box = sealTo(key.public, 'bundle secret', about, value)
  const refused = (message: string) =>
    expect.objectContaining({ code: 'refused', message: expect.stringContaining(message) })
  test.each([
    ['under another name', { ...about, name: 'vpn' }],
    ['for another agent', { ...about, agent: 'kiosk-2' }],
    ['in another project', { ...about, project: 'bank' }],
    ['in another generation', { ...about, generation: 4 }],
  ])('%s', (_, other) => {
    expect(() => openBox(key, 'bundle secret', other, box)).toThrow(refused('made for something else'))
  })
  test('as something of another sort', () => {
    expect(() => openBox(key, 'answer', about, box)).toThrow(refused('made for something else'))
  })
  test('with another key, and the error says which one it was for', () => {
    const other = newKey('x25519')
    expect(() => openBox(other, 'bundle secret', about, box)).toThrow(refused(key.public.id))
    expect(() => openBox(other, 'bundle secret', about, { ...box, to: other.public.id })).toThrow(
      refused('made for something else'),
    )
  })
  test.each(['enc', 'ciphertext'] as const)('when any bit of %s is changed', (part) => {
    const bytes = Buffer.from(box[part], 'base64')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      // X25519 passes over the highest bit of a point, but the bit is part of what the keys are derived from.
      expect(() =>
        openBox(key, 'bundle secret', about, { ...box, [part]: changed.toString('base64') }),
      ).toThrow(refused('made for something else'))
    }
  })
  test.each([
    ['of small order', Buffer.alloc(32)],
    ['too short', Buffer.alloc(31)],
    ['of nothing', Buffer.alloc(0)],
  ])('with a point %s', (_, enc) => {
    expect(() => openBox(key, 'bundle secret', about, { ...box, enc: enc.toString('base64') })).toThrow(
      refused('made for something else'),
    )
  })
})
