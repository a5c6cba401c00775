/** A list is a watch that ends when it is current. */
import { storeClosed } from './errors.ts'
import type { Entry, Store } from './store.ts'

/** The list of a store, by its watch. @throws HarmonyError what would interrupt the watch. */
export async function listByWatch(store: Pick<Store, 'watch'>, below: string): Promise<readonly Entry[]> {
  // What is written while we read is told again, so what was told of a key before is replaced.
  const entries = new Map<string, Entry>()
  for await (const event of store.watch({ below }))
    switch (event.type) {
      case 'put':
        entries.set(event.entry.key, event.entry)
        break
      case 'delete':
        entries.delete(event.key)
        break
      case 'reset':
        entries.clear()
        break
      case 'interrupted':
        throw event.error
      case 'current':
        return [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
    }
  throw storeClosed()
}
