/**
 * The services of a Linux host: systemd over D-Bus. One connection for all, opened when it is first needed.
 * What many Scores ask for at the same time is one request: looks are pipelined, units are enabled together, the manager
 * reads all files again at once.
 */
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { JobPatience, ServiceManager, UnitState } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { eachTurn } from '../turn.ts'
import type { Bus } from './bus.ts'
import { dialBus } from './dial.ts'
import { gather } from './gather.ts'
import { type Jobs, listenForJobs } from './jobs.ts'
import { changedNs, fileState, fileStates, propertiesOf } from './look.ts'
import { manager, systemd } from './names.ts'
import type { LinuxServices } from './services.ts'
import { told } from './told.ts'
import { type Properties, unitState } from './unit-state.ts'
import { removeCandidates, verifyUnits } from './verify.ts'

interface Question {
  readonly name: string
  readonly age: boolean
  readonly outdated: boolean
}

/** What is known of a unit, or why nothing is. */
type Answer =
  | { readonly state: UnitState; readonly error?: undefined }
  | { readonly error: HarmonyError; readonly state?: undefined }

// Several Scores are at work side by side, each with a file to write in between.
const quietMs = 15
// A reload of the manager is its most expensive answer: those that are about to ask are waited for, if it takes no longer.
const writtenWithinMs = 1000
// For as long after a start of ours a restart counts as a crash loop.
const watchedMs = 60_000
const largestUnitFile = 1024 * 1024

