/**
 * The capability `packages` of a Debian-like host, over nothing but the port `Host`: the same here and over a connection.
 * What changes packages is loaded for the first change, since most passes make none.
 */
import { type HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { PackageManager, PackageState } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { gather } from '../services/gather.ts'
import { aptOf } from './apt.ts'
import type { Job, Mark } from './jobs.ts'
import type { Patience } from './locks.ts'
import { lookAt } from './look.ts'
import { installedRecord } from './record.ts'
import type { Transactions } from './transactions.ts'

/** Options of {@link linuxPackages}. */
export interface LinuxPackagesOptions {
  /** The folder that remembers what was installed: that of the ledger. */
  readonly stateFolder: () => Promise<string>
  /** How long others may change packages (unattended upgrades, a person) before that is an error. Default 5 min. */
  readonly lockWaitMs?: number | undefined
}

// Others are on their way that go into the same transaction, which takes far longer than this.
const quietMs = 100
const marksQuietMs = 20
const lockWaitMs = 300_000
const lockRetryMs = 500

/** The packages of a Debian-like host. */
export function linuxPackages(host: Host, options: LinuxPackagesOptions): PackageManager {
  const apt = aptOf(host)
  const patience: Patience = { lockWaitMs: options.lockWaitMs ?? lockWaitMs, retryMs: lockRetryMs }
  const record = installedRecord(host, options.stateFolder)
  let lookedAt = 0
  let looking = 0
  let turn: Promise<unknown> = Promise.resolve()
  let transactions: Transactions | undefined

  const ask = gather<string, PackageState>(0, (names) => lookAt(apt, names))
  async function look(name: string): Promise<PackageState> {
    looking++
    try {
      return await explained(() => ask(name))
    } finally {
      looking--
      lookedAt = performance.now()
    }
  }

  /** One after the other: they all take the same locks. */
  function inTurn<T>(work: (transactions: Transactions) => Promise<T>): Promise<T> {
    const mine = turn.then(async () => {
      if (!transactions) {
        const { Transactions } = await import('./transactions.ts')
        transactions = new Transactions(apt, record, patience)
      }
      return await work(transactions)
    })
    turn = mine.catch(() => undefined)
    return mine
  }

  const change = gather<Job, HarmonyError | undefined>(
    quietMs,
    (jobs) => inTurn((transactions) => transactions.carryOut(jobs)),
    // Whoever looks now is likely to ask for a change next.
    () => looking > 0 || performance.now() - lookedAt < quietMs,
  )
  const mark = gather<Mark, void>(marksQuietMs, (marks) => inTurn((transactions) => transactions.mark(marks)))

  async function done(job: Job): Promise<void> {
    const error = await explained(() => change(job))
    if (error) throw error
  }

  return {
    look: (name) => look(name),
    install: (name, how = {}) => done({ ...how, type: 'install', name }),
    remove: (name, how = {}) => done({ ...how, type: 'remove', name }),
    async withdraw(name, how = {}) {
      const ours = (await explained(() => record.read())).asked[name]
      if (!ours) return false
      const { held, ...removal } = how
      if (held && (await look(name)).held) await explained(() => mark({ ...removal, name, as: 'unhold' }))
      await done({ ...removal, purge: how.purge && !ours.configuration, type: 'remove', name })
      return true
    },
    setHeld: (name, held, work = {}) =>
      explained(() => mark({ ...work, name, as: held ? 'hold' : 'unhold' })),
    setAutomatic: (name, automatic, work = {}) =>
      explained(() => mark({ ...work, name, as: automatic ? 'auto' : 'manual' })),
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toHarmonyError(error)
  }
}
