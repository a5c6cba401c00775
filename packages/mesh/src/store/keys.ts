/**
 * Which keys there are. Narrower than what NATS takes in a bucket: a segment is a token of a subject, an agent's id and a
 * part of a file name somewhere, so it has no character that means something in any of them.
 */
import { HarmonyError } from '@harmony-iac/core/errors'
import { storeTooLarge } from './errors.ts'
import { type Selection, storeLimits } from './store.ts'

const keyPattern = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/
const prefixPattern = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

/** @throws HarmonyError `invalid-value`, `store-too-large`. */
export function demandKey(key: string): void {
  demandFits('key', key)
  if (!keyPattern.test(key)) throw invalid('key', key, 'two or more segments')
}

/** @throws HarmonyError `invalid-value`, `store-too-large`. */
export function demandPrefix(below: string): void {
  demandFits('prefix', below)
  if (!prefixPattern.test(below)) throw invalid('prefix', below, 'one or more segments')
}

/** @throws HarmonyError `invalid-value`, `store-too-large`. */
export function demandSelection(selection: Selection): void {
  if ('key' in selection) demandKey(selection.key)
  else demandPrefix(selection.below)
}

/** @throws HarmonyError `store-too-large`. */
export function demandValue(key: string, value: Uint8Array): void {
  if (value.byteLength > storeLimits.value) throw storeTooLarge(key, value.byteLength, storeLimits.value)
}

/**
 * The keys of a selection as a range of text, the end excluded. What is below `a.b` begins with `a.b.`, and `/` is the
 * character after the dot.
 */
export function rangeOf(selection: Selection): readonly [from: string, to: string] {
  return 'key' in selection
    ? [selection.key, `${selection.key}\0`]
    : [`${selection.below}.`, `${selection.below}/`]
}

// Its length in characters is that in bytes as soon as it fits the pattern, and never more.
function demandFits(what: string, text: string): void {
  if (text.length > storeLimits.key)
    throw storeTooLarge(`the ${what} ${JSON.stringify(text.slice(0, 40))}…`, text.length, storeLimits.key)
}

function invalid(what: string, text: string, form: string): HarmonyError {
  return new HarmonyError('invalid-value', `${JSON.stringify(text)} is no ${what} of a store`, {
    hint: `a ${what} is ${form} of letters, digits, _ and -, joined by dots: desired-state.kiosk-1`,
    data: { [what]: text },
  })
}
