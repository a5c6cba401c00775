/**
 * What every store has to keep, as checks with names: `for (const { name, run } of storeConformance({ … })) test(name, run)`.
 * They use nothing but the port, so that one suite judges a map in memory, a file and a cluster.
 */
import type { LostAnswer } from '../store/faulty.ts'
import type { Store } from '../store/store.ts'
import type { Check } from './demand.ts'
import { keyRules } from './store-keys.ts'
import { watchRules } from './store-watches.ts'
import { writeRules } from './store-writes.ts'

/** Where a check is played: an empty store, and others who use it. Disposing of it removes everything. */
export interface StoreStage extends AsyncDisposable {
  readonly store: Store
  /** Another client, connected by itself; in this process or not. */
  another(): Promise<Store>
  /** Ends all clients and whatever keeps the store, and opens it again. Absent: it does not outlive that. */
  restart?(): Promise<Store>
  /**
   * Resolves once every client can read whatever has been acknowledged so far: reads may be behind, and a check would
   * not know for how long. Absent: they never are.
   */
  settled?(): Promise<void>
  /** Makes trouble for {@link store}. Absent: the rules about trouble are left out. */
  readonly trouble?: StoreTrouble
}

/** What can befall a client. */
export interface StoreTrouble {
  /** What becomes of its next write, whose answer it does not get. */
  loseAnswer(lost: LostAnswer): void
  cut(): void
  restore(): void
}

/** A rule of the contract, in words, with the check. */
export type StoreRule = readonly [name: string, check: (stage: StoreStage) => Promise<void>]

/** What is judged. */
export interface StoreConformance {
  /** In front of each name: `SQLite`. */
  readonly name: string
  readonly open: () => Promise<StoreStage>
  /** What the stage has; rules that need more are left out. */
  readonly has: { readonly trouble: boolean; readonly restart: boolean }
}

/** All checks of a store. Each has a stage of its own. */
export function storeConformance({ name, open, has }: StoreConformance): readonly Check[] {
  const rules = [
    ...keyRules,
    ...writeRules.always,
    ...watchRules.always,
    ...(has.trouble ? [...writeRules.inTrouble, ...watchRules.inTrouble] : []),
    ...(has.restart ? watchRules.acrossRestarts : []),
  ]
  return rules.map(([rule, check]) => ({
    name: `${name}: ${rule}`,
    run: async () => {
      await using stage = await open()
      await check(settling(stage))
    },
  }))
}

/** The stage, whose clients read what is settled. Revisions and expectations are judged as they come. */
function settling(stage: StoreStage): StoreStage {
  const { another, restart, settled } = stage
  if (!settled) return stage
  const reader = (store: Store): Store => ({
    get: async (...of) => {
      await settled()
      return store.get(...of)
    },
    list: async (below) => {
      await settled()
      return store.list(below)
    },
    watch: (...of) => {
      const events = store.watch(...of)
      return (async function* () {
        await settled()
        yield* events
      })()
    },
    put: (...of) => store.put(...of),
    delete: (...of) => store.delete(...of),
    now: () => store.now(),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  })
  return {
    ...stage,
    store: reader(stage.store),
    another: async () => reader(await another()),
    ...(restart && { restart: async () => reader(await restart()) }),
  }
}
