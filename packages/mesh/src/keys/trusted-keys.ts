/** Trusted keys as they stand in the configuration of an agent: each by its line, so that people can see whose it is. */
import { HarmonyError, type Issue, toHarmonyError } from '@harmony-iac/core/errors'
import * as z from 'zod'
import { parsePublicKey } from './public-key.ts'
import type { TrustedKey } from './trust.ts'

/** An entry of the configuration. */
export interface TrustedKeyEntry {
  /** The line of an ed25519 key: `ed25519 ID KEY COMMENT`. */
  readonly key: string
  /** Names of the projects that it may sign for; `any` for all. No default: who trusts says with what. */
  readonly projects: 'any' | readonly string[]
  /** Nothing is accepted by it any more once the store's time has passed this: RFC 3339, in UTC. */
  readonly until?: string | undefined
}

let made: z.ZodType<readonly TrustedKeyEntry[]> | undefined

/** The schema of the list, made when it is first asked for. */
export function trustedKeysSchema(): z.ZodType<readonly TrustedKeyEntry[]> {
  made ??= z
    .array(
      z.strictObject({
        key: z.string(),
        projects: z.union([z.literal('any'), z.array(z.string().min(1)).readonly()]),
        until: z.iso.datetime().optional(),
      }),
    )
    .readonly()
  return made
}

/**
 * The keys of a configuration.
 * @throws HarmonyError `invalid-value` with everything that is wrong, by its place in the list.
 */
export function readTrustedKeys(value: unknown): readonly TrustedKey[] {
  const parsed = trustedKeysSchema().safeParse(value)
  if (!parsed.success)
    throw invalid(
      parsed.error.issues.map(({ path, message }) => ({
        path: path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
        message,
      })),
    )
  const issues: Issue[] = []
  const keys = parsed.data.flatMap(({ key, projects, until }, at): readonly TrustedKey[] => {
    try {
      const read = parsePublicKey(key, 'ed25519')
      return [{ key: read, projects, ...(until !== undefined && { until: Date.parse(until) }) }]
    } catch (error) {
      issues.push({ path: [at, 'key'], message: toHarmonyError(error).message })
      return []
    }
  })
  if (issues.length > 0) throw invalid(issues)
  return keys
}

function invalid(issues: readonly Issue[]): HarmonyError {
  const [first] = issues
  const message =
    issues.length === 1 && first
      ? `the trusted key ${first.path.join('.')}: ${first.message}`
      : `${issues.length} problems in the trusted keys`
  return new HarmonyError('invalid-value', message, {
    issues,
    hint: 'an entry has the form { "key": "ed25519 ID KEY COMMENT", "projects": "any" }',
  })
}
