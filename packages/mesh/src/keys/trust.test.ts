import { expect, test } from 'vitest'
import { newKey, signBytes } from './private-key.ts'
import { isPast, maySignFor, signersOf, type TrustedKey } from './trust.ts'

const [alice, bob, mallory] = ['alice', 'bob', 'mallory'].map((name) => newKey('ed25519', name))
if (!alice || !bob || !mallory) throw new Error('unreachable')
const trust = (key: typeof alice, more: Partial<TrustedKey> = {}): TrustedKey => ({
  key: key.public,
  projects: 'any',
  ...more,
})
const bytes = Buffer.from('payload')
const signed = (key: typeof alice, keyid = key.public.id) => ({ keyid, sig: signBytes(key, bytes) })

test('who signed is told, each once, whoever else signed too', () => {
  const trusted = [trust(alice), trust(bob)]
  const signers = signersOf(bytes, [signed(mallory), signed(bob), signed(bob), signed(alice)], trusted)
  expect(signers.map(({ key }) => key.comment)).toEqual(['bob', 'alice'])
})

test('a hint that is missing costs time only, and one that lies gains nothing', () => {
  const trusted = [trust(alice)]
  expect(signersOf(bytes, [signed(alice, '')], trusted)).toHaveLength(1)
  expect(signersOf(bytes, [signed(mallory, alice.public.id)], trusted)).toEqual([])
  expect(signersOf(bytes, [signed(mallory, '')], trusted)).toEqual([])
})

test('a key signs for the projects it is trusted with', () => {
  expect(maySignFor(trust(alice), 'shop')).toBe(true)
  expect(maySignFor(trust(alice, { projects: ['shop'] }), 'shop')).toBe(true)
  expect(maySignFor(trust(alice, { projects: ['shop'] }), 'shop2')).toBe(false)
  expect(maySignFor(trust(alice, { projects: [] }), 'shop')).toBe(false)
})

test('a key is past only when the store has shown a later time', () => {
  expect(isPast(trust(alice), Number.MAX_SAFE_INTEGER)).toBe(false)
  expect(isPast(trust(alice, { until: 1000 }), 1000)).toBe(false)
  expect(isPast(trust(alice, { until: 1000 }), 1001)).toBe(true)
  expect(isPast(trust(alice, { until: 1000 }), 0)).toBe(false)
})
