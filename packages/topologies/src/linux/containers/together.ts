/** Answers those who ask for things by name at the same time: one request for all that can be asked for at once. */
import { gather } from '../services/gather.ts'
import { told } from './engine-error.ts'

/** What is known, or why nothing is. */
export type Answer<T> = { readonly value: T } | { readonly error: unknown }

/** A question by name; what is wrong with one of them is told to whoever asked for it. */
export function together<T>(
  answer: (names: readonly string[]) => Promise<ReadonlyMap<string, Answer<T>>>,
): (name: string, signal?: AbortSignal) => Promise<T | undefined> {
  const all = gather(0, async (names: readonly string[]) => {
    const answers = await answer([...new Set(names)])
    return names.map((name) => answers.get(name))
  })
  return async (name, signal) => {
    signal?.throwIfAborted()
    try {
      const found = await all(name)
      if (found && 'error' in found) throw found.error
      return found?.value
    } catch (error) {
      throw told(name, error)
    }
  }
}

/** Looks at each by itself, side by side. */
export async function each<T>(
  names: readonly string[],
  look: (name: string) => T | undefined | Promise<T | undefined>,
): Promise<ReadonlyMap<string, Answer<T>>> {
  const answers = await Promise.all(
    names.map(async (name): Promise<readonly [string, Answer<T>] | undefined> => {
      try {
        const value = await look(name)
        return value === undefined ? undefined : [name, { value }]
      } catch (error) {
        return [name, { error }]
      }
    }),
  )
  return new Map(answers.filter((answer) => answer !== undefined))
}
