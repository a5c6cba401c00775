import { secret } from '@harmony-iac/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alice, bundleOf, contextOf, fixedKey, lineage, mallory, sourcesOf } from '../../test/bundles.ts'
import { Careless, Job, Old, Pair, Thing } from '../../test/kinds.ts'
import type { SigningKey } from '../keys/private-key.ts'
import { type Bundle, bundleType } from './bundle.ts'
import { signEnvelope, writeEnvelope } from './envelope.ts'
import { type JudgeContext, judge, type Verdict } from './judge.ts'
import { largestEnvelope } from './limits.ts'
import { signBundle } from './make-bundle.ts'
import { describeRejection, type Rejection } from './rejection.ts'
import { writeStrictJson } from './strict-json.ts'

const bundle = await bundleOf([Thing({ path: '/srv/a' })])
const signed = (value: unknown, keys: readonly SigningKey[] = [alice], type = bundleType) =>
  writeEnvelope(signEnvelope(type, writeStrictJson(value), keys))
const valid = signed(bundle)

/** What it says of an envelope, as short as possible. */
function reasonOf(verdict: Verdict): string {
  return verdict.verdict === 'rejected' ? verdict.rejection.reason : verdict.verdict
}

test('a bundle that is as it should be is accepted, with the key that counted', () => {
  const verdict = judge(valid, contextOf())
  expect(verdict).toMatchObject({
    verdict: 'accepted',
    bundle,
    key: alice.public,
    scores: [{ is: 'known', claims: [{ type: 'path', path: '/srv/a' }] }],
  })
})

test('the same one again is nothing new, although its time is over', async () => {
  const expiring = await bundleOf([Thing({ path: '/srv/a' })], { expiresAt: 1000 })
  const first = judge(signed(expiring), contextOf({ floor: 999 }))
  if (first.verdict !== 'accepted') throw new Error(JSON.stringify(first))
  const accepted = new Map([['shop', { lineage, generation: 7, digest: first.digest }]])
  expect(judge(signed(expiring), contextOf({ accepted, floor: 9999 }))).toEqual({
    verdict: 'current',
    project: 'shop',
    generation: 7,
  })
})

test('what is in force is nothing new to an agent that trusts its key no more', () => {
  const first = judge(valid, contextOf())
  if (first.verdict !== 'accepted') throw new Error(JSON.stringify(first))
  const accepted = new Map([['shop', { lineage, generation: 7, digest: first.digest }]])
  expect(reasonOf(judge(valid, contextOf({ accepted, trusted: [] })))).toBe('current')
})

test('signed by the old key and the new one, it is accepted by whoever trusts one of them', () => {
  const [old, young] = [fixedKey('ed25519', 'old'), fixedKey('ed25519', 'young')]
  const both = signed(bundle, [old, young])
  for (const { public: key } of [old, young])
    expect(judge(both, contextOf({ trusted: [{ key, projects: 'any' }] }))).toMatchObject({
      verdict: 'accepted',
      key,
    })
  const trusted = [
    { key: old.public, projects: 'any', until: 10 } as const,
    { key: young.public, projects: ['shop'] },
  ]
  expect(judge(both, contextOf({ trusted, floor: 11 }))).toMatchObject({ key: young.public })
})

