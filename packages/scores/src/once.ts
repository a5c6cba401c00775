/**
 * Makes something when it is first asked for, and once. Schemas take time to build, and most projects use few of the
 * kinds that they import.
 */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
