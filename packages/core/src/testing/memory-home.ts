/** A ledger's home in memory, with the semantics of a folder: appends tear, replacements do not, one holder at a time. */
import type { Clock } from '../engine/contract.ts'
import { HarmonyError } from '../errors.ts'
import type { HomeLock, HomeLockOptions, StateHome } from '../ledger/home.ts'
import { Faults } from './faults.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A {@link StateHome} that forgets everything with the process. */
export class MemoryHome implements StateHome {
  readonly id: string
  readonly description: string
  readonly #faults: Faults
  readonly #clock: Clock
  readonly #files = new Map<string, Uint8Array>()
  #holder: { readonly name: string; readonly lost: AbortController } | undefined
  #waiting: (() => void)[] = []

  constructor({
    name = 'memory',
    faults = new Faults(),
    clock = new VirtualClock(),
  }: { readonly name?: string; readonly faults?: Faults; readonly clock?: Clock } = {}) {
    this.id = `memory:${name}`
    this.description = `the memory of ${name}`
    this.#faults = faults
    this.#clock = clock
    faults.onKill(() => this.#free())
  }

  /** What is stored, by file: for tests that look for what must not be there. */
  get stored(): ReadonlyMap<string, Uint8Array> {
    return this.#files
  }

  /** Who holds the lock. */
  get holder(): string | undefined {
    return this.#holder?.name
  }

  async lock({ holder, waitMs, signal, onWait }: HomeLockOptions): Promise<HomeLock> {
    const call = { port: 'home', method: 'lock', subject: holder }
    await this.#faults.read(call, () => undefined)
    const deadline = this.#clock.now() + waitMs
    for (let told = false; this.#holder; told = true) {
      const other = this.#holder.name
      if (!told) onWait?.(other)
      const left = deadline - this.#clock.now()
      if (left <= 0)
        throw new HarmonyError('locked', `${this.description} is held by ${other}`, {
          hint: 'wait until that is done, and try again',
          data: { holder: other },
        })
      await this.#freeOr(left, signal)
    }
    const held = { name: holder, lost: new AbortController() }
    this.#holder = held
    return {
      lost: held.lost.signal,
      release: async () => {
        if (this.#holder === held) this.#free()
      },
    }
  }

  /** Takes the lock away from its holder, as a broken connection does. */
  loseLock(): void {
    const held = this.#holder
    this.#free()
    held?.lost.abort(new HarmonyError('unreachable', 'the lock was lost'))
  }

  read(file: string): Promise<Uint8Array | undefined> {
    return this.#faults.read({ port: 'home', method: 'read', subject: file }, () =>
      this.#files.get(file)?.slice(),
    )
  }

  append(file: string, bytes: Uint8Array): Promise<void> {
    return this.#faults.write({ port: 'home', method: 'append', subject: file }, ({ within }) => {
      const before = this.#files.get(file) ?? new Uint8Array()
      this.#files.set(file, join(before, bytes.subarray(0, bytes.length >> 1)))
      within()
      this.#files.set(file, join(before, bytes))
    })
  }

  replace(file: string, bytes: Uint8Array): Promise<void> {
    return this.#faults.write({ port: 'home', method: 'replace', subject: file }, () => {
      this.#files.set(file, bytes.slice())
    })
  }

  remove(file: string): Promise<void> {
    return this.#faults.write({ port: 'home', method: 'remove', subject: file }, () => {
      this.#files.delete(file)
    })
  }

  dissolve(): Promise<void> {
    return this.#faults.write({ port: 'home', method: 'dissolve', subject: '' }, () => undefined)
  }

  #free(): void {
    this.#holder = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const tell of waiting) tell()
  }

  async #freeOr(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController()
    const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal
    const free = new Promise<void>((resolve) => this.#waiting.push(resolve))
    const asleep = this.#clock.sleep(ms, either).catch((reason: unknown) => {
      if (!over.signal.aborted) throw reason
    })
    await Promise.race([free, asleep])
    over.abort()
    await asleep
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
