import { asset, secret, secretText } from '@harmony-iac/core'
import { describe, expect, test } from 'vitest'
import { alice, bundleOf, contentOf, lineage, sealing, sourcesOf } from '../../test/bundles.ts'
import { Pair, Thing } from '../../test/kinds.ts'
import { bundledSources } from './bundled-sources.ts'
import { ManifestMaker, splitContent } from './chunks.ts'
import { inlineContent, largestContent, largestEnvelope } from './limits.ts'
import { type MadeBundle, makeBundle, signBundle } from './make-bundle.ts'

const nowhere = { manifest: () => Promise.reject(), chunk: () => Promise.reject() }

test('a bundle says what it is, and holds the leaves in the order of the project file', async () => {
  const base = Thing({ path: '/srv' })
  const bundle = await bundleOf([
    base,
    Pair({ at: '/srv/p', after: [base], protect: true }),
    false || Thing({ path: '/z' }),
  ])
  expect(bundle).toMatchObject({ harmony: 1, project: 'shop', lineage, agent: 'kiosk-1', generation: 7 })
  expect(bundle.issuedAt).toBe('2026-01-02T03:04:05.000Z')
  expect(bundle.scores.map(({ id, after, protect }) => [id, after, protect])).toEqual([
    ['Thing:/srv', [], false],
    ['Thing:/srv/p/a', ['Thing:/srv'], true],
    ['Thing:/srv/p/b', ['Thing:/srv'], true],
    ['Thing:/z', [], false],
  ])
})

test('who comes after a composite comes after its leaves, also by a reaction', async () => {
  const pair = Pair({ at: '/srv' })
  const { scores } = await bundleOf([pair, Thing({ path: '/z', after: [pair], reloadOn: [pair] })])
  const leaves = ['Thing:/srv/a', 'Thing:/srv/b']
  expect(scores[2]).toMatchObject({ after: leaves, reactions: { reloadOn: leaves } })
})

describe('secrets', () => {
  const sources = sourcesOf({ wifi: 'correct horse', vpn: 'battery staple' })

  test('travel sealed only, once each, and stay references in the specs', async () => {
    const token = secretText`psk=${secret('wifi')};vpn=${secret('vpn')}`
    const scores = [Thing({ path: '/a', token: secret('wifi') }), Thing({ path: '/b', token })]
    const bundle = await bundleOf(scores, { sources })
    expect(Object.keys(bundle.sealed ?? {}).sort()).toEqual(['vpn', 'wifi'])
    expect(bundle.scores.map(({ spec }) => spec)).toEqual(scores.map(({ spec }) => spec))
    const text = Buffer.from(JSON.stringify(bundle))
    for (const value of ['correct horse', 'battery staple'])
      for (const form of [value, Buffer.from(value).toString('base64').slice(0, 12)])
        expect(text.includes(form)).toBe(false)

    const opened = bundledSources(bundle, sealing, nowhere)
    expect(await opened.secret({ $secret: 'wifi' })).toBe('correct horse')
    await expect(opened.secret({ $secret: 'toString' })).rejects.toMatchObject({ code: 'secret-missing' })
    const later = bundledSources({ ...bundle, generation: 8 }, sealing, nowhere)
    await expect(later.secret({ $secret: 'wifi' })).rejects.toMatchObject({ code: 'refused' })
  })

  test('are refused without a key to seal them to', async () => {
    const made = bundleOf([Thing({ path: '/a', token: secret('wifi') })], { sources, sealingKey: undefined })
    await expect(made).rejects.toMatchObject({ code: 'refused', address: 'Thing:/a' })
  })

  test('of one name have one place that they come from', async () => {
    const scores = [
      Thing({ path: '/a', token: secret('wifi') }),
      Thing({ path: '/b', token: secret('wifi', { env: 'OTHER' }) }),
    ]
    await expect(bundleOf(scores, { sources })).rejects.toMatchObject({
      code: 'invalid-value',
      address: 'Thing:/b',
    })
  })
})

