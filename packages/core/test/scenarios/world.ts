/**
 * A small world for scenarios of the engine: two kinds of Score, one that is a file and one that is a daemon which
 * starts, settles and can be restarted, on a simulated place. The kinds are made here, not taken from the library: the
 * engine's promises must hold for anybody's kinds.
 */
import {
  type AnyScore,
  capability,
  defineScore,
  type EngineEvent,
  missing,
  type Plan,
  ref,
  type Scores,
  secretable,
} from '@harmony-iac/core'
import { Files } from '@harmony-iac/core/capabilities'
import {
  type ApplyRequest,
  type ApplyResult,
  type DriftReport,
  type Maestro,
  openMaestro,
  type PlanRequest,
} from '@harmony-iac/core/engine'
import { type SimulatedOptions, SimulatedTopology } from '@harmony-iac/core/testing'
import * as z from 'zod'

/** A file, deliberately simple. */
export const Note = defineScore({
  kind: 'Note',
  version: 1,
  needs: [Files],
  spec: z.strictObject({ path: z.string(), content: secretable(ref(z.string())) }),
  identity: (spec) => spec.path,
  claims: (spec) => [{ type: 'path', path: spec.path }],
  uses: (spec) => [{ type: 'path', path: spec.path.slice(0, spec.path.lastIndexOf('/')) || '/' }],
  interpret: {
    observe: async (spec, on) => {
      const entry = await on.files.inspect(spec.path, { content: true })
      if (entry.type === 'absent') return { content: undefined, folder: entry.folder }
      const bytes = entry.type === 'file' ? entry.content.bytes : undefined
      return { content: bytes ? Buffer.from(bytes).toString() : entry.type, folder: entry.folder }
    },
    compare: (spec, state) => {
      const to = spec.content.reveal()
      if (state.content === undefined) return [missing('note'), { path: 'content', from: null, to }]
      return state.content === to ? [] : [{ path: 'content', from: state.content, to }]
    },
    converge: async (spec, on, run) => {
      run.progress('writing')
      await on.files.writeFile(spec.path, Buffer.from(spec.content.reveal()), { folder: run.state.folder })
    },
    remove: async ({ spec, previous }, on) => {
      if (previous) await on.files.putBack(spec.path, previous as never)
      else await on.files.remove(spec.path)
    },
    keep: async (spec, on) => await on.files.keep(spec.path),
    recover: async (spec, on) => on.files.cleanUp(spec.path),
    outputs: (state) => ({ length: String(state.content?.length ?? 0) }),
  },
})

/** A folder that is kept pure if it is called `….pure`. */
export const Folder = defineScore({
  kind: 'Folder',
  version: 1,
  needs: [Files],
  spec: z.strictObject({ path: z.string() }),
  identity: (spec) => spec.path,
  claims: (spec) => [{ type: 'path', path: spec.path }],
  uses: (spec) => [{ type: 'path', path: spec.path.slice(0, spec.path.lastIndexOf('/')) || '/' }],
  interpret: {
    observe: async (spec, on) => ({ entry: await on.files.inspect(spec.path) }),
    compare: (_, { entry }) =>
      entry.type === 'directory'
        ? []
        : entry.type === 'absent'
          ? [missing('folder')]
          : [{ path: '', from: entry.type, to: 'folder', replaces: true }],
    converge: async (spec, on, run) => on.files.makeDirectory(spec.path, { folder: run.state.entry.folder }),
    remove: async ({ spec }, on) => {
      await on.files.remove(spec.path)
    },
    surplus: async (spec, on) => {
      if (!spec.path.endsWith('.pure')) return []
      return (await on.files.list(spec.path)).map(({ path, fingerprint }) => ({
        claim: { type: 'path', path },
        fingerprint,
      }))
    },
    discard: async (surplus, _, on) => {
      for (const { claim, fingerprint } of [...surplus].reverse())
        if (claim.type === 'path') await on.files.remove(claim.path, { fingerprint })
    },
  },
})

/** What a place with daemons offers. */
export interface DaemonManager {
  look(name: string): Promise<Daemon | undefined>
  start(name: string, flavour: string): Promise<void>
  restart(name: string): Promise<void>
  stop(name: string): Promise<void>
}
interface Daemon {
  flavour: string
  run: number
  readyAt: number
}
export const Daemons = capability<DaemonManager>()('daemons')

