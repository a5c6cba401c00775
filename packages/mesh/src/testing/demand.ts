/** How a check of a conformance suite fails. */
import { canonical } from '@harmony-iac/core'
import { type ErrorCode, HarmonyError, isHarmonyError } from '@harmony-iac/core/errors'

/** What an implementation does not keep of its contract. */
export class NonConforming extends HarmonyError {
  constructor(message: string, cause?: unknown) {
    super('invalid-value', message, {
      cause,
      hint: 'the contract is the comment of the port: Store, Requests',
    })
  }
}

/** One check; it needs no test runner. */
export interface Check {
  readonly name: string
  /** @throws NonConforming (or whatever the implementation throws) when the contract is not kept. */
  run(): Promise<void>
}

/** Throws unless it is so. */
export function demand(holds: boolean, message: string): asserts holds {
  if (!holds) throw new NonConforming(message)
}

/** Throws unless both are the same as JSON, whatever the order of their members. */
export function demandSame(actual: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [canonical({ actual }), canonical({ actual: expected })]
  demand(is === wanted, `${what}: expected ${wanted}, was ${is}`)
}

/** The error that a call fails with; it must be one of ours, with that code. */
export async function demandFailure(
  call: () => unknown,
  code: ErrorCode,
  what: string,
): Promise<HarmonyError> {
  try {
    await call()
  } catch (error) {
    if (isHarmonyError(error) && error.code === code) return error
    throw new NonConforming(`${what}: expected ${code}, failed with ${error}`, error)
  }
  throw new NonConforming(`${what}: expected ${code}, succeeded`)
}

/** Fails a promise that does not settle: a check that hangs says nothing. */
export async function within<T>(promise: Promise<T>, what: string, ms = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NonConforming(`${what}: nothing for ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
