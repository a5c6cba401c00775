/**
 * Plans and conducts a set of Scores on one topology. A maestro reads the ledger when it is opened, and once more when
 * it takes the lock, so that what it applies was planned under the lock.
 */
import { HarmonyError, toHarmonyError } from '../errors.ts'
import type { HomeLock, StateHome } from '../ledger/home.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { Plan } from '../plan/plan.ts'
import { carryOut } from './carry-out.ts'
import { type Context, ownRecords, processClock } from './context.ts'
import type { ApplyRequest, ApplyResult, DriftReport, LedgerEntry, Maestro, MaestroOptions, PlanRequest } from './contract.ts'
import { findDrift } from './drift.ts'
import { makePlan } from './planning.ts'

/**
 * Opens the topology and reads its ledger.
 * @throws HarmonyError `unreachable` and whatever opening the topology says; `ledger-corrupt`.
 */
export async function openMaestro(options: MaestroOptions): Promise<Maestro> {
  const { topology, emit } = options
  if (topology.open) {
    emit({ type: 'topology', topology: topology.name, status: 'opening', message: `opening ${topology.name}` })
    try {
      await topology.open(new AbortController().signal)
    } catch (thrown) {
      const error = toHarmonyError(thrown)
      emit({ type: 'topology', topology: topology.name, status: 'unreachable', message: error.message })
      throw error
    }
  }
  const home = topology.home ?? options.home
  return new Conducting(options, home, await readLedger(options, home))
}

async function readLedger(options: MaestroOptions, home: StateHome): Promise<Context> {
  const ledger = await Ledger.load(home)
  // Only a ledger that has records can have a key.
  const key = ledger.records.size > 0 ? await ledger.key() : undefined
  return { ...options, home, ledger, key, clock: options.clock ?? processClock }
}

class Conducting implements Maestro {
  readonly topology: string
  readonly #options: MaestroOptions
  readonly #home: StateHome
  #context: Context
  #lock: HomeLock | undefined

  constructor(options: MaestroOptions, home: StateHome, context: Context) {
    this.topology = options.topology.name
    this.#options = options
    this.#home = home
    this.#context = context
  }

  async plan(request: PlanRequest = {}): Promise<Plan> {
    return await makePlan(this.#context, this.#options.scores, request)
  }

  async lock({ waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal }): Promise<void> {
    if (this.#lock) return
    const { emit, holder } = this.#options
    this.#lock = await this.#home.lock({
      holder,
      waitMs,
      signal,
      onWait: (other) => emit({ type: 'topology', topology: this.topology, status: 'waiting', message: `waiting for ${other}` }),
    })
    this.#context = await readLedger(this.#options, this.#home)
    emit({ type: 'topology', topology: this.topology, status: 'ready', message: `the ledger in ${this.#home.description} is ours` })
  }

  async apply(plan: Plan, request: ApplyRequest = {}): Promise<ApplyResult> {
    if (!this.#lock) throw new HarmonyError('internal', 'apply needs the lock')
    const lineage = this.#context.owner.lineage ?? request.lineage ?? plan.lineage
    if (lineage === undefined) throw new HarmonyError('internal', 'apply needs a lineage')
    const abort = AbortSignal.any([this.#lock.lost, ...(request.abort ? [request.abort] : [])])
    const context = { ...this.#context, owner: { ...this.#context.owner, lineage } }
    try {
      return await carryOut(context, this.#options.scores, plan, { ...request, abort })
    } finally {
      this.#context = { ...context, key: this.#context.key }
    }
  }

  async drift(request: { readonly owners?: 'all' | 'own'; readonly signal?: AbortSignal } = {}): Promise<DriftReport> {
    return await findDrift(this.#context, request.owners ?? 'own', request.signal ?? new AbortController().signal)
  }

  async entries(owners: 'all' | 'own' = 'own'): Promise<readonly LedgerEntry[]> {
    const records = owners === 'own' ? ownRecords(this.#context) : this.#context.ledger.records
    return [...records.values()].map(({ address, kind, project, lineage, topology, options, unfinished, spec }) => ({
      address,
      kind,
      project,
      lineage,
      topology,
      protect: options.protect,
      retain: options.retain,
      unfinished: unfinished !== undefined,
      spec,
    }))
  }

  async close(): Promise<void> {
    const lock = this.#lock
    this.#lock = undefined
    try {
      await lock?.release()
    } finally {
      await this.#options.topology.close?.()
    }
  }
}