/** A daemon: settling until it is up; restarted when its causes change. */
export const Service = defineScore({
  kind: 'Service',
  version: 1,
  needs: [Daemons],
  spec: z.strictObject({ name: z.string(), flavour: ref(z.string()).optional() }),
  identity: (spec) => spec.name,
  claims: (spec) => [{ type: 'name', space: 'daemon', name: spec.name }],
  interpret: {
    observe: async (spec, on) => ({ daemon: await on.daemons.look(spec.name) }),
    compare: (spec, { daemon }) => {
      if (!daemon) return [missing('daemon')]
      if (daemon.flavour !== (spec.flavour ?? ''))
        return [{ path: 'flavour', from: daemon.flavour, to: spec.flavour ?? '' }]
      return daemon.readyAt > 0 ? [{ path: 'active', from: 'starting', to: 'active', settleMs: 10_000 }] : []
    },
    converge: async (spec, on, run) => {
      if (run.differences.some((difference) => difference.settleMs === undefined))
        await on.daemons.start(spec.name, spec.flavour ?? '')
    },
    remove: async ({ spec }, on) => on.daemons.stop(spec.name),
    incarnation: ({ daemon }) => daemon && String(daemon.run),
  },
  reactions: { restartOn: async (spec, on) => on.daemons.restart(spec.name) },
})

/** A simulated place that runs daemons as well. */
export class Place extends SimulatedTopology {
  readonly daemons: DaemonManager
  readonly running = new Map<string, Daemon>()
  /** How many looks a daemon takes to come up; infinite: it never does. */
  startsAfter = 0
  #runs = 0

  constructor(options: SimulatedOptions = {}) {
    super(options)
    const daemons: DaemonManager = {
      look: async (name) => {
        const daemon = this.running.get(name)
        if (daemon && daemon.readyAt > 0) daemon.readyAt--
        return daemon && { ...daemon }
      },
      start: async (name, flavour) => {
        this.running.set(name, { flavour, run: ++this.#runs, readyAt: this.startsAfter })
      },
      restart: async (name) => {
        const daemon = this.running.get(name)
        if (daemon) this.running.set(name, { ...daemon, run: ++this.#runs })
      },
      stop: async (name) => {
        this.running.delete(name)
      },
    }
    this.daemons = this.faults.port('daemons', daemons, ['start', 'restart', 'stop'])
  }
}

/** One user's project on one place: plans and applies as the command does, and remembers the events. */
export class Desk {
  readonly place: Place
  readonly project: string
  lineage: string
  secrets: Record<string, string> = {}
  events: EngineEvent[] = []

  constructor(place: Place = new Place(), project = 'site', lineage = 'lineage-1') {
    this.place = place
    this.project = project
    this.lineage = lineage
  }

  async open(scores: readonly Scores<Place>[]): Promise<Maestro> {
    return await openMaestro({
      owner: { project: this.project, lineage: this.lineage },
      topology: this.place,
      home: this.place.home,
      scores: flat(scores),
      sources: {
        secret: async ({ $secret }) => this.secrets[$secret] ?? '',
        asset: () => Promise.reject(new Error('no assets here')),
      },
      emit: (event) => this.events.push(event),
      clock: this.place.clock,
      holder: 'a test',
    })
  }

  /** Plans without the lock, as `harmony plan` does. */
  async plan(scores: readonly Scores<Place>[], request: PlanRequest = {}): Promise<Plan> {
    const maestro = await this.open(scores)
    try {
      return await maestro.plan(request)
    } finally {
      await maestro.close()
    }
  }

  /** Plans and carries out; refuses like the command when there are conflicts. */
  async apply(
    scores: readonly Scores<Place>[],
    request: PlanRequest & ApplyRequest = {},
  ): Promise<ApplyResult> {
    this.events = []
    const maestro = await this.open(scores)
    try {
      await maestro.lock({ waitMs: 0 })
      return await maestro.apply(await maestro.plan(request), request)
    } finally {
      await maestro.close().catch(() => undefined)
    }
  }

  async drift(): Promise<DriftReport> {
    const maestro = await this.open([])
    const report = await maestro.drift()
    await maestro.close()
    return report
  }

  async ledger(): Promise<readonly string[]> {
    const maestro = await this.open([])
    const entries = await maestro.entries('all')
    await maestro.close()
    return entries.map((entry) => `${entry.address}${entry.unfinished ? ' (unfinished)' : ''}`).sort()
  }
}

function flat(scores: readonly Scores<Place>[]): AnyScore[] {
  return scores.flatMap((each) =>
    Array.isArray(each) ? flat(each as readonly Scores<Place>[]) : each ? [each as AnyScore] : [],
  )
}

/** What a plan does, one short line for each step that does something. */
export function outline(plan: Plan): readonly string[] {
  return plan.steps
    .filter((step) => step.action !== 'unchanged')
    .map(
      (step) =>
        `${step.action} ${step.address}${step.reactions.map((due) => ` ${due.name}(${due.causes})`).join('')}`,
    )
}

/** What became of whom. */
export function outcomes(result: ApplyResult): Readonly<Record<string, string>> {
  return Object.fromEntries(
    result.results.map(({ address, outcome, error }) => [
      address,
      error ? `${outcome}: ${error.code}` : outcome,
    ]),
  )
}
