/**
 * Dead Simple Signing Envelope, version 1 (github.com/secure-systems-lab/dsse): some bytes, their type, and signatures of
 * both. The bytes are not looked at before a signature holds, and what holds is exactly what was signed.
 */
import * as z from 'zod'
import { type SigningKey, signBytes } from '../keys/private-key.ts'
import type { Signature } from '../keys/trust.ts'
import { mostSignatures } from './limits.ts'
import { garbled, type Read, readStrictJson, writeStrictJson } from './strict-json.ts'

/** An envelope as it travels. */
export interface Envelope {
  /** Base64 of what is signed. */
  readonly payload: string
  /** What the payload is: a media type. */
  readonly payloadType: string
  /** Of the type and the payload together; several while keys are exchanged. */
  readonly signatures: readonly {
    /** The short id of a key; a hint, not signed. */
    readonly keyid?: string | undefined
    /** Base64. */
    readonly sig: string
  }[]
}

let made: z.ZodType<Envelope> | undefined

/** The schema of an {@link Envelope}, made when it is first asked for. What else one may have is not ours to forbid. */
export function envelopeSchema(): z.ZodType<Envelope> {
  made ??= z.looseObject({
    payload: z.string(),
    payloadType: z.string(),
    signatures: z.array(z.looseObject({ keyid: z.string().optional(), sig: z.string() })).readonly(),
  })
  return made
}

/** An envelope whose parts are decoded, and nothing verified. */
export interface OpenedEnvelope {
  readonly payload: Uint8Array
  readonly payloadType: string
  readonly signatures: readonly Signature[]
}

/** What a signature is made of: the pre-authentication encoding. */
export function signedBytes(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType)
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
}

/** Signs a payload, with each of the keys. */
export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  keys: readonly SigningKey[],
): Envelope {
  const bytes = signedBytes(payloadType, payload)
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: keys.map((key) => ({ keyid: key.public.id, sig: signBytes(key, bytes).toString('base64') })),
  }
}

/** An envelope as the bytes that travel and are stored. */
export function writeEnvelope(envelope: Envelope): Buffer {
  return writeStrictJson(envelope)
}

/** Opens an envelope of at most `limit` bytes. Members that we do not know are passed over, as the specification wants it. */
export function readEnvelope(bytes: Uint8Array, limit: number): Read<OpenedEnvelope> {
  const read = readStrictJson(bytes, limit)
  if ('flaw' in read) return read
  const { payload, payloadType, signatures } = membersOf(read.value)
  if (typeof payloadType !== 'string') return garbled('payloadType is not a text')
  const body = decodeBase64(payload)
  if (!body) return garbled('payload is not base64')
  if (!Array.isArray(signatures)) return garbled('signatures is not a list')
  if (signatures.length > mostSignatures) return garbled(`it has more than ${mostSignatures} signatures`)
  const decoded: Signature[] = []
  for (const each of signatures) {
    const { keyid = '', sig } = membersOf(each)
    const bytes = decodeBase64(sig)
    if (!bytes) return garbled('a signature is not base64')
    if (typeof keyid !== 'string' || keyid.length > 128) return garbled('a keyid is not a short text')
    decoded.push({ keyid, sig: bytes })
  }
  return { value: { payload: body, payloadType, signatures: decoded } }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Either alphabet of RFC 4648, since readers have to take both; padded, and with no bits left over. */
function decodeBase64(value: unknown): Buffer | undefined {
  if (typeof value !== 'string') return undefined
  const bytes = Buffer.from(value, 'base64')
  const standard = bytes.toString('base64')
  const isExact = value === standard || value === standard.replaceAll('+', '-').replaceAll('/', '_')
  return isExact ? bytes : undefined
}
