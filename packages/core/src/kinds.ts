/**
 * The kinds that this process knows, by name: what is decoded from a ledger, a plan file or the wire finds its verbs
 * here. A kind enters when the module that defines it is imported; nobody registers anything by hand. The table hangs
 * on `globalThis`, so that a kind defined with one copy of core is known to another.
 */
import type { KindDefinition } from './score.ts'

const slot = Symbol.for('harmony.kinds')
const holder = globalThis as { [slot]?: Map<string, KindDefinition> }
holder[slot] ??= new Map()
const known: Map<string, KindDefinition> = holder[slot]

/** Called by `defineScore`. The last definition of a name wins: a test may define one anew. */
export function rememberKind(definition: KindDefinition): void {
  known.set(definition.kind, definition)
}

/** The kind of this name, if a module that defines it has been imported. */
export function kindOf(kind: string): KindDefinition | undefined {
  return known.get(kind)
}

/** All kinds known here, by name. */
export function knownKinds(): readonly KindDefinition[] {
  return [...known.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1))
}
