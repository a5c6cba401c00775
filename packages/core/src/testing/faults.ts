/**
 * Counts every call that writes, and makes one of them fail or be the last thing that a process does. A kill is what
 * SIGKILL is: nothing later in that process takes effect, the ledger's writes included, until `restart()`.
 */
import { HarmonyError } from '../errors.ts'

/** Where in a call the process is killed: before it, after it, or at the nth moment within it, counted from 1. */
export type Moment = 'before' | 'after' | number

/** A call of a port. */
export interface PortCall {
  /** `files`, `shell`, `home`, or the name of another capability. */
  readonly port: string
  readonly method: string
  /** What it is about: a path, a program. */
  readonly subject: string
}

/** A call that writes, as it was made. */
export interface WriteCall extends PortCall {
  /** How many moments within it there are: it has done one thing and not yet the next. */
  readonly moments: number
}

/** What every call meets once the process is killed. */
export class Killed extends HarmonyError {
  constructor() {
    super('unreachable', 'the process was killed (simulated)')
  }
}

/** Makes an error as the system would report it. */
export function systemError(errno: string, syscall: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${errno}: ${syscall} '${path}'`), { code: errno, syscall, path })
}

/** What a write is given to say how far it has come. */
export interface Progress {
  /** Marks a moment between two parts of the write. */
  within(): void
  /** To be called after whatever the write has waited for: a process that was killed meanwhile does no more. */
  alive(): void
}

interface Armed {
  left: number
  readonly moment: Moment
  /** Absent: the process is killed. */
  readonly fail: ((call: PortCall) => unknown) | undefined
}

interface Failing {
  readonly applies: (call: PortCall) => boolean
  readonly error: (call: PortCall) => unknown
  left: number
}

/** The faults of one simulated place. */
export class Faults {
  #writes: { -readonly [K in keyof WriteCall]: WriteCall[K] }[] = []
  #armed: Armed[] = []
  #failing: Failing[] = []
  #killed = false
  /** Which process is alive: what an earlier one still has under way must not come through. */
  #process = 0
  readonly #onKill = new Set<() => void>()

  /** Every write since the start or the last {@link forget}. */
  get writes(): readonly WriteCall[] {
    return this.#writes
  }

  /** Whether the process was killed and not yet restarted. */
  get killed(): boolean {
    return this.#killed
  }

  /** Empties {@link writes}. */
  forget(): void {
    this.#writes = []
  }

  /** Kills the process at the `n`-th write from now, the first being 1. */
  killAt(n: number, moment: Moment = 'before'): void {
    this.#armed.push({ left: n, moment, fail: undefined })
  }

  /** Makes the `n`-th write from now fail with an error of the system (`ENOSPC`) before it does anything. */
  failAt(n: number, errno: string): void {
    this.#armed.push({ left: n, moment: 'before', fail: asError(errno) })
  }

  /** Makes calls fail, reads as well: with an error, or an errno such as `EACCES`; as often as said, or always. */
  fail(applies: (call: PortCall) => boolean, error: Error | string, times = Number.POSITIVE_INFINITY): void {
    this.#failing.push({
      applies,
      error: typeof error === 'string' ? asError(error) : () => error,
      left: times,
    })
  }

  /** Kills the process now. */
  kill(): void {
    if (this.#killed) return
    this.#killed = true
    for (const tell of this.#onKill) tell()
  }

  /** A new process: calls come through again. Takes back what is armed, and keeps what was written. */
  restart(): void {
    this.#killed = false
    this.#process++
    this.#armed = []
    this.#failing = []
  }

  /** Calls back when the process is killed: what ends with its holder ends here. */
  onKill(tell: () => void): void {
    this.#onKill.add(tell)
  }

  /** Does what a read does, unless the process is dead or the call is to fail. */
  async read<T>(call: PortCall, work: () => T | Promise<T>): Promise<T> {
    this.#check(call, this.#process)
    return await work()
  }

  /** Does what a write does, unless the process is dead or the call is to fail. */
  async write<T>(call: PortCall, work: (progress: Progress) => T | Promise<T>): Promise<T> {
    const process = this.#process
    this.#check(call, process)
    const logged = { ...call, moments: 0 }
    this.#writes.push(logged)
    const due = this.#count()
    if (due?.fail) throw due.fail(call)
    if (due?.moment === 'before') this.#die()
    const result = await work({
      within: () => {
        if (due?.moment === ++logged.moments) this.#die()
        this.#alive(process)
      },
      alive: () => this.#alive(process),
    })
    if (due) this.#die()
    this.#alive(process)
    return result
  }

  /**
   * A capability of your own behind these faults: the methods that are named as writes are counted and can be the last
   * of a process. Its other methods read.
   */
  port<T extends object>(port: string, implementation: T, writes: readonly (keyof T & string)[]): T {
    return new Proxy(implementation, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target)
        if (typeof value !== 'function' || typeof member !== 'string') return value
        return (...given: unknown[]) => {
          const call = { port, method: member, subject: typeof given[0] === 'string' ? given[0] : '' }
          const work = (): unknown => Reflect.apply(value, target, given)
          return (writes as readonly string[]).includes(member)
            ? this.write(call, work)
            : this.read(call, work)
        }
      },
    })
  }

  #count(): Armed | undefined {
    let due: Armed | undefined
    for (const armed of this.#armed) if (--armed.left === 0) due ??= armed
    return due
  }

  #check(call: PortCall, process: number): void {
    this.#alive(process)
    for (const failing of this.#failing)
      if (failing.left > 0 && failing.applies(call)) {
        failing.left--
        throw failing.error(call)
      }
  }

  #alive(process: number): void {
    if (this.#killed || process !== this.#process) throw new Killed()
  }

  #die(): never {
    this.kill()
    throw new Killed()
  }
}

function asError(errno: string): (call: PortCall) => unknown {
  return ({ method, subject }) => systemError(errno, method, subject)
}