/** As `linuxServices`. */
export function systemdOf(host: Host): LinuxServices {
  let opened: Promise<Bus> | undefined
  let listening: { readonly bus: Bus; readonly jobs: Promise<Jobs> } | undefined
  let version: Promise<number> | undefined
  /** When units were started by this process. */
  const started = new Map<string, number>()

  async function connected(): Promise<Bus> {
    for (;;) {
      const known = opened
      const bus = await known?.catch(() => undefined)
      if (bus && !bus.ended) return bus
      // Somebody else may have dialled meanwhile.
      if (opened !== known) continue
      opened = dialBus(host)
      return await opened
    }
  }

  async function jobsOf(bus: Bus): Promise<Jobs> {
    if (listening?.bus !== bus) listening = { bus, jobs: listenForJobs(bus) }
    try {
      return await listening.jobs
    } catch (error) {
      listening = undefined
      throw error
    }
  }

  const uptime = eachTurn(async (_: 'uptime') => {
    const { stdout } = await host.exec(['cat', '/proc/uptime'], { timeoutMs: 10_000 })
    const seconds = Number.parseFloat(Buffer.from(stdout).toString())
    return Number.isFinite(seconds) ? seconds * 1e6 : undefined
  })

  const ask = gather(0, async (questions: readonly Question[]): Promise<readonly Answer[]> => {
    const bus = await connected()
    try {
      const answers = await lookAt(bus, questions)
      if (!bus.ended) return answers
    } catch (error) {
      if (!bus.ended) throw error
    }
    // Looking changes nothing, so it may be tried once more.
    return await lookAt(await connected(), questions)
  })

  async function look(question: Question): Promise<UnitState> {
    const { state, error } = await ask(question)
    if (error) throw told(question.name, error)
    return state
  }

  async function lookAt(bus: Bus, questions: readonly Question[]): Promise<readonly Answer[]> {
    const names = [...new Set(questions.map(({ name }) => name))]
    const byName = new Map(names.map((name) => [name, propertiesOf(bus, name)]))
    // What is wrong with one of them is told to whoever asked for it, below.
    for (const found of byName.values()) found.catch(() => {})
    const files = await fileStates(bus, names)
    return await Promise.all(
      questions.map(async ({ name, age, outdated }): Promise<Answer> => {
        try {
          return { state: await stateOf(name, age, outdated) }
        } catch (error) {
          return { error: toHarmonyError(error) }
        }
      }),
    )

    async function stateOf(name: string, age: boolean, outdated: boolean): Promise<UnitState> {
      const { unit, service } = (await byName.get(name)) ?? { unit: {}, service: {} }
      const listed = files.get(name)
      const file = listed ?? (unit.LoadState === 'not-found' ? '' : await fileState(bus, name))
      return unitState(name, unit, {
        file,
        service,
        restartsSeen: restartsSeen(name, service),
        now: age ? await uptime('uptime') : undefined,
        changedNs: outdated ? await changedNs(host, unit) : undefined,
      })
    }
  }

  function restartsSeen(name: string, { NRestarts = 0 }: Properties): number {
    const at = started.get(name)
    if (at === undefined) return 0
    if (performance.now() - at <= watchedMs) return Number(NRestarts)
    started.delete(name)
    return 0
  }

  async function job(member: string, name: string, patience: JobPatience): Promise<void> {
    try {
      const jobs = await jobsOf(await connected())
      const result = await jobs.run(member, name, patience)
      if (member !== 'StopUnit') started.set(name, performance.now())
      if (result === 'done' || result === 'running' || result === 'skipped') return
      throw await failed(name, member, result)
    } catch (error) {
      throw told(name, error)
    }
  }

  async function failed(name: string, member: string, result: string): Promise<HarmonyError> {
    const state = await look({ name, age: false, outdated: false })
    const why =
      result === 'dependency'
        ? 'a unit that it requires has failed'
        : result === 'canceled'
          ? 'somebody else asked for something else meanwhile'
          : state.result === 'success'
            ? result
            : `${state.result}${state.exitStatus ? `, exit status ${state.exitStatus}` : ''}`
    const lines = await journal(name, 10)
    const verb = member === 'StopUnit' ? 'stop' : 'start'
    return new HarmonyError('command-failed', [`${name} did not ${verb}: ${why}`, ...lines].join('\n'), {
      hint: `see what it says above, or with: journalctl -u ${name}`,
      data: { unit: name, result, state: state.result, exitStatus: state.exitStatus, journal: lines },
    })
  }

  async function journal(name: string, lines: number): Promise<readonly string[]> {
    try {
      // What it wrote last may be on its way to the journal; only root may ask for it, and it is none the worse without.
      await host.exec(['journalctl', '--sync'], { timeoutMs: 10_000 })
      const { exitCode, stdout } = await host.exec(
        ['journalctl', `--unit=${name}`, `--lines=${lines}`, '--no-pager', '--quiet', '--output=cat'],
        { timeoutMs: 10_000 },
      )
      return exitCode === 0 ? Buffer.from(stdout).toString().split('\n').filter(Boolean) : []
    } catch {
      return [] // It is only there to explain something else.
    }
  }

  /** A call about files of units: for many at once, and each by itself if that fails, to tell which of them it is. */
  function filesCall(
    call: (names: readonly string[]) => readonly [member: string, signature: string, ...unknown[]],
  ) {
    const ask = async (names: readonly string[]) => {
      const [member, signature, ...body] = call(names)
      await (await connected()).call({ ...manager, member, signature, body })
    }
    return gather(quietMs, async (names: readonly string[]) => {
      try {
        await ask(names)
        return names.map(() => undefined)
      } catch (error) {
        const [name = ''] = names
        if (names.length === 1) return [told(name, error)]
        return await Promise.all(
          names.map((each) =>
            ask([each]).then(
              () => undefined,
              (own: unknown) => told(each, own),
            ),
          ),
        )
      }
    })
  }
  const enable = filesCall((names) => ['EnableUnitFiles', 'asbb', names, false, true])
  const disable = filesCall((names) => ['DisableUnitFiles', 'asb', names, false])
  const mask = filesCall((names) => ['MaskUnitFiles', 'asbb', names, false, false])
  const unmask = filesCall((names) => ['UnmaskUnitFiles', 'asb', names, false])
  /** Units that were found valid and are being written: each asks for a reload next, unless it fails. */
  let written = { left: 0, since: 0 }
  const reload = gather(
    quietMs,
    async (all: readonly undefined[]) => {
      written.left = 0
      try {
        await (await connected()).call({ ...manager, member: 'Reload' })
      } catch (error) {
        throw told('systemd', error)
      }
      return all
    },
    () => written.left > 0 && performance.now() - written.since < writtenWithinMs,
  )

  const verify = gather(5, async (asked: readonly Parameters<ServiceManager['verify']>[]) => {
    const bus = await connected()
    version ??= versionOf(bus)
    const candidates = await Promise.all(
      asked.map(async ([name, texts]) => {
        if (texts.unit !== undefined) return { name, ...texts, present: undefined }
        const { unit } = await propertiesOf(bus, name)
        const path = typeof unit.FragmentPath === 'string' ? unit.FragmentPath : ''
        const read = path === '' ? undefined : await host.files.read(path, largestUnitFile)
        return { name, ...texts, present: read?.bytes && Buffer.from(read.bytes).toString() }
      }),
    )
    const of = await version
    const problems = await inTurn(() => verifyUnits(host, candidates, of))
    const valid = problems.filter((problem) => problem === undefined).length
    written = { left: written.left + valid, since: performance.now() }
    return problems
  })

  let turn: Promise<unknown> = Promise.resolve()
  /** One after the other: candidates of different requests stand in the same folder. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const own = turn.then(work)
    turn = own.catch(() => undefined)
    return await own
  }

  const orThrow = async (problem: Promise<HarmonyError | undefined>): Promise<void> => {
    const error = await problem
    if (error) throw error
  }

  return {
    look: async (name, { age = false, outdated = false, signal } = {}) => {
      signal?.throwIfAborted()
      try {
        return await look({ name, age, outdated })
      } catch (error) {
        throw told(name, error)
      }
    },
    start: (name, patience = {}) => job('StartUnit', name, patience),
    async stop(name, patience = {}) {
      try {
        await job('StopUnit', name, patience)
      } catch (error) {
        if (!isNamed(error, `${systemd}.NoSuchUnit`)) throw error
      }
      started.delete(name)
    },
    restart: (name, patience = {}) => job('RestartUnit', name, patience),
    reloadOrRestart: (name, patience = {}) => job('ReloadOrRestartUnit', name, patience),
    enable: (name) => orThrow(enable(name)),
    disable: (name) => orThrow(disable(name)),
    mask: (name) => orThrow(mask(name)),
    unmask: (name) => orThrow(unmask(name)),
    async resetFailed(name) {
      try {
        const bus = await connected()
        await bus.call({ ...manager, member: 'ResetFailedUnit', signature: 's', body: [name] })
      } catch (error) {
        if (!isNamed(error, `${systemd}.NoSuchUnit`)) throw told(name, error)
      }
    },
    verify: (name, texts, signal) => orThrow(verify([name, texts, signal])),
    async reloadManager() {
      written.left--
      await reload(undefined)
    },
    journal,
    cleanUp: () => inTurn(() => removeCandidates(host)),
    async close() {
      const bus = await opened?.catch(() => undefined)
      opened = undefined
      bus?.close()
    },
  }
}

async function versionOf(bus: Bus): Promise<number> {
  const version = await bus.get(systemd, manager.path, manager.interface, 'Version')
  return Number.parseInt(String(version).replace(/^\D*/, ''), 10) || 0
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof HarmonyError && error.data.dbusError === name
}
