/**
 * What an agent lets bundles do, as data in its own configuration: whoever may sign still may not do everything. It is
 * judged by the agent's own definitions of the kinds, never by what a bundle says of itself, and again each time the agent
 * loads what it accepted earlier, since by then it may know kinds that it did not know.
 *
 * Paths are judged by their names. Where a link on the device leads is looked at by those who follow it. Names (units,
 * packages, users) are bound by `kinds` only: a unit runs programs too, and who means to forbid that leaves its kind out.
 */
import type { Claim } from '@harmony-iac/core'
import * as z from 'zod'
import type { ScoreReading } from './scores.ts'

/** What an agent permits. */
export interface Policy {
  /** Kinds of Score that may be applied; `any` for all that are not shut out otherwise. */
  readonly kinds: 'any' | readonly string[]
  /** What is written, or read for its own sake, lies in one of these folders; `['/']` for everywhere. */
  readonly roots: readonly string[]
  /** Whether kinds that run programs of the bundle's choice may be applied. */
  readonly shell: boolean
  /** Accept and report, but change nothing. */
  readonly observeOnly: boolean
}

/** Everything but a shell. */
export const defaultPolicy: Policy = { kinds: 'any', roots: ['/'], shell: false, observeOnly: false }

/** What a Score wants that the policy does not let it. */
export type Violation =
  | { readonly violation: 'kind-not-allowed'; readonly address: string; readonly kind: string }
  | { readonly violation: 'path-outside-roots'; readonly address: string; readonly path: string }
  | { readonly violation: 'shell-off'; readonly address: string; readonly kind: string }

let made: z.ZodType<Policy> | undefined

/** The schema of a {@link Policy} in a configuration file: what is left out is as in {@link defaultPolicy}. */
export function policySchema(): z.ZodType<Policy> {
  made ??= z.strictObject({
    kinds: z.union([z.literal('any'), z.array(z.string().min(1)).readonly()]).default(defaultPolicy.kinds),
    roots: z.array(rootSchema()).min(1).readonly().default(defaultPolicy.roots),
    shell: z.boolean().default(defaultPolicy.shell),
    observeOnly: z.boolean().default(defaultPolicy.observeOnly),
  })
  return made
}

function rootSchema(): z.ZodType<string> {
  const flaw = 'must be an absolute path without . and .., and without a slash at its end'
  return z.string().refine(isPlainPath, flaw)
}

/** All that these Scores want and may not. */
export function violationsOf(scores: readonly ScoreReading[], policy: Policy): readonly Violation[] {
  return scores.flatMap((score) => violations(score, policy))
}

function violations(reading: ScoreReading, { kinds, roots, shell }: Policy): readonly Violation[] {
  const { id: address, kind, needs } = reading.wire
  const found: Violation[] = []
  if (kinds !== 'any' && !kinds.includes(kind)) found.push({ violation: 'kind-not-allowed', address, kind })
  // What the bundle says of a kind counts only against it.
  if (!shell && (needs.includes('shell') || (reading.is === 'known' && reading.programs)))
    found.push({ violation: 'shell-off', address, kind })
  if (reading.is !== 'known') return found
  const outside = new Set([
    ...pathsOf(reading.claims).filter((path) => !isWithin(path, roots)),
    // A thing stands in a folder, and its root in one too: those are looked at, and nothing in them.
    ...pathsOf(reading.uses).filter((path) => !isWithin(path, roots) && !isAbove(path, roots)),
  ])
  for (const path of outside) found.push({ violation: 'path-outside-roots', address, path })
  return found
}

function pathsOf(claims: readonly Claim[]): readonly string[] {
  return claims.flatMap((claim) => (claim.type === 'name' ? [] : [claim.path]))
}

function isWithin(path: string, roots: readonly string[]): boolean {
  if (!isPlainPath(path)) return false
  return roots.some((root) => root === '/' || path === root || path.startsWith(`${root}/`))
}

function isAbove(path: string, roots: readonly string[]): boolean {
  if (!isPlainPath(path)) return false
  return roots.some((root) => path === '/' || root.startsWith(`${path}/`))
}

/** Absolute, and spelt in the one way that leads nowhere else. */
function isPlainPath(path: string): boolean {
  return path === '/' || (/^(?:\/[^/\0]+)+$/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path))
}
