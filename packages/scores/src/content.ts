/**
 * The content of a file: what a spec may say, how it is compared with what is on the disk, and how it is shown. Ten
 * thousand unchanged files must cost next to nothing, so small content is compared as bytes and only what is too large
 * to be in memory, or must be shown without being printable, is hashed.
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import {
  type Asset,
  assetSchema,
  type Bytes,
  bytesSchema,
  type Content,
  isHarmonyError,
  type Json,
  type Ref,
  ref,
} from '@harmony-iac/core'
import { type FileContent, inlineLimit } from '@harmony-iac/core/capabilities'
import * as z from 'zod'

/** Text without lone surrogates, which UTF-8 cannot write. NUL is legal in a file. */
export const wellFormedText: z.ZodString = z
  .string()
  .refine(
    (text) => text.isWellFormed(),
    'contains half a surrogate pair, which UTF-8 cannot write; use bytes(…)',
  )

/** Text, an output of another Score, inline bytes, or a local file. */
export const plainContent: z.ZodType<
  string | Ref<string> | Bytes | Asset,
  string | Ref<string> | Bytes | Asset
> = z.union([ref(wellFormedText), bytesSchema, assetSchema])

/** Wanted content as `interpret` gets it. */
export type WantedContent = string | Uint8Array | Content

/** Whether wanted content is an asset, whose bytes are not in memory. */
export function isContent(wanted: WantedContent): wanted is Content {
  return typeof wanted === 'object' && 'open' in wanted
}

/** Its size in bytes. */
export function sizeOf(wanted: WantedContent): number {
  if (typeof wanted === 'string') return Buffer.byteLength(wanted)
  return isContent(wanted) ? wanted.size : wanted.byteLength
}

/** As a write takes it. */
export function writable(wanted: WantedContent): Uint8Array | Content {
  return typeof wanted === 'string' ? Buffer.from(wanted) : wanted
}

/** Whether the disk holds the wanted content. */
export function sameContent(wanted: WantedContent, found: FileContent): boolean {
  if (sizeOf(wanted) !== found.size) return false
  if (found.bytes === undefined) return digestOf(wanted) === found.sha256
  if (isContent(wanted)) return hash('sha256', found.bytes, 'hex') === wanted.sha256
  return typeof wanted === 'string' ? isText(found.bytes, wanted) : asBuffer(found.bytes).equals(wanted)
}

const scratchSize = 4096
let scratch: Buffer | undefined

/** Text of the same length is encoded in place: of thousands, a buffer for each would be most of the work. */
function isText(bytes: Uint8Array, text: string): boolean {
  if (bytes.length > scratchSize) return asBuffer(bytes).equals(Buffer.from(text))
  scratch ??= Buffer.allocUnsafeSlow(scratchSize)
  scratch.write(text)
  return scratch.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}

/** What is on the disk, as a difference tells it: the text if it is short and printable, otherwise its digest. */
export function showFound(found: FileContent): Json {
  if (found.bytes === undefined) return { sha256: found.sha256 ?? null, size: found.size }
  return show(found.bytes)
}

/** What is wanted, as a difference tells it. `bytes` are those of a short asset, read ahead. */
export function showWanted(wanted: WantedContent, bytes: Uint8Array | undefined): Json {
  if (bytes) return show(bytes)
  if (isContent(wanted)) return { sha256: wanted.sha256, size: wanted.size }
  return show(typeof wanted === 'string' ? Buffer.from(wanted) : wanted)
}

/** The digest of what is on the disk; `undefined` when its content was not read. */
export function digestOfFound(found: FileContent): string | undefined {
  return found.bytes === undefined ? found.sha256 : hash('sha256', found.bytes, 'hex')
}

/** The bytes of an asset that is short enough to be shown as a diff. */
export async function readShort(wanted: WantedContent): Promise<Uint8Array | undefined> {
  if (!isContent(wanted) || wanted.size > inlineLimit) return undefined
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of wanted.open()) chunks.push(chunk)
  } catch (error) {
    // It is only for showing; its digest says as much.
    if (isHarmonyError(error) && error.code === 'asset-unreadable') return undefined
    throw error
  }
  return Buffer.concat(chunks)
}

function digestOf(wanted: WantedContent): string {
  return isContent(wanted) ? wanted.sha256 : hash('sha256', wanted, 'hex')
}

// A NUL is valid UTF-8, but whoever sees one looks at a binary file.
function show(bytes: Uint8Array): Json {
  if (bytes.byteLength <= inlineLimit && isUtf8(bytes) && !bytes.includes(0))
    return asBuffer(bytes).toString()
  return { sha256: hash('sha256', bytes, 'hex'), size: bytes.byteLength }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
