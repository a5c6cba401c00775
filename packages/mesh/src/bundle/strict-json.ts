/**
 * JSON from strangers. There is one spelling for every document (RFC 8785), and only that is taken: so a document with two
 * members of one name, which two parsers read differently, cannot be written, nor one that changes when it is written again.
 */
import { canonical } from '@harmony-iac/core'
import { deepest } from './limits.ts'

/** Why bytes are not taken. */
export type Flaw =
  | { readonly flaw: 'too-large'; readonly size: number; readonly limit: number }
  | { readonly flaw: 'garbled'; readonly detail: string }

/** A value, or why there is none. */
export type Read<T> = { readonly value: T } | Flaw

/** Reads a document of at most `limit` bytes. */
export function readStrictJson(bytes: Uint8Array, limit: number): Read<unknown> {
  if (bytes.length > limit) return { flaw: 'too-large', size: bytes.length, limit }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return garbled('it is not UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return garbled('it is not JSON') // the parser's message quotes the text
  }
  const flaw = flawOf(value, 0)
  if (flaw) return garbled(flaw)
  try {
    if (canonical(value) === text) return { value }
  } catch {
    return garbled('it has a number or a text that JSON cannot say exactly')
  }
  return garbled('it is not in the canonical form of RFC 8785')
}

/** The bytes of a document, as {@link readStrictJson} takes them. */
export function writeStrictJson(value: unknown): Buffer {
  return Buffer.from(canonical(value))
}

/** A flaw. */
export function garbled(detail: string): Flaw {
  return { flaw: 'garbled', detail }
}

function flawOf(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= deepest) return `it is nested more than ${deepest} levels deep`
  for (const key of Object.keys(value)) {
    // Harmless here, where it is a member like any other; not in every program that copies it.
    if (key === '__proto__') return 'it has a member named __proto__'
    const flaw = flawOf((value as Record<string, unknown>)[key], depth + 1)
    if (flaw) return flaw
  }
  return undefined
}
