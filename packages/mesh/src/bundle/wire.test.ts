/**
 * What travels, byte for byte: the files in `fixtures/wire-1` are for everybody who writes another agent. They change only with
 * the version of the form, so a test that fails here is a break with every agent in the field.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { alice, contextOf, lineage, mallory, sealing } from '../../test/bundles.ts'
import '../../test/kinds.ts'
import { isSignedBy } from '../keys/private-key.ts'
import { parsePublicKey, publicKeyLine } from '../keys/public-key.ts'
import { openBox } from '../keys/sealed-box.ts'
import { aboutSecret, type Bundle, bundleType } from './bundle.ts'
import { ManifestMaker, readManifest, splitContent, writeManifest } from './chunks.ts'
import { nothingShipped, readDesiredState, withShipped, writeDesiredState } from './desired-state.ts'
import { readEnvelope, signEnvelope, signedBytes, writeEnvelope } from './envelope.ts'
import { judge } from './judge.ts'
import { signBundle } from './make-bundle.ts'
import { writeStrictJson } from './strict-json.ts'

const folder = join(import.meta.dirname, '../../fixtures/wire-1')
const fixture = (name: string) => readFileSync(join(folder, name))

const bundle: Bundle = {
  harmony: 1,
  project: 'shop',
  lineage,
  agent: 'kiosk-1',
  generation: 7,
  issuedAt: '2026-01-02T03:04:05.000Z',
  expiresAt: '2026-02-01T00:00:00.000Z',
  planDigest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  allowRemoval: true,
  scores: [
    {
      id: 'Thing:/srv/wifi',
      kind: 'Thing',
      version: 2,
      spec: { path: '/srv/wifi', token: { $secret: ['psk=', { $secret: 'wifi' }] } },
      needs: ['things'],
      after: [],
      formerly: ['/srv/wlan'],
      retain: false,
      protect: true,
      adopt: false,
      reactions: {},
    },
    {
      id: 'Thing:/srv/größe',
      kind: 'Thing',
      version: 2,
      spec: { path: '/srv/größe', content: { $asset: './hello' } },
      needs: ['things'],
      after: ['Thing:/srv/wifi'],
      formerly: [],
      retain: true,
      protect: false,
      adopt: true,
      reactions: { reloadOn: ['Thing:/srv/wifi'] },
    },
  ],
  assets: {
    './hello': {
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      size: 5,
      content: 'aGVsbG8=',
    },
  },
  // Sealing takes new random bytes each time: this is what it made once.
  sealed: {
    wifi: {
      to: 'e5d4bd28fa6974cd',
      enc: 'jFZsdoGWCYwByxhnWOw3mJM5smcanaUahPRqYQKG7gQ=',
      ciphertext: 'ZVAYEvJo6a2OsPWKRhr3j7lkL1B/SXJrq5PUTyc=',
    },
  },
}
const envelope = signBundle(bundle, [alice])
const list = withShipped(withShipped(nothingShipped, { project: 'shop', lineage, generation: 7, envelope }), {
  project: 'bank',
  lineage: '5a0c3a0e-1111-4222-8333-444455556666',
  generation: 1,
  stored: { sha256: '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9', size: 700_000 },
})
const large = Buffer.alloc(300_000, 'harmony ')

test('the documents are written as ever', async () => {
  const maker = new ManifestMaker()
  for await (const chunk of splitContent([large])) maker.add(chunk)
  const files = {
    'bundle.json': writeStrictJson(bundle),
    'envelope.json': writeEnvelope(envelope),
    'desired-state.json': writeDesiredState(list),
    'manifest.json': writeManifest(maker.finish()),
    'keys.txt': `${publicKeyLine(alice.public)}\n${publicKeyLine(sealing.public)}\n`,
  }
  for (const [name, bytes] of Object.entries(files))
    await expect(bytes.toString()).toMatchFileSnapshot(join(folder, name))
})

describe('the documents are read as ever', () => {
  test('the envelope has a signature of that key, of exactly that bundle', () => {
    const opened = readEnvelope(fixture('envelope.json'), 1e6)
    if ('flaw' in opened) throw new Error(JSON.stringify(opened))
    const { payload, payloadType, signatures } = opened.value
    expect(Buffer.from(payload)).toEqual(fixture('bundle.json'))
    expect(payloadType).toBe(bundleType)
    const [line = ''] = fixture('keys.txt').toString().split('\n')
    const key = parsePublicKey(line, 'ed25519')
    const [signature] = signatures
    expect(isSignedBy(key, signedBytes(payloadType, payload), signature?.sig ?? Buffer.alloc(0))).toBe(true)
  })

  test('it is accepted, and both Scores are understood', () => {
    expect(judge(fixture('envelope.json'), contextOf())).toMatchObject({
      verdict: 'accepted',
      bundle,
      scores: [{ is: 'known' }, { is: 'known' }],
    })
  })

  test('its secret opens', () => {
    const box = bundle.sealed?.wifi
    if (!box) throw new Error('unreachable')
    expect(openBox(sealing, 'bundle secret', aboutSecret(bundle, 'wifi'), box).toString()).toBe(
      'correct horse',
    )
  })

  test('the list names both, in either form', () => {
    expect(readDesiredState(fixture('desired-state.json'))).toEqual({ value: { ...list, flaws: [] } })
  })

  test('the manifest is the one of its content', () => {
    const bytes = fixture('manifest.json')
    const { sha256, size } = JSON.parse(bytes.toString())
    expect(readManifest(bytes, { sha256, size }).chunks).toHaveLength(3)
    expect(size).toBe(large.length)
  })
})

/** What another agent has to answer to these envelopes; the context is that of `contextOf`, and what stands here. */
test('verdicts are as ever', async () => {
  const signed = (value: unknown, key = alice, type = bundleType) =>
    writeEnvelope(signEnvelope(type, writeStrictJson(value), [key])).toString()
  const text = writeEnvelope(envelope).toString()
  const at = text.indexOf('"payload":"') + 40
  const flipped = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
  const cases: Readonly<Record<string, { readonly envelope: string; readonly context?: object }>> = {
    accepted: { envelope: text },
    'accepted-at-its-last-moment': { envelope: text, context: { floor: Date.UTC(2026, 1, 1) } },
    expired: { envelope: text, context: { floor: Date.UTC(2026, 1, 1) + 1 } },
    'for-another-agent': { envelope: text, context: { agent: 'kiosk-2' } },
    stranger: { envelope: signed(bundle, mallory) },
    forged: { envelope: signed(bundle, mallory).replace(mallory.public.id, alice.public.id) },
    unsigned: { envelope: writeEnvelope({ ...envelope, signatures: [] }).toString() },
    changed: { envelope: flipped },
    'not-canonical': { envelope: `${text}\n` },
    'member-twice': { envelope: text.replace('{', '{"payload":"",') },
    'other-type': { envelope: signed(bundle, alice, 'application/vnd.in-toto+json') },
    'newer-form': { envelope: signed({ ...bundle, harmony: 2 }) },
    'member-unknown': { envelope: signed({ ...bundle, urgent: true }) },
    'path-outside-roots': {
      envelope: text,
      context: { policy: { kinds: 'any', roots: ['/opt'], shell: false, observeOnly: false } },
    },
    'secret-missing': { envelope: signed({ ...bundle, sealed: {} }) },
    'twice-the-same': { envelope: signed({ ...bundle, scores: [bundle.scores[0], bundle.scores[0]] }) },
  }
  const verdicts = Object.entries(cases).map(([name, { envelope, context = {} }]) => {
    const verdict = judge(Buffer.from(envelope), contextOf(context))
    const result = verdict.verdict === 'rejected' ? verdict.rejection.reason : verdict.verdict
    return { name, context, verdict: result, envelope }
  })
  await expect(`${JSON.stringify(verdicts, null, 1)}\n`).toMatchFileSnapshot(join(folder, 'verdicts.json'))
})
