/** Whatever was thrown, as the data that is told. */
import type { ErrorData } from '@harmony-iac/core'
import { toHarmonyError } from '@harmony-iac/core/errors'
import type { Io } from '../io.ts'

/** An error as data. What is not ours is a fault of ours: then the stack helps, but only those who ask for it. */
export function errorData(thrown: unknown, env: Io['env']): ErrorData {
  const { code, message, address, hint, issues, data } = toHarmonyError(thrown)
  const internal = code === 'internal'
  const stack = internal && env.HARMONY_DEBUG && thrown instanceof Error ? { frame: thrown.stack } : {}
  return {
    code,
    message: internal ? `a fault in Harmony: ${message}` : message,
    ...(address === undefined ? {} : { address }),
    ...(hint === undefined && !internal
      ? {}
      : { hint: hint ?? 'HARMONY_DEBUG=1 shows where it happened; please report it' }),
    ...(issues.length > 0 ? { issues } : {}),
    ...(Object.keys({ ...data, ...stack }).length > 0 ? { data: { ...data, ...stack } } : {}),
  }
}
