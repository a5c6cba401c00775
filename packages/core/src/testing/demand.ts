/** How a check of the conformance kit fails. */
import { HarmonyError } from '../errors.ts'

/** What a kind of Score does not keep of the contract. */
export class NonConforming extends HarmonyError {
  constructor(message: string, cause?: unknown) {
    super('invalid-value', message, { cause, hint: 'the contract is in @harmony-iac/core: Interpret' })
  }
}

/** Throws unless it is so. */
export function demand(holds: boolean, message: string): asserts holds {
  if (!holds) throw new NonConforming(message)
}

/** A list for a message, cut when it is long. */
export function lines(list: readonly string[]): string {
  const shown = list.slice(0, 10).map((line) => `\n  ${line}`)
  return shown.join('') + (list.length > 10 ? `\n  and ${list.length - 10} more` : '')
}
