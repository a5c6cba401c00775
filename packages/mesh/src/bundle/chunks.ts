/**
 * Content too large for one value, in pieces under keys of the device's own. What is trusted is the digest of the whole,
 * which stands in a signed bundle; the manifest is not signed, and only lets a spoilt piece be noticed, and fetched again,
 * before all of them are there.
 */
import { createHash, hash } from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core/errors'
import * as z from 'zod'
import { chunkSize, largestManifest } from './limits.ts'
import { readStrictJson, writeStrictJson } from './strict-json.ts'

/** Content by its digest. */
export interface ContentId {
  /** Lower-case hex. */
  readonly sha256: string
  /** In bytes. */
  readonly size: number
}

/** What content is made of. */
export interface Manifest extends ContentId {
  /** The version of this form. */
  readonly harmony: 1
  /** Of each chunk but the last, in bytes. */
  readonly chunkSize: number
  /** The sha256 of each, in order. */
  readonly chunks: readonly string[]
}

/** The key of one chunk. */
export function chunkKey(agent: string, { sha256 }: ContentId, index: number): string {
  return `assets.${agent}.${sha256}.${index}`
}

/** The key of the manifest. Written last, so that whoever finds it finds the chunks. */
export function manifestKey(agent: string, { sha256 }: ContentId): string {
  return `assets.${agent}.${sha256}.manifest`
}

/** Splits content, whatever pieces it comes in. No chunk is empty; empty content has none. */
export async function* splitContent(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number = chunkSize,
): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = []
  let length = 0
  for await (const piece of content) {
    for (let rest = piece; rest.length > 0; ) {
      const part = rest.subarray(0, size - length)
      waiting.push(part)
      length += part.length
      rest = rest.subarray(part.length)
      if (length < size) continue
      yield Buffer.concat(waiting)
      waiting = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(waiting)
}

/** The manifest of content that is passed through it, chunk by chunk. */
export class ManifestMaker {
  readonly #whole = createHash('sha256')
  readonly #chunks: string[] = []
  #size = 0

  /** Takes the next chunk, as {@link splitContent} yields it. */
  add(chunk: Uint8Array): void {
    this.#whole.update(chunk)
    this.#chunks.push(hash('sha256', chunk, 'hex'))
    this.#size += chunk.length
  }

  /** Once all of them were given. */
  finish(): Manifest {
    return {
      harmony: 1,
      sha256: this.#whole.digest('hex'),
      size: this.#size,
      chunkSize,
      chunks: this.#chunks,
    }
  }
}

const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/)

let made: z.ZodType<Manifest> | undefined

/** The schema of a {@link Manifest}. */
export function manifestSchema(): z.ZodType<Manifest> {
  made ??= z.strictObject({
    harmony: z.literal(1),
    sha256: sha256(),
    size: z.int().min(0),
    chunkSize: z.literal(chunkSize),
    chunks: z.array(sha256()).readonly(),
  })
  return made
}

/** A manifest as it is stored. */
export function writeManifest(manifest: Manifest): Buffer {
  return writeStrictJson(manifest)
}

/**
 * Reads the manifest of certain content.
 * @throws HarmonyError `refused` when it is garbled, or one of other content.
 */
export function readManifest(bytes: Uint8Array, of: ContentId): Manifest {
  const refused = (why: string) => refuse(of, `its manifest ${why}`)
  const read = readStrictJson(bytes, largestManifest)
  if ('flaw' in read) throw refused(read.flaw === 'garbled' ? `is garbled: ${read.detail}` : 'is too large')
  const parsed = manifestSchema().safeParse(read.value)
  if (!parsed.success) throw refused('has not the form of one')
  const manifest = parsed.data
  if (manifest.sha256 !== of.sha256 || manifest.size !== of.size) throw refused('is one of other content')
  if (manifest.chunks.length !== Math.ceil(of.size / chunkSize))
    throw refused('has not as many chunks as the content')
  return manifest
}

/** Whether these bytes are this chunk. What was fetched before a restart is checked by it too, and not fetched again. */
export function isChunk(manifest: Manifest, index: number, bytes: Uint8Array): boolean {
  const isLast = index === manifest.chunks.length - 1
  const size = isLast ? manifest.size - index * manifest.chunkSize : manifest.chunkSize
  return bytes.length === size && hash('sha256', bytes, 'hex') === manifest.chunks[index]
}

/**
 * Joins content, reading one chunk after the other.
 * @throws HarmonyError `refused` at the first chunk that is another one, and at the end when the whole is. What came before
 *   is not to be used then.
 */
export async function* joinContent(
  manifest: Manifest,
  read: (index: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const whole = createHash('sha256')
  for (let index = 0; index < manifest.chunks.length; index++) {
    const bytes = await read(index)
    if (!isChunk(manifest, index, bytes)) throw refuse(manifest, `its chunk ${index} is spoilt`)
    whole.update(bytes)
    yield bytes
  }
  if (whole.digest('hex') !== manifest.sha256) throw refuse(manifest, 'its manifest does not belong to it')
}

function refuse({ sha256, size }: ContentId, why: string): HarmonyError {
  return new HarmonyError('refused', `the content ${sha256.slice(0, 16)}… cannot be used: ${why}`, {
    hint: `delete what is below assets.AGENT.${sha256} in the store, and ship again`,
    data: { sha256, size },
  })
}
