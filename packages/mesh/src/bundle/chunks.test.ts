import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { storeLimits } from '../store/store.ts'
import {
  isChunk,
  joinContent,
  type Manifest,
  ManifestMaker,
  readManifest,
  splitContent,
  writeManifest,
} from './chunks.ts'
import { chunkSize, largestContent, largestManifest } from './limits.ts'

/** Bytes that differ from place to place. */
function content(size: number): Buffer {
  return Buffer.from(
    Uint32Array.from({ length: Math.ceil(size / 4) }, (_, i) => i * 2654435761).buffer,
  ).subarray(0, size)
}

async function split(
  bytes: Uint8Array,
): Promise<{ readonly manifest: Manifest; readonly chunks: readonly Buffer[] }> {
  const maker = new ManifestMaker()
  const chunks: Buffer[] = []
  for await (const chunk of splitContent([bytes])) {
    maker.add(chunk)
    chunks.push(chunk)
  }
  return { manifest: maker.finish(), chunks }
}

async function join(manifest: Manifest, chunks: readonly Uint8Array[]): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of joinContent(manifest, async (index) => chunks[index] ?? Buffer.alloc(0)))
    pieces.push(piece)
  return Buffer.concat(pieces)
}

test('content has the same chunks in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 40 }),
      async (pieces, size) => {
        const whole = Buffer.concat(pieces)
        const chunks: Buffer[] = []
        for await (const chunk of splitContent(pieces, size)) chunks.push(chunk)
        expect(Buffer.concat(chunks)).toEqual(whole)
        expect(chunks.slice(0, -1).every(({ length }) => length === size)).toBe(true)
        expect(chunks.every(({ length }) => length > 0 && length <= size)).toBe(true)
      },
    ),
  )
})

test.each([0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize + 5])(
  '%i bytes are the same after a journey in chunks',
  async (size) => {
    const bytes = content(size)
    const { manifest, chunks } = await split(bytes)
    expect(manifest).toMatchObject({ size, sha256: hash('sha256', bytes, 'hex') })
    const read = readManifest(writeManifest(manifest), manifest)
    expect(read).toEqual(manifest)
    expect(await join(read, chunks)).toEqual(bytes)
  },
)

describe('with a spoilt chunk', async () => {
  const { manifest, chunks } = await split(content(3 * chunkSize + 5))
  const spoilt = chunks.with(1, Buffer.from(chunks[1] ?? []).fill(0, 7, 8))

  test('that one is known, and the others need not be fetched again', () => {
    expect(spoilt.map((chunk, i) => isChunk(manifest, i, chunk))).toEqual([true, false, true, true])
  })
  test.each([
    ['another content', spoilt],
    ['chunks exchanged', [chunks[1], chunks[0], chunks[2], chunks[3]]],
    ['one cut off', chunks.with(3, Buffer.from(chunks[3] ?? []).subarray(1))],
    ['one missing', chunks.slice(0, 3)],
  ])('%s: joining fails', async (_, given) => {
    await expect(join(manifest, given as Buffer[])).rejects.toMatchObject({ code: 'refused' })
  })
  test('a manifest that was made to fit does not help: the digest of the whole is signed', async () => {
    const forged = { ...manifest, chunks: spoilt.map((chunk) => hash('sha256', chunk, 'hex')) }
    expect(readManifest(writeManifest(forged), manifest)).toEqual(forged)
    await expect(join(forged, spoilt)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('manifest does not belong'),
    })
  })
})

test('the manifest of the largest content that is shipped is one value of a store', () => {
  const chunks = Array.from({ length: largestContent / chunkSize }, () => '0'.repeat(64))
  const manifest: Manifest = { harmony: 1, sha256: '0'.repeat(64), size: largestContent, chunkSize, chunks }
  expect(writeManifest(manifest).length).toBeLessThan(largestManifest)
  expect(largestManifest).toBeLessThanOrEqual(storeLimits.value)
})

describe('a manifest is refused', async () => {
  const { manifest } = await split(content(chunkSize + 5))
  test.each<readonly [string, unknown]>([
    ['of other content', { ...manifest, sha256: '0'.repeat(64) }],
    ['of another size', { ...manifest, size: manifest.size + 1 }],
    ['with a chunk too many', { ...manifest, chunks: [...manifest.chunks, manifest.sha256] }],
    ['with a chunk too few', { ...manifest, chunks: manifest.chunks.slice(1) }],
    ['of other chunks', { ...manifest, chunkSize: 1 }],
    ['of a newer form', { ...manifest, harmony: 2 }],
    ['with a member more', { ...manifest, more: 1 }],
    ['that is none', 7],
  ])('%s', (_, value) => {
    expect(() => readManifest(writeManifest(value as Manifest), manifest)).toThrow(
      expect.objectContaining({ code: 'refused' }),
    )
  })
})
