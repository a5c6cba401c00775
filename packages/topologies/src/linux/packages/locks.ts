/**
 * Waits for those who change packages at the same time: unattended upgrades, a person. apt's own `DPkg::Lock::Timeout`
 * covers the frontend and the database only, not the lists and the archives, and `dpkg` itself does not wait at all: so
 * every program is tried again here, and the holder is named.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { PackageWork } from '@harmony-iac/core/capabilities'
import type { ExecOptions, ExecResult } from '@harmony-iac/core/host'
import { type Apt, mostSaid, saidBy, textOf } from './apt.ts'
import { heldLock } from './trouble.ts'

/** How long others may hold the locks. */
export interface Patience {
  readonly lockWaitMs: number
  /** Between two attempts. */
  readonly retryMs: number
}

/** Waiting for those who hold a lock: for one piece of work, however often it is tried. */
export class LockWait {
  readonly #apt: Apt
  readonly #patience: Patience
  #until: number | undefined
  #told = ''

  constructor(apt: Apt, patience: Patience) {
    this.#apt = apt
    this.#patience = patience
  }

  /**
   * Whether a program has failed because somebody held a lock; then a while has passed, and it may be tried again.
   * @throws HarmonyError `locked`, naming the holder, when that has lasted too long.
   */
  async waited(said: string, { signal, progress }: PackageWork): Promise<boolean> {
    const held = heldLock(said)
    if (!held) return false
    const { lockWaitMs, retryMs } = this.#patience
    this.#until ??= performance.now() + lockWaitMs
    const holder = await describeHolder(this.#apt, held.pid, held.program)
    const left = this.#until - performance.now()
    if (left <= 0) throw stillHeld(held.path, holder, held.pid, lockWaitMs)
    if (holder !== this.#told) progress?.(`waiting for ${holder}, which is changing packages`)
    this.#told = holder
    await pause(Math.min(retryMs, Math.max(1, left)), signal)
    return true
  }
}

/** Runs what needs a lock, until it gets it. @throws HarmonyError `locked`, naming the holder. */
export async function runLocked(
  apt: Apt,
  argv: readonly [string, ...string[]],
  patience: Patience,
  { progress, ...options }: PackageWork & ExecOptions,
): Promise<ExecResult> {
  const lock = new LockWait(apt, patience)
  for (;;) {
    const result = await apt.run(argv, { outputLimit: mostSaid, ...options })
    if (result.exitCode === 0 || !(await lock.waited(saidBy(result), { signal: options.signal, progress })))
      return result
  }
}

async function describeHolder(
  apt: Apt,
  pid: number | undefined,
  program: string | undefined,
): Promise<string> {
  if (pid === undefined) return 'another process'
  const name = program ?? textOf((await apt.run(['cat', `/proc/${pid}/comm`])).stdout).trim()
  return name ? `${name} (pid ${pid})` : `the process ${pid}`
}

function stillHeld(path: string, holder: string, pid: number | undefined, waitedMs: number): HarmonyError {
  return new HarmonyError(
    'locked',
    `${holder} is changing packages${path ? ` (it holds ${path})` : ''}, and has not ended after ${Math.round(waitedMs / 1000)} s`,
    {
      hint: 'wait until it is done, or see what it is waiting for and end it; then apply again. Never delete the lock file',
      data: { pid, path },
    },
  )
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(new HarmonyError('interrupted', 'was interrupted while waiting for the package manager'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
  })
}
