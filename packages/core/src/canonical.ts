/**
 * One spelling for every value, so that equal values have equal digests on every machine: RFC 8785 (JSON
 * Canonicalization Scheme). JavaScript's own number and string serialization is what the RFC prescribes; what is added
 * here is the order of the members, by UTF-16 code units.
 */
import { createHmac, hash } from 'node:crypto'
import { ValueError } from './errors.ts'

/** A JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/**
 * The canonical text of a JSON value. Members that are `undefined` are left out, as `JSON.stringify` does.
 * @throws ValueError for what JSON cannot say (functions, symbols, bigint, NaN, infinities, lone surrogates, cycles).
 */
export function canonical(value: unknown): string {
  return write(value, 0)
}

/** sha256 of the canonical text, in lower-case hex. */
export function digest(value: unknown): string {
  return hash('sha256', canonical(value), 'hex')
}

/** HMAC-SHA-256 of the canonical text under a key that stays on the host: for whatever is secret. */
export function keyedDigest(key: Uint8Array, value: unknown): string {
  return createHmac('sha256', key).update(canonical(value)).digest('hex')
}

// Deeper than any document a person writes, shallower than the stack.
const deepest = 500

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed())
        throw new ValueError('a string with a lone surrogate cannot be written as JSON')
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw new ValueError(`${value} cannot be written as JSON`)
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      break
    default:
      throw new ValueError(`a ${typeof value} cannot be written as JSON`)
  }
  if (value === null) return 'null'
  if (depth > deepest) throw new ValueError('the value is cyclic or nested too deeply to be written as JSON')
  if (Array.isArray(value)) {
    let text = '['
    for (let i = 0; i < value.length; i++) text += (i ? ',' : '') + write(value[i], depth + 1)
    return `${text}]`
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new ValueError(`a ${value.constructor?.name ?? 'class instance'} cannot be written as JSON`)
  const record = value as Record<string, unknown>
  let text = ''
  for (const key of Object.keys(record).sort()) {
    const member = record[key]
    if (member !== undefined) text += `${text ? ',' : ''}${write(key, depth)}:${write(member, depth + 1)}`
  }
  return `{${text}}`
}
