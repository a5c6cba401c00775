/**
 * Plans and conducts a set of Scores on one topology. The ledger is read when it is first needed, and anew if somebody
 * has written it until the lock was taken, so that what is applied was planned from what the lock protects.
 */
import { HarmonyError, toHarmonyError } from '../errors.ts'
import type { HomeLock, StateHome } from '../ledger/home.ts'
import { Ledger } from '../ledger/ledger.ts'
import { deriveGraph, type Graph } from '../plan/graph.ts'
import { expand } from '../plan/leaf.ts'
import type { Plan } from '../plan/plan.ts'
import { type Context, ownRecords, processClock } from './context.ts'
import type {
  ApplyRequest,
  ApplyResult,
  DriftReport,
  LedgerEntry,
  LedgerOwner,
  Maestro,
  MaestroOptions,
  PlanRequest,
} from './contract.ts'
import { makePlan } from './planning.ts'

/**
 * Opens the topology.
 * @throws HarmonyError `unreachable` and whatever opening the topology says.
 */
export async function openMaestro(options: MaestroOptions): Promise<Maestro> {
  const { topology, emit } = options
  if (topology.open) {
    emit({
      type: 'topology',
      topology: topology.name,
      status: 'opening',
      message: `opening ${topology.name}`,
    })
    try {
      await topology.open(new AbortController().signal)
    } catch (thrown) {
      const error = toHarmonyError(thrown)
      emit({ type: 'topology', topology: topology.name, status: 'unreachable', message: error.message })
      throw error
    }
  }
  // A place that is reached over a connection knows only now where its ledger is.
  const { home } = options
  return new Conducting(options, topology.home ?? (typeof home === 'function' ? await home() : home))
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
  #reading: Promise<Context> | undefined
  #derived: Graph | undefined
  #lock: HomeLock | undefined
  #locking: Promise<HomeLock> | undefined

  constructor(options: MaestroOptions, home: StateHome) {
    this.topology = options.topology.name
    this.#options = options
    this.#home = home
  }

  #graph(): Graph {
    this.#derived ??= deriveGraph(expand(this.#options.scores))
    return this.#derived
  }

  #context(): Promise<Context> {
    this.#reading ??= readLedger(this.#options, this.#home)
    return this.#reading
  }

  async plan(request: PlanRequest = {}): Promise<Plan> {
    return await makePlan(
      await this.#context(),
      request.destroy ? deriveGraph(new Map()) : this.#graph(),
      request,
    )
  }

  async lock({
    waitMs,
    signal,
  }: {
    readonly waitMs: number
    readonly signal?: AbortSignal
  }): Promise<boolean> {
    if (this.#lock) return true
    const { emit, holder } = this.#options
    this.#locking = this.#home.lock({
      holder,
      waitMs,
      signal,
      onWait: (other) =>
        emit({
          type: 'topology',
          topology: this.topology,
          status: 'waiting',
          message: `waiting for ${other}`,
        }),
    })
    // While another process takes the lock, this one has something to do that needs no ledger. What is wrong with the
    // project is said by the plan.
    try {
      this.#graph()
      await import('./carry-out.ts')
    } catch {}
    this.#lock = await this.#locking
    const stands = this.#reading === undefined || (await (await this.#reading).ledger.isAsRead())
    if (!stands) this.#reading = undefined
    emit({
      type: 'topology',
      topology: this.topology,
      status: 'ready',
      message: `the ledger in ${this.#home.description} is ours`,
    })
    return stands
  }

  async apply(plan: Plan, request: ApplyRequest = {}): Promise<ApplyResult> {
    if (!this.#lock) throw new HarmonyError('internal', 'apply needs the lock')
    const unowned = await this.#context()
    const lineage = unowned.owner.lineage ?? request.lineage ?? plan.lineage
    if (lineage === undefined) throw new HarmonyError('internal', 'apply needs a lineage')
    const abort = AbortSignal.any([this.#lock.lost, ...(request.abort ? [request.abort] : [])])
    const context = { ...unowned, owner: { ...unowned.owner, lineage } }
    this.#reading = Promise.resolve(context)
    // What only takes away needs nothing of the project: it may be empty, or no longer valid.
    const graph = plan.destroys ? deriveGraph(new Map()) : this.#graph()
    const { carryOut } = await import('./carry-out.ts') // most passes have nothing to carry out
    return await carryOut(context, graph, plan, { ...request, abort })
  }

  async drift(
    request: { readonly owners?: 'all' | 'own'; readonly signal?: AbortSignal } = {},
  ): Promise<DriftReport> {
    const { findDrift } = await import('./drift.ts')
    return await findDrift(
      await this.#context(),
      request.owners ?? 'own',
      request.signal ?? new AbortController().signal,
    )
  }

  async owners(): Promise<readonly LedgerOwner[]> {
    const owners: LedgerOwner[] = []
    for (const owned of (await this.#context()).ledger.records.owned())
      for (const [project, records] of owned.projects())
        owners.push({ project, lineage: owned.lineage, topology: owned.topology, records })
    return owners
  }

  async entries(owners: 'all' | 'own' = 'own'): Promise<readonly LedgerEntry[]> {
    const context = await this.#context()
    const records = owners === 'own' ? ownRecords(context) : context.ledger.records
    return [...records.values()].map(
      ({ address, kind, project, lineage, topology, options, unfinished, spec }) => ({
        address,
        kind,
        project,
        lineage,
        topology,
        protect: options.protect,
        retain: options.retain,
        unfinished: unfinished !== undefined,
        spec,
      }),
    )
  }

  async close(): Promise<void> {
    // Asked for and not waited for: it may come yet.
    const lock = this.#lock ?? (await this.#locking?.catch(() => undefined))
    this.#lock = undefined
    this.#locking = undefined
    try {
      // Taking the lock makes the home; where nothing is to be remembered, nothing is to be left.
      if (lock && !lock.lost.aborted) await (await this.#reading)?.ledger.tidyIfEmpty()
    } finally {
      try {
        await lock?.release()
      } finally {
        await this.#options.topology.close?.()
      }
    }
  }
}