describe('a bundle is rejected', () => {
  const wire = bundle.scores[0]
  if (!wire) throw new Error('unreachable')
  const withScores = (scores: readonly unknown[]) => signed({ ...bundle, scores })
  const accepted = (last: Partial<{ lineage: string; generation: number; digest: string }>) =>
    contextOf({ accepted: new Map([['shop', { lineage, generation: 6, digest: '', ...last }]]) })
  const trusting = (more: object) => contextOf({ trusted: [{ key: alice.public, projects: 'any', ...more }] })
  const policy = (more: object) =>
    contextOf({ policy: { kinds: 'any', roots: ['/'], shell: false, observeOnly: false, ...more } })
  const other = { project: 'bank', address: 'File:/srv/a', claims: [{ type: 'tree', path: '/srv' }] } as const
  const { agent: _, ...noAudience } = bundle

  test.each<readonly [string, Uint8Array, JudgeContext, Rejection]>([
    [
      'when it is too large, before it is read',
      Buffer.alloc(largestEnvelope + 1),
      contextOf(),
      { reason: 'too-large', size: largestEnvelope + 1, limit: largestEnvelope },
    ],
    [
      'when it is garbage',
      Buffer.from('garbage'),
      contextOf(),
      { reason: 'garbled', detail: 'it is not JSON' },
    ],
    ['when nobody signed it', signed(bundle, []), contextOf(), { reason: 'unsigned' }],
    [
      'when a stranger signed it',
      signed(bundle, [mallory]),
      contextOf(),
      { reason: 'unknown-key', keyids: [mallory.public.id] },
    ],
    [
      'when nobody is trusted',
      valid,
      contextOf({ trusted: [] }),
      { reason: 'unknown-key', keyids: [alice.public.id] },
    ],
    [
      'when a stranger signed it in the name of a trusted key',
      Buffer.from(signed(bundle, [mallory]).toString().replace(mallory.public.id, alice.public.id)),
      contextOf(),
      { reason: 'bad-signature', keyids: [alice.public.id] },
    ],
    [
      'when something else was signed',
      signed(bundle, [alice], 'application/vnd.harmony-iac.request+json'),
      contextOf(),
      { reason: 'not-a-bundle', payloadType: 'application/vnd.harmony-iac.request+json' },
    ],
    [
      'when it is of a newer form',
      signed({ ...bundle, harmony: 2, more: 1 }),
      contextOf(),
      { reason: 'newer-form', form: 2 },
    ],
    [
      'when it has a member that nobody knows',
      signed({ ...bundle, more: 1 }),
      contextOf(),
      { reason: 'garbled', detail: expect.stringContaining('more') },
    ],
    [
      'when it says not for whom it is',
      signed(noAudience),
      contextOf(),
      { reason: 'garbled', detail: expect.stringContaining('agent') },
    ],
    [
      'when it is for another agent',
      valid,
      contextOf({ agent: 'kiosk-2' }),
      { reason: 'wrong-audience', agent: 'kiosk-1' },
    ],
    [
      'when the key may not sign for this project',
      valid,
      trusting({ projects: ['bank'] }),
      { reason: 'key-not-for-project', key: alice.public.id, project: 'shop' },
    ],
    [
      'when the key was trusted until earlier',
      valid,
      { ...trusting({ until: 1000 }), floor: 1001 },
      { reason: 'key-past', key: alice.public.id, until: 1000, floor: 1001 },
    ],
    [
      'when another project has this name',
      valid,
      accepted({ lineage: '5a0c3a0e-1111-4222-8333-444455556666', generation: 1 }),
      { reason: 'other-lineage', here: '5a0c3a0e-1111-4222-8333-444455556666', lineage },
    ],
    [
      'when it is replayed',
      valid,
      accepted({ generation: 8 }),
      { reason: 'old-generation', generation: 7, last: 8 },
    ],
    [
      'when it is another one of the same generation',
      valid,
      accepted({ generation: 7, digest: 'of the other' }),
      { reason: 'old-generation', generation: 7, last: 7 },
    ],
    [
      'when its time is certainly over',
      signed({ ...bundle, expiresAt: '2026-01-01T00:00:00.000Z' }),
      contextOf({ floor: Date.UTC(2026, 0, 1) + 1 }),
      { reason: 'expired', expiresAt: '2026-01-01T00:00:00.000Z', floor: Date.UTC(2026, 0, 1) + 1 },
    ],
    [
      'when a Score stands in it twice',
      withScores([wire, wire]),
      contextOf(),
      { reason: 'duplicate-address', addresses: ['Thing:/srv/a'] },
    ],
    [
      'when a kind is not allowed',
      valid,
      policy({ kinds: ['Job'] }),
      {
        reason: 'policy',
        violations: [{ violation: 'kind-not-allowed', address: 'Thing:/srv/a', kind: 'Thing' }],
      },
    ],
    [
      'when a kind is not allowed, and not known either',
      withScores([{ ...wire, id: 'Rootkit:x', kind: 'Rootkit' }]),
      policy({ kinds: ['Thing'] }),
      {
        reason: 'policy',
        violations: [{ violation: 'kind-not-allowed', address: 'Rootkit:x', kind: 'Rootkit' }],
      },
    ],
    [
      'when a path is outside the roots',
      valid,
      policy({ roots: ['/srv/app', '/opt'] }),
      {
        reason: 'policy',
        violations: [{ violation: 'path-outside-roots', address: 'Thing:/srv/a', path: '/srv/a' }],
      },
    ],
    [
      'when it runs programs, and says that it does not',
      withScores([{ ...wire, id: 'Job:x', kind: 'Job', version: 1, spec: { name: 'x' }, needs: [] }]),
      contextOf(),
      { reason: 'policy', violations: [{ violation: 'shell-off', address: 'Job:x', kind: 'Job' }] },
    ],
    [
      'when it runs programs although its kind needs no shell',
      withScores([{ ...wire, spec: { path: '/srv/a', check: ['/bin/sh', '-c', 'reboot'] } }]),
      contextOf(),
      { reason: 'policy', violations: [{ violation: 'shell-off', address: 'Thing:/srv/a', kind: 'Thing' }] },
    ],
    [
      'when a secret is missing',
      withScores([{ ...wire, spec: { path: '/srv/a', token: { $secret: 'wifi' } } }]),
      contextOf(),
      { reason: 'incomplete', secrets: ['wifi'], assets: [], otherKey: [] },
    ],
    [
      'when content is missing',
      withScores([{ ...wire, spec: { path: '/srv/a', content: { $asset: './logo' } } }]),
      contextOf(),
      { reason: 'incomplete', secrets: [], assets: ['./logo'], otherKey: [] },
    ],
    [
      'when content is not what its digest says',
      signed({ ...bundle, assets: { './logo': { sha256: '0'.repeat(64), size: 2, content: 'aGk=' } } }),
      contextOf(),
      { reason: 'garbled', detail: 'the content of ./logo has another digest' },
    ],
    [
      'when another project has what it claims',
      valid,
      contextOf({ claimants: [other] }),
      {
        reason: 'claim-conflict',
        conflicts: [
          {
            address: 'Thing:/srv/a',
            claim: { type: 'path', path: '/srv/a' },
            project: 'bank',
            other: 'File:/srv/a',
          },
        ],
      },
    ],
  ])('%s', (_, envelope, context, rejection) => {
    const verdict = judge(envelope, context)
    expect(verdict).toMatchObject({ verdict: 'rejected' })
    expect(verdict).toHaveProperty('rejection', rejection)
    const { message, hint } = describeRejection((verdict as { rejection: Rejection }).rejection)
    expect(message).not.toMatch(/undefined|\[object/)
    expect(hint).not.toBe('')
  })

  test('when its secrets were sealed to a key that this agent has no more', async () => {
    const sealed = await bundleOf([Thing({ path: '/srv/a', token: secret('wifi') })], {
      sources: sourcesOf({ wifi: 'psk' }),
    })
    expect(judge(signed(sealed), contextOf())).toMatchObject({ verdict: 'accepted' })
    expect(judge(signed(sealed), contextOf({ sealingKey: '0'.repeat(16) }))).toMatchObject({
      rejection: { reason: 'incomplete', otherKey: ['wifi'] },
    })
  })

  test('and says what it is only if somebody trusted vouches for that', () => {
    expect(judge(valid, accepted({ generation: 8 }))).toMatchObject({
      about: { project: 'shop', generation: 7 },
    })
    expect(judge(signed(bundle, [mallory]), contextOf())).not.toHaveProperty('about')
  })
})

describe('expiry is judged by the time that is certain', () => {
  const expiresAt = '2026-01-01T00:00:00.000Z'
  test.each([
    ['a device that knows of no time yet accepts', 0, 'accepted'],
    ['at the very moment it is good', Date.parse(expiresAt), 'accepted'],
    ['later it is not', Date.parse(expiresAt) + 1, 'expired'],
  ])('%s', (_, floor, reason) => {
    expect(reasonOf(judge(signed({ ...bundle, expiresAt }), contextOf({ floor })))).toBe(reason)
  })
})

describe('a Score that this agent cannot read leaves the others as they are', () => {
  const wire = bundle.scores[0]
  const [bad] = [Careless({ path: 'good' })]
  test.each<readonly [string, object, object]>([
    ['of a kind that is not known', { id: 'New:x', kind: 'New' }, { is: 'unknown', why: 'kind' }],
    ['of a newer version', { version: 3, id: 'Thing:/srv/b' }, { is: 'unknown', why: 'version' }],
    [
      'with a field that is not known',
      { spec: { path: '/srv/b', colour: 'red' }, id: 'Thing:/srv/b' },
      { is: 'invalid', error: { code: 'invalid-spec' } },
    ],
    [
      'with the address of another one',
      { spec: { path: '/srv/b' }, id: 'Thing:/srv/c' },
      { is: 'invalid', error: { code: 'invalid-spec' } },
    ],
    [
      'with a reaction that its kind has not, also one that every object has',
      { reactions: { constructor: [] }, id: 'Thing:/srv/b', spec: { path: '/srv/b' } },
      { is: 'invalid', error: { code: 'invalid-spec' } },
    ],
    [
      'of a version so old that nobody upgrades it',
      { id: 'Old:x', kind: Old.kind, version: 1, spec: { name: 'x' } },
      { is: 'unknown', why: 'version' },
    ],
    [
      'whose kind throws',
      { id: 'Careless:bad', kind: bad?.kind, version: 1, spec: { path: 'bad' } },
      { is: 'invalid', error: { code: 'internal' } },
    ],
    [
      'that is a composite, whose children nobody has looked at',
      { id: 'Pair:/etc', kind: Pair.kind, version: 1, spec: { at: '/etc' } },
      { is: 'invalid', error: { code: 'invalid-spec' } },
    ],
    [
      'that needs what this topology does not offer',
      { id: 'Job:x', kind: Job.kind, version: 1, spec: { name: 'x' } },
      { is: 'unable', missing: ['shell'] },
    ],
  ])('%s', (_, change, reading) => {
    const scores = [wire, { ...wire, ...change }]
    const context = contextOf({ offered: new Set(['things']) })
    expect(judge(signed({ ...bundle, scores }), context)).toMatchObject({
      verdict: 'accepted',
      scores: [{ is: 'known' }, reading],
    })
  })

  test('an older version is upgraded', () => {
    const scores = [{ ...wire, version: 1 }]
    expect(judge(signed({ ...bundle, scores }), contextOf())).toMatchObject({
      scores: [{ is: 'known', score: { version: 2 } }],
    })
  })
})

test('its own earlier claims are in nobody’s way', () => {
  const claimants = [
    { project: 'shop', address: 'Thing:/srv/a', claims: [{ type: 'path', path: '/srv/a' } as const] },
  ]
  expect(reasonOf(judge(valid, contextOf({ claimants })))).toBe('accepted')
})

describe('hostile input', () => {
  const original = judge(valid, contextOf())

  // Names of members and hints are not signed: an envelope may be spelt in several ways, its payload in one.
  test('no change to an envelope gets anything accepted but what was signed', () => {
    const change = fc.record({
      at: fc.nat(valid.length - 1),
      remove: fc.nat(3),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom('"', '{}', ',', '\\u0061', '=').map(Buffer.from),
      ),
    })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let bytes: Uint8Array = valid
        for (const { at, remove, insert } of changes)
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
        fc.pre(!valid.equals(bytes))
        const verdict = judge(bytes, contextOf())
        if (verdict.verdict === 'rejected') return
        expect(JSON.stringify(verdict)).toBe(JSON.stringify(original))
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['payload', 'sig'])('every bit of the %s counts', (member) => {
    const from = valid.indexOf(`"${member}":"`) + member.length + 4
    const to = valid.indexOf('"', from)
    expect(to - from).toBeGreaterThan(80)
    for (let bit = from * 8; bit < to * 8; bit++) {
      const bytes = Buffer.from(valid)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(judge(bytes, contextOf())).toMatchObject({ verdict: 'rejected' })
    }
  })

  test('whatever a trusted key signs, judging it ends with a verdict', () => {
    const names = [...Object.keys(bundle), 'expiresAt', 'assets', 'sealed', 'constructor', '__proto__']
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom({ $secret: [] }, { $asset: {} }, 'toString'))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 }), (changes) => {
        const hostile = Object.assign(Object.create(null), bundle, Object.fromEntries(changes))
        expect(reasonOf(judge(signed(hostile), contextOf()))).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })

  test('whatever spec a trusted key signs, judging it ends with a verdict', () => {
    const wire = bundle.scores[0]
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('path', 'token', 'content', 'reads', 'name', 'at'), fc.jsonValue()),
        fc.constantFrom('Thing', 'Job', 'Careless', 'Pair'),
        (spec, kind) => {
          const hostile = { ...bundle, scores: [{ ...wire, kind, version: 1, spec }] }
          expect(reasonOf(judge(signed(hostile), contextOf()))).not.toBe('')
        },
      ),
      { numRuns: 500 },
    )
  })

  test('a signature of one bundle is none of another', async () => {
    const other: Bundle = { ...bundle, generation: 8 }
    const envelope = { ...signBundle(bundle, [alice]), payload: signBundle(other, [alice]).payload }
    expect(reasonOf(judge(writeEnvelope(envelope), contextOf()))).toBe('bad-signature')
  })
})
