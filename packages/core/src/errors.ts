/// <reference types="node" preserve="true" />
/**
 * One family of errors: a literal `code`, typed data, the Score's address, a cause, and a hint that says what to do.
 * Text for people is made at the edge from these fields; codes are stable and part of the published interface.
 */

/** One problem of a validation: where, and what. */
export interface Issue {
  /** The Score's address, or the deployment, or the file that the problem is in. */
  readonly address?: string
  /** Where in the spec: `['ports', 0, 'host']`. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What every error of Harmony can tell. */
export interface ErrorDetails {
  readonly address?: string | undefined
  readonly hint?: string | undefined
  readonly cause?: unknown
  readonly issues?: readonly Issue[] | undefined
  /** Typed facts about this error, for machines. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
}

/**
 * The codes, each with the exit status that the command line gives it:
 * 1 something failed · 64 usage · 65 the project is invalid · 69 not reachable · 130 interrupted.
 */
export const exitStatusOf = {
  'invalid-value': 65,
  'invalid-spec': 65,
  'invalid-project': 65,
  'project-unreadable': 65,
  'missing-capability': 65,
  'duplicate-address': 65,
  'claim-conflict': 65,
  cycle: 65,
  'plan-conflict': 65,
  'mass-removal': 65,
  protected: 65,
  'compile-failed': 65,
  'unknown-kind': 65,
  'unknown-version': 65,
  'unresolved-reference': 65,
  'secret-missing': 65,
  'asset-unreadable': 65,
  usage: 64,
  locked: 69,
  unreachable: 69,
  'auth-failed': 69,
  interrupted: 130,
  'plan-stale': 1,
  'not-converged': 1,
  refused: 1,
  'host-key': 1,
  'no-such-user': 1,
  timeout: 1,
  'command-failed': 1,
  system: 1,
  'ledger-corrupt': 1,
  'store-conflict': 1,
  'store-too-large': 1,
  'store-damaged': 1,
  'store-uncertain': 69,
  'store-unreachable': 69,
  'request-refused': 1,
  'no-answer': 69,
  internal: 1,
} as const

/** A literal that names what went wrong. */
export type ErrorCode = keyof typeof exitStatusOf

/** The base of every error that leaves a Harmony package. */
export class HarmonyError extends Error {
  readonly code: ErrorCode
  readonly address: string | undefined
  readonly hint: string | undefined
  readonly issues: readonly Issue[]
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'HarmonyError'
    this.code = code
    this.address = details.address
    this.hint = details.hint
    this.issues = details.issues ?? []
    this.data = details.data ?? {}
  }
}

/** A value that cannot be put on the wire. */
export class ValueError extends HarmonyError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('invalid-value', message, details)
  }
}

/**
 * Whether something thrown is one of ours. By shape, not `instanceof`: a project may load another copy of core than
 * the command does.
 */
export function isHarmonyError(error: unknown): error is HarmonyError {
  return (
    error instanceof Error &&
    error.name === 'HarmonyError' &&
    typeof (error as HarmonyError).code === 'string'
  )
}

/** Whatever was thrown, as an error of ours; the original is kept as the cause. */
export function toHarmonyError(thrown: unknown, details: ErrorDetails = {}): HarmonyError {
  if (isHarmonyError(thrown)) {
    if (thrown.address !== undefined || details.address === undefined) return thrown
    return new HarmonyError(thrown.code, thrown.message, {
      address: details.address,
      hint: thrown.hint,
      issues: thrown.issues,
      data: thrown.data,
      cause: thrown.cause ?? thrown,
    })
  }
  if (thrown instanceof Error) {
    const system = thrown as NodeJS.ErrnoException & { readonly hint?: unknown }
    if (typeof system.code === 'string' && typeof system.syscall === 'string')
      return new HarmonyError('system', describeSystemError(system), {
        ...details,
        // A host may know better than we do here what helps there.
        hint: details.hint ?? (typeof system.hint === 'string' ? system.hint : hints[system.code]),
        cause: thrown,
        data: { errno: system.code, syscall: system.syscall, path: system.path },
      })
    return new HarmonyError('internal', thrown.message, { ...details, cause: thrown })
  }
  return new HarmonyError('internal', String(thrown), details)
}

const meanings: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOENT: 'it does not exist',
  EEXIST: 'it exists already',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'it is a symbolic link, or too many of them',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  EIO: 'the disk reported an input/output error',
}

const hints: Record<string, string> = {
  EACCES: 'run as a user who may do this (root, say), or choose another path',
  EPERM: 'run as a user who may do this (root, say), or choose another path',
  ENOSPC: 'free some space and apply again; nothing half-written was left',
  EROFS: 'remount it read-write, or choose another path',
  ENOENT: 'declare a Directory for the folder, or create it',
}

function describeSystemError(error: NodeJS.ErrnoException): string {
  const meaning = meanings[error.code ?? ''] ?? error.message
  return `${error.path ?? error.syscall}: ${meaning} (${error.code} from ${error.syscall})`
}
