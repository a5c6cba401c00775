/**
 * Observing and comparing, as plan, apply and drift share it: one code path, so that a preview cannot differ from what
 * is then done.
 */
import { hash } from 'node:crypto'
import { type Json, keyedDigest } from '../canonical.ts'
import { HarmonyError, toHarmonyError } from '../errors.ts'
import type { Difference, Interpret, Look } from '../interpret.ts'
import { mask } from '../late.ts'
import type { ShownDifference } from '../plan/plan.ts'
import type { KindDefinition } from '../score.ts'
import type { ResolvedSpec } from './resolve.ts'

/** The verbs of a kind, types erased. */
export type Verbs = Interpret<unknown, unknown, unknown, unknown, unknown, unknown>

/** One look at one thing. */
export interface Observation {
  readonly state: unknown
  readonly differences: readonly Difference[]
}

/**
 * The verbs of a leaf.
 * @throws HarmonyError `internal` for a composite, which has none.
 */
export function verbsOf(definition: KindDefinition): Verbs {
  if (!definition.interpret)
    throw new HarmonyError('internal', `${definition.kind} is a composite and has no verbs`)
  return definition.interpret
}

/** Observes and compares. Whatever goes wrong carries the address. */
export function observe(
  definition: KindDefinition,
  resolved: ResolvedSpec,
  on: unknown,
  look: Look,
): Observation | Promise<Observation> {
  const verbs = verbsOf(definition)
  const explain = (thrown: unknown) => redacted(toHarmonyError(thrown, { address: look.address }), resolved)
  const compare = (state: unknown) => ({ state, differences: verbs.compare(resolved.spec, state) })
  try {
    const state = verbs.observe(resolved.spec, on, look)
    if (!(state instanceof Promise)) return compare(state)
    return state.then(compare).catch((thrown: unknown) => Promise.reject(explain(thrown)))
  } catch (thrown) {
    throw explain(thrown)
  }
}

/** The same error with every secret of the spec masked. */
export function redacted(error: HarmonyError, { redact, tainted }: ResolvedSpec): HarmonyError {
  if (tainted.size === 0) return error
  return new HarmonyError(error.code, redact(error.message), {
    address: error.address,
    hint: error.hint && redact(error.hint),
    data: redactAll(error.data, redact) as Record<string, unknown>,
    issues: error.issues,
  })
}

/** Where a thing stands, if its kind says. */
export function placeOf(definition: KindDefinition, state: unknown): Json | undefined {
  return definition.interpret?.place?.(state)
}

/** Every string of a value redacted; keys and everything else stay, so that it remains what it is. */
export function redactAll(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((each) => redactAll(each, redact))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactAll(each, redact)]))
}

/** Differences as they may be shown and stored: values of tainted fields masked. */
export function show(
  differences: readonly Difference[],
  { tainted, redact }: ResolvedSpec,
): readonly ShownDifference[] {
  return differences.map((difference) => {
    const { path, from, to, settleMs, replaces } = difference
    const masked = isTainted(difference, tainted, redact)
    return {
      path,
      from: masked && from !== null ? mask : from,
      to: masked && to !== null ? mask : to,
      settling: settleMs !== undefined,
      replaces: replaces === true,
      masked,
    }
  })
}

/**
 * The digest of what is there now, of the values that differ: the precondition of a step. What is secret enters under
 * the host's key; without a key only whether it is there, so that a digest in a plan file gives nothing away.
 */
export function preconditionOf(
  differences: readonly Difference[],
  { tainted, redact }: ResolvedSpec,
  key: Uint8Array | undefined,
  place: Json | undefined,
): string {
  const values = differences.map((difference) => {
    const { path, from } = difference
    if (!isTainted(difference, tainted, redact)) return [path, from]
    if (from === null || !key) return [path, from === null ? 'absent' : 'present']
    return [path, keyedDigest(key, from)]
  })
  // Both sides of a comparison are made by the same kind, so their members stand in the same order: no need for the
  // canonical spelling, a thousand times.
  return hash('sha256', JSON.stringify([place ?? null, values]), 'hex')
}

function isTainted(
  { path, from, to }: Difference,
  tainted: ReadonlySet<string>,
  redact: (text: string) => string,
): boolean {
  if (tainted.size === 0) return false
  if (tainted.has(path.split(/[.[]/, 1)[0] ?? '')) return true
  // A kind that reports a secret under another name: found by its value.
  return [from, to].some((value: Json) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return redact(text) !== text
  })
}
