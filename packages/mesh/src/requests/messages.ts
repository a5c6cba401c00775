/** The messages of a request, as bytes: the first says what it is. docs/decisions/0023-stores.md argues the protocol. */
import type { ErrorCode, HarmonyError, Json } from '@harmony-iac/core'
import type { Refusal } from './errors.ts'

/** The first byte. */
export const kinds = {
  /** Asker: give me a challenge. */
  hello: 0x68,
  /** Agent: the challenge. */
  challenge: 0x63,
  /** Asker: a signed {@link Payload}. */
  request: 0x72,
  /** Agent: a sealed {@link Part}. */
  sealed: 0x73,
  /** Agent: why not, as text. */
  refused: 0x78,
} as const

/** What is signed. Bytes are base64url. */
export interface Payload {
  readonly harmony: 1
  readonly agent: string
  readonly challenge: string
  /** Drawn by the asker; part of every context, so that an answer belongs to one request. */
  readonly id: string
  readonly verb: string
  readonly params: Json
  readonly withinMs: number
  readonly sealTo: string
}

/** What is sealed. */
export type Part = { readonly part: Json } | { readonly end: true } | { readonly error: SealedError }

/** An error of the agent's work. */
export interface SealedError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string | undefined
  readonly address?: string | undefined
  readonly data?: Json | undefined
}

/** A message. */
export function message(kind: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = new Uint8Array(1 + body.byteLength)
  bytes[0] = kind
  bytes.set(body, 1)
  return bytes
}

/** A refusal as a message. */
export function refusal(reason: Refusal): Uint8Array {
  return message(kinds.refused, encode(reason))
}

/** Its place in the answer, which the seal binds it to: none can be left out, moved or repeated. */
export function contextOf(id: string, index: number): string {
  return `harmony/1 ${id} ${index}`
}

/** JSON as bytes. */
export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

/** JSON of bytes. @throws when it is none. */
export function decode(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

/** The payload, or nothing when it is none. Members that we do not know are left to later versions. */
export function payloadOf(bytes: Uint8Array): Payload | undefined {
  let value: unknown
  try {
    value = decode(bytes)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { harmony, agent, challenge, id, verb, params, withinMs, sealTo } = value as Partial<
    Record<keyof Payload, unknown>
  >
  const isWhole =
    harmony === 1 &&
    [agent, challenge, id, verb, sealTo].every((text) => typeof text === 'string' && text.length > 0) &&
    Number.isSafeInteger(withinMs) &&
    (withinMs as number) > 0 &&
    params !== undefined
  return isWhole ? ({ harmony, agent, challenge, id, verb, params, withinMs, sealTo } as Payload) : undefined
}

/** An error for the wire: what it says, not where it was thrown. */
export function sealable({ code, message, hint, address, data }: HarmonyError): SealedError {
  return { code, message, hint, address, data: JSON.parse(JSON.stringify(data)) }
}