describe('content', () => {
  const make = (bytes: Uint8Array): Promise<MadeBundle> =>
    makeBundle({
      project: 'shop',
      lineage,
      agent: 'kiosk-1',
      generation: 1,
      issuedAt: 0,
      scores: [
        Thing({ path: '/a', content: asset('./logo') }),
        Thing({ path: '/b', content: asset('./logo') }),
      ],
      sources: sourcesOf({}, { './logo': bytes }),
    })
  const read = async (made: MadeBundle, bytes: Uint8Array) => {
    const chunks: Buffer[] = []
    const maker = new ManifestMaker()
    for await (const chunk of splitContent([bytes])) {
      chunks.push(chunk)
      maker.add(chunk)
    }
    const source = {
      manifest: async () => maker.finish(),
      chunk: async (_: unknown, index: number) => chunks[index] ?? Buffer.alloc(0),
    }
    const content = await bundledSources(made.bundle, sealing, source).asset('./logo')
    const pieces: Uint8Array[] = []
    for await (const piece of content.open()) pieces.push(piece)
    expect(content).toMatchObject({ size: bytes.length, sha256: contentOf(bytes).sha256 })
    return Buffer.concat(pieces)
  }

  test.each([
    ['nothing', 0, true],
    ['little', 10, true],
    ['as much as fits in', inlineContent, true],
    ['a byte more', inlineContent + 1, false],
  ])('%s: is within or in chunks, and comes out as it went in', async (_, size, isInline) => {
    const bytes = Buffer.alloc(size, 'abc')
    const made = await make(bytes)
    expect(made.bundle.assets?.['./logo']?.content !== undefined).toBe(isInline)
    expect([...made.contents.keys()]).toEqual(isInline ? [] : [contentOf(bytes).sha256])
    expect(await read(made, bytes)).toEqual(bytes)
  })

  test('of more than a manifest has room for is refused before anything is read', async () => {
    const huge = { ...contentOf(Buffer.alloc(0)), size: largestContent + 1 }
    const sources = { ...sourcesOf(), asset: async () => huge }
    const scores = [Thing({ path: '/a', content: asset('./huge') })]
    await expect(bundleOf(scores, { sources })).rejects.toMatchObject({ code: 'refused' })
  })

  test('that did not come along is said to be missing', async () => {
    const { bundle } = await make(Buffer.alloc(1))
    await expect(bundledSources(bundle, sealing, nowhere).asset('constructor')).rejects.toMatchObject({
      code: 'asset-unreadable',
    })
  })
})

describe('refuses', () => {
  test('Scores with mistakes, all of them', async () => {
    const scores = [Thing({ path: 1 as never }), Thing({ path: '/a', colour: 'red' } as never)]
    await expect(bundleOf(scores)).rejects.toMatchObject({ code: 'invalid-spec', issues: [{}, {}] })
  })
  test('what a plan would refuse', async () => {
    const scores = [Pair({ at: '/srv' }), Thing({ path: '/srv/a' })]
    await expect(bundleOf(scores)).rejects.toMatchObject({ code: 'duplicate-address' })
  })
  test('an id that no agent can have', async () => {
    await expect(bundleOf([], { agent: 'kiosk.1' })).rejects.toMatchObject({
      code: 'invalid-value',
      issues: [{ path: ['agent'] }],
    })
  })
  test('a time that is none', async () => {
    await expect(bundleOf([], { issuedAt: Number.NaN })).rejects.toMatchObject({ code: 'invalid-value' })
    await expect(bundleOf([], { expiresAt: 1e18 })).rejects.toMatchObject({ code: 'invalid-value' })
  })
  test('what no agent would take', async () => {
    const bundle = await bundleOf([Thing({ path: '/a', content: 'x'.repeat(largestEnvelope) })])
    expect(() => signBundle(bundle, [alice])).toThrow(expect.objectContaining({ code: 'refused' }))
  })
})
