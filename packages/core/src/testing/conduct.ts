/** Plans and applies in a test, as the command line does, each time with a maestro of its own: a process of its own. */
import { hash } from 'node:crypto'
import type {
  ApplyResult,
  Clock,
  DriftReport,
  LedgerEntry,
  Maestro,
  PlanRequest,
  Sources,
} from '../engine/contract.ts'
import { openMaestro } from '../engine/maestro.ts'
import { HarmonyError } from '../errors.ts'
import type { EngineEvent } from '../events.ts'
import type { Content } from '../late.ts'
import type { StateHome } from '../ledger/home.ts'
import type { Plan } from '../plan/plan.ts'
import { defineProject, deploy } from '../project.ts'
import type { Scores } from '../score.ts'
import type { Topology } from '../topology.ts'
import { MemoryHome } from './memory-home.ts'

/** What {@link conduct} needs beside topology and Scores. */
export interface ConductOptions {
  /** Default `test`. */
  readonly project?: string
  /** Default one that is derived from the project's name. */
  readonly lineage?: string
  /** Values of secrets by name. Default for each: {@link secretValueOf} its name. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Contents of local files, by the path in `asset(…)`. */
  readonly assets?: Readonly<Record<string, string | Uint8Array>>
  /** Default: the topology's own, if it has one. */
  readonly clock?: Clock
  /** As `ApplyRequest.parallel`. */
  readonly parallel?: number
}

/** One pass: what was planned, what became of it, and what was told meanwhile. */
export interface Passed extends ApplyResult {
  readonly plan: Plan
  readonly events: readonly EngineEvent[]
}

/** A project on one topology, in a test. */
export interface Conducted {
  plan(request?: PlanRequest): Promise<Plan>
  /** Plans under the lock and carries out that plan. @throws HarmonyError `plan-conflict` when it may not be. */
  apply(request?: PlanRequest): Promise<Passed>
  /** Removes everything that the project owns. */
  destroy(): Promise<Passed>
  drift(): Promise<DriftReport>
  /** What the ledger holds, of all owners. */
  entries(): Promise<readonly LedgerEntry[]>
}

/**
 * A project on one topology. The Scores are checked as `defineProject` does.
 *
 * @example
 * const here = new SimulatedTopology()
 * const site = conduct(here, [File({ path: '/srv/index.html', content: 'hello' })])
 * await site.apply()
 * expect(here.disk.read('/srv/index.html')).toBe('hello')
 */
export function conduct<T extends Topology>(
  topology: T,
  scores: NoInfer<readonly Scores<T>[]>,
  options: ConductOptions = {},
): Conducted {
  const { project = 'test', lineage = `lineage-of-${project}`, parallel } = options
  const deployment = deploy<T>(topology, scores)
  defineProject({ name: project, deployments: [deployment] })
  const home: StateHome = topology.home ?? new MemoryHome()
  const clock = options.clock ?? (topology as { readonly clock?: Clock }).clock

  async function play<R>(work: (maestro: Maestro, events: readonly EngineEvent[]) => Promise<R>): Promise<R> {
    const events: EngineEvent[] = []
    const maestro = await openMaestro({
      owner: { project, lineage },
      topology,
      home,
      scores: deployment.scores,
      sources: sourcesOf(options),
      emit: (event) => events.push(event),
      holder: `test of ${project}`,
      ...(clock && { clock }),
    })
    try {
      return await work(maestro, events)
    } finally {
      await maestro.close()
    }
  }

  const apply = (request: PlanRequest = {}) =>
    play(async (maestro, events): Promise<Passed> => {
      // Long enough for the lock of a process that has just been killed to be free; a virtual clock waits no time at all.
      await maestro.lock({ waitMs: 5000 })
      const plan = await maestro.plan(request)
      refuseBlocked(plan)
      return { ...(await maestro.apply(plan, parallel === undefined ? {} : { parallel })), plan, events }
    })

  return {
    plan: (request) => play((maestro) => maestro.plan(request)),
    apply,
    destroy: () => apply({ destroy: true }),
    drift: () => play((maestro) => maestro.drift()),
    entries: () => play((maestro) => maestro.entries('all')),
  }
}

/** What a secret is worth in a test that does not say: long and unlike anything else, so that it is found where it leaks. */
export function secretValueOf(name: string): string {
  return `the-value-of-the-secret-${name}`
}

/** A value as an asset is at run time. */
export function contentOf(value: string | Uint8Array): Content {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return {
    sha256: hash('sha256', bytes, 'hex'),
    size: bytes.byteLength,
    async *open() {
      yield bytes
    },
  }
}

function sourcesOf({ secrets = {}, assets = {} }: ConductOptions): Sources {
  return {
    secret: async ({ $secret }) => secrets[$secret] ?? secretValueOf($secret),
    asset: async (path) => {
      const value = assets[path]
      if (value === undefined)
        throw new HarmonyError('asset-unreadable', `${path}: the test names no such asset`)
      return contentOf(value)
    },
  }
}

function refuseBlocked({ conflicts, failures }: Plan): void {
  const problems = [
    ...failures.map(({ address, code, message }) => `${address}: ${message} (${code})`),
    ...conflicts.map(({ address, type, message }) => `${address || 'the plan'}: ${message} (${type})`),
  ]
  if (problems.length > 0)
    throw new HarmonyError('plan-conflict', problems.join('; '), { data: { conflicts, failures } })
}
