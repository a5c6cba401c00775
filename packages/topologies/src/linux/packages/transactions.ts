/** The changes of packages on one host, one after the other: they all take the same locks. */
import { type HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { PackageWork } from '@harmony-iac/core/capabilities'
import { type Changing, takeAlong } from './along.ts'
import { type Apt, saidBy, steady } from './apt.ts'
import { groupsOf, type Job, type Mark, together } from './jobs.ts'
import { type Patience, runLocked } from './locks.ts'
import type { InstalledRecord } from './record.ts'
import { Transaction } from './transaction.ts'
import { failure } from './trouble.ts'

// A mirror is not asked again and again for what it does not have.
const listsFreshMs = 60_000

/** What the transactions of a host share. */
export class Transactions implements Changing {
  readonly apt: Apt
  readonly record: InstalledRecord
  readonly patience: Patience
  #listsReadAt: number | undefined

  constructor(apt: Apt, record: InstalledRecord, patience: Patience) {
    this.apt = apt
    this.record = record
    this.patience = patience
  }

  /** Does them all; tells for each what went wrong, if anything. */
  async carryOut(jobs: readonly Job[]): Promise<readonly (HarmonyError | undefined)[]> {
    const errors = new Map<Job, HarmonyError>()
    for (const group of groupsOf(jobs)) {
      const transaction = new Transaction(this, group)
      try {
        await transaction.run()
      } catch (thrown) {
        transaction.fail(toHarmonyError(thrown))
      }
      for (const [job, error] of transaction.errors) errors.set(job, error)
    }
    return jobs.map((job) => errors.get(job))
  }

  /** Marks packages: one run for each kind of mark. */
  async mark(marks: readonly Mark[]): Promise<readonly undefined[]> {
    for (const as of ['unhold', 'hold', 'manual', 'auto'] as const) {
      const some = marks.filter((mark) => mark.as === as)
      if (some.length === 0) continue
      const names = some.map(({ name }) => name)
      const result = await runLocked(this.apt, ['apt-mark', as, ...names], this.patience, together(some))
      if (result.exitCode !== 0) throw failure(`apt-mark ${as} ${names.join(' ')}`, saidBy(result))
      if (as !== 'auto') continue
      // It was wanted for itself for a while; what has brought it may be gone since.
      const { along } = await this.record.read()
      if (names.some((name) => along.includes(name)))
        await takeAlong(this, { ...together(some), purge: false })
    }
    return marks.map(() => undefined)
  }

  /** Reads the lists of the archives again, unless that was just done. @returns what was said, or undefined. */
  async readLists(work: PackageWork): Promise<string | undefined> {
    const at = this.#listsReadAt
    if (at !== undefined && performance.now() - at < listsFreshMs) return undefined
    work.progress?.('reading the lists of the archives again')
    const result = await runLocked(this.apt, ['apt-get', ...steady, 'update'], this.patience, work)
    this.#listsReadAt = performance.now()
    return saidBy(result)
  }
}
