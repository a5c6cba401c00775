/**
 * A capability is a named interface that a topology may offer and a Score may need: `files`, `services`, `loadBalancer`.
 * It is named after an industry concept, never a product, so that replacing the product changes no Score.
 * The token carries the name at run time and the interface at compile time; nothing is registered anywhere.
 */

/** The token of a capability: its property name on a topology, and (as a type only) the interface behind it. */
export interface Capability<Name extends string = string, Api = unknown> {
  readonly name: Name
  /** Type only; never present at run time. A string key, so that two installed copies of core fit each other. */
  readonly '~api': Api
}

/**
 * Declares a capability once: `export const Files = capability<FileSystem>()('files')`.
 * Curried because TypeScript infers either all type arguments of a call or none.
 */
export function capability<Api>(): <const Name extends string>(name: Name) => Capability<Name, Api> {
  return (name) => ({ name }) as never
}

/**
 * What a topology must offer for a list of tokens: `Needs<[typeof Files]>` is `{ readonly files: FileSystem }`.
 * A conditional type, because a plain mapped alias prints as `Needs<[Capability<…>]>` in compiler messages.
 */
export type Needs<C extends readonly Capability[]> = C extends readonly Capability[]
  ? { readonly [T in C[number] as T['name']]: T['~api'] }
  : never

/** Whether a topology offers a capability; narrows the type, also for capabilities that are found at run time. */
export function offers<T extends object, C extends Capability>(
  topology: T,
  token: C,
): topology is T & Needs<[C]> {
  return (topology as Record<string, unknown>)[token.name] !== undefined
}
