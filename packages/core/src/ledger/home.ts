/**
 * Where a ledger lives: a folder of a Linux host, an object in a cluster, memory in a test. The ledger itself is the
 * same everywhere; a home only stores bytes, and lets one writer in at a time.
 */

/** Where a topology keeps its ledger. */
export interface StateHome {
  /** Tells one home from another: topologies with the same id share one ledger. */
  readonly id: string
  /** For people: `/var/lib/harmony`. */
  readonly description: string
  /**
   * Lets one holder in at a time. Ends with its holder.
   * @throws HarmonyError `locked` when somebody else holds it for longer than `waitMs`.
   */
  lock(options: HomeLockOptions): Promise<HomeLock>
  /** `undefined` when there is no such file. */
  read(file: string): Promise<Uint8Array | undefined>
  /** Adds to the end of the file, creating it; durable once resolved. */
  append(file: string, bytes: Uint8Array): Promise<void>
  /** Replaces the whole file at once; durable once resolved. */
  replace(file: string, bytes: Uint8Array): Promise<void>
  remove(file: string): Promise<void>
  /** Takes away the home itself, if nothing else is in it. */
  dissolve(): Promise<void>
}

/** How the lock of a home is asked for. */
export interface HomeLockOptions {
  readonly holder: string
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
  readonly onWait?: ((holder: string) => void) | undefined
}

/** The lock of a home, held. */
export interface HomeLock {
  /** Aborts when the lock is lost. */
  readonly lost: AbortSignal
  release(): Promise<void>
}
