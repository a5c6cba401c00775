/**
 * The capability `services` in memory, over the simulated disk: unit files are read from where systemd reads them, and
 * only when the manager is told to. A test says how a service behaves (slow to start, crashing); time is the virtual
 * clock's. Every call that writes passes through the faults.
 */
import type { JobPatience, ServiceManager, UnitState, UnitTexts } from '../capabilities/services.ts'
import type { Clock } from '../engine/contract.ts'
import { HarmonyError } from '../errors.ts'
import type { Faults, Progress } from './faults.ts'
import type { SimulatedDisk, Snapshot } from './simulated-disk.ts'

/** How a service behaves once it is started. What is left out: it starts at once and runs for ever. */
export interface ServiceBehaviour {
  /** In milliseconds: for so long it is `activating`. */
  readonly startMs?: number
  /** In milliseconds after the start: then its main process ends with `exit`. */
  readonly endMs?: number
  /** Exit status of its main process, for one that ends. Default 0 for a oneshot, 1 otherwise. */
  readonly exit?: number
  /** What it writes to its journal with every start. */
  readonly says?: readonly string[]
}

/** What an operator does to a unit behind Harmony's back. */
export type OperatorDeed =
  | 'start'
  | 'stop'
  | 'restart'
  | 'enable'
  | 'disable'
  | 'mask'
  | 'unmask'
  | 'reload-manager'

interface Files {
  readonly fragment: string
  readonly text: string
  readonly dropIns: readonly string[]
  /** Changes whenever one of them is written. */
  readonly stamp: string
}

interface Unit {
  loaded: Files | undefined
  active: 'inactive' | 'active' | 'activating' | 'failed'
  sub: string
  since: number | undefined
  invocation: number | undefined
  restarts: number
  result: string
  exit: number | undefined
  /** What happens by itself next, and when. */
  next: { readonly at: number; readonly happens: (at: number) => void } | undefined
  startedWith: string | undefined
  readonly journal: string[]
}

const folders = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system']
const restartMs = 100
const startLimit = 5
// As long after a start by Harmony a restart counts as a crash loop.
const watchedMs = 60_000

/** {@link ServiceManager} in memory. */
export class SimulatedServices implements ServiceManager {
  /** How often the files of units were read again. */
  reloads = 0
  readonly #disk: SimulatedDisk
  readonly #faults: Faults
  readonly #clock: Clock
  readonly #units = new Map<string, Unit>()
  readonly #enabled = new Set<string>()
  readonly #masked = new Set<string>()
  readonly #behaviours = new Map<string, ServiceBehaviour>()
  readonly #started = new Map<string, number>()
  #invocations = 0

  constructor(disk: SimulatedDisk, faults: Faults, clock: Clock) {
    this.#disk = disk
    this.#faults = faults
    this.#clock = clock
    faults.onKill(() => this.#started.clear())
  }

  /** Puts a unit there as a package does. The folder for units of an administrator is made as well. */
  install(name: string, text: string): void {
    this.#disk.makeDirectory('/etc/systemd/system')
    this.#disk.write(`/usr/lib/systemd/system/${name}`, text)
    this.#readAgain()
  }

  /** Says how a service behaves from its next start on. */
  behave(name: string, behaviour: ServiceBehaviour): void {
    this.#behaviours.set(name, behaviour)
  }

  /** What an operator does behind Harmony's back. */
  operate(name: string, deed: OperatorDeed): void {
    if (deed === 'reload-manager') this.#readAgain()
    else if (deed === 'enable') this.#enabled.add(name)
    else if (deed === 'disable') this.#enabled.delete(name)
    else if (deed === 'mask') this.#masked.add(name)
    else if (deed === 'unmask') this.#masked.delete(name)
    else {
      if (deed !== 'start') this.#end(this.#unit(name))
      if (deed !== 'stop') this.#begin(name)
    }
  }

  /** What there is of units that is not in files. */
  snapshot(): Snapshot {
    const names = [...new Set([...this.#units.keys(), ...this.#enabled, ...this.#masked])].sort()
    const lines = names.flatMap((name) => {
      const unit = this.#unit(name)
      const words = [
        this.#masked.has(name) && 'masked',
        this.#enabled.has(name) && 'enabled',
        unit.active !== 'inactive' && unit.active,
        this.#needsReload(name, unit) && 'not read again',
      ].filter(Boolean)
      return words.length > 0 ? [[`unit ${name}`, words.join(', ')]] : []
    })
    return Object.fromEntries(lines) as Snapshot
  }

  look(
    name: string,
    { age = false, outdated = false }: { readonly age?: boolean; readonly outdated?: boolean } = {},
  ): Promise<UnitState> {
    return this.#faults.read({ port: 'services', method: 'look', subject: name }, () => {
      const unit = this.#unit(name)
      const { loaded, active, sub, since, invocation } = unit
      const masked = this.#masked.has(name)
      const running = active === 'active'
      return {
        name,
        id: name,
        load: masked ? 'masked' : loaded ? 'loaded' : 'not-found',
        loadError: undefined,
        file: this.#fileState(name, loaded),
        active,
        sub,
        since: running ? since : undefined,
        activeMs: age && running && since !== undefined ? this.#clock.now() - since : undefined,
        invocation: invocation === undefined ? undefined : String(invocation),
        restarts: unit.restarts,
        restartsSeen: this.#restartsSeen(name, unit),
        result: unit.result,
        exitStatus: unit.exit,
        once: isOnce(loaded),
        unmet: false,
        fragment: loaded?.fragment,
        dropIns: loaded?.dropIns ?? [],
        needsReload: this.#needsReload(name, unit),
        outdated: outdated
          ? running && unit.startedWith !== (filesOf(this.#disk, name)?.stamp ?? '')
          : undefined,
      }
    })
  }

  start(name: string, patience: JobPatience = {}): Promise<void> {
    return this.#write('start', name, (progress) => this.#job(name, patience, progress))
  }

  stop(name: string): Promise<void> {
    return this.#write('stop', name, () => this.#end(this.#unit(name)))
  }

  restart(name: string, patience: JobPatience = {}): Promise<void> {
    return this.#write('restart', name, async (progress) => {
      this.#end(this.#unit(name))
      progress.within()
      await this.#job(name, patience, progress)
    })
  }

  reloadOrRestart(name: string, patience: JobPatience = {}): Promise<void> {
    return this.#write('reloadOrRestart', name, async (progress) => {
      const unit = this.#unit(name)
      if (unit.active === 'active' && /^ExecReload=/m.test(unit.loaded?.text ?? '')) {
        unit.journal.push('Reloaded.')
        return
      }
      this.#end(unit)
      await this.#job(name, patience, progress)
    })
  }

  enable(name: string): Promise<void> {
    return this.#write('enable', name, () => {
      const files = filesOf(this.#disk, name)
      if (!files) throw refused(name, 'does not exist, so it cannot be enabled')
      if (this.#masked.has(name)) throw refused(name, 'is masked, so it cannot be enabled')
      if (!/^\[Install\]/m.test(files.text)) throw refused(name, 'has no [Install] section')
      this.#enabled.add(name)
    })
  }

  disable(name: string): Promise<void> {
    return this.#write('disable', name, () => void this.#enabled.delete(name))
  }

  mask(name: string): Promise<void> {
    return this.#write('mask', name, () => {
      if (this.#disk.exists(`/etc/systemd/system/${name}`))
        throw refused(name, 'cannot be masked: its own file stands where the mask would')
      this.#masked.add(name)
    })
  }

  unmask(name: string): Promise<void> {
    return this.#write('unmask', name, () => void this.#masked.delete(name))
  }

  resetFailed(name: string): Promise<void> {
    return this.#write('resetFailed', name, () => {
      const unit = this.#unit(name)
      unit.restarts = 0
      if (unit.active === 'failed')
        Object.assign(unit, { active: 'inactive', sub: 'dead', result: 'success' })
    })
  }

  verify(name: string, { unit, dropIns = {} }: UnitTexts): Promise<void> {
    return this.#faults.read({ port: 'services', method: 'verify', subject: name }, () => {
      for (const text of [unit, ...Object.values(dropIns)])
        if (text !== undefined) for (const line of text.split('\n')) verifyLine(name, line)
    })
  }

  reloadManager(): Promise<void> {
    return this.#write('reloadManager', '', () => this.#readAgain())
  }

  journal(name: string, lines: number): Promise<readonly string[]> {
    return this.#faults.read({ port: 'services', method: 'journal', subject: name }, () =>
      this.#unit(name).journal.slice(-lines),
    )
  }

  cleanUp(name: string): Promise<void> {
    return this.#write('cleanUp', name, () => undefined)
  }

  #write<T>(method: string, name: string, work: (progress: Progress) => T | Promise<T>): Promise<T> {
    return this.#faults.write({ port: 'services', method, subject: name }, work)
  }

  /** A unit as it is by now. */
  #unit(name: string): Unit {
    const known = this.#units.get(name)
    const unit = known ?? newUnit()
    if (!known) this.#units.set(name, unit)
    unit.loaded ??= filesOf(this.#disk, name)
    for (let { next } = unit; next && next.at <= this.#clock.now(); { next } = unit) {
      unit.next = undefined
      next.happens(next.at)
    }
    // What nobody refers to any more is forgotten, with what became of it.
    if (unit.active === 'inactive' && !this.#enabled.has(name)) unit.invocation = undefined
    return unit
  }

  async #job(name: string, { patienceMs = 2000, signal }: JobPatience, { alive }: Progress): Promise<void> {
    const unit = this.#unit(name)
    if (unit.active !== 'active') {
      if (!unit.loaded) throw refused(name, 'does not exist, so it cannot be started')
      if (this.#masked.has(name)) throw refused(name, 'is masked, so it cannot be started')
      if (unit.active !== 'activating') this.#begin(name)
      this.#started.set(name, this.#clock.now())
      const wait = Math.min(patienceMs, (unit.next?.at ?? 0) - this.#clock.now())
      if (unit.active === 'activating' && wait > 0) await this.#clock.sleep(wait, signal)
      alive()
    }
    const { active, result, journal } = this.#unit(name)
    if (active !== 'failed') return
    throw new HarmonyError(
      'command-failed',
      [`${name} failed: ${result}`, ...journal.slice(-10)].join('\n'),
      {
        hint: 'see what the lines above say, and apply again',
        data: { unit: name, result },
      },
    )
  }

  #begin(name: string, now: number = this.#clock.now()): void {
    const unit = this.#units.get(name) ?? this.#unit(name)
    const { startMs = 0, endMs, exit, says = [] } = this.#behaviours.get(name) ?? {}
    const type = /^Type=(\S+)/m.exec(unit.loaded?.text ?? '')?.[1]
    unit.invocation = ++this.#invocations
    unit.startedWith = unit.loaded?.stamp
    unit.exit = undefined
    unit.result = 'success'
    unit.journal.push(...says)
    if (type === 'oneshot') {
      Object.assign(unit, { active: 'activating', sub: 'start' })
      const ended = (at: number) => this.#ended(name, exit ?? 0, at)
      if (startMs === 0) ended(now)
      else unit.next = { at: now + startMs, happens: ended }
      return
    }
    const ready = () => {
      const sub = name.endsWith('.timer') ? 'waiting' : 'running'
      Object.assign(unit, { active: 'active', sub, since: now + startMs })
      if (endMs !== undefined)
        unit.next = { at: now + startMs + endMs, happens: (at) => this.#ended(name, exit ?? 1, at) }
    }
    Object.assign(unit, { active: 'activating', sub: 'start' })
    if (startMs === 0) ready()
    else unit.next = { at: now + startMs, happens: ready }
  }

  /** Its main process has ended. */
  #ended(name: string, exit: number, now: number): void {
    const unit = this.#units.get(name) ?? newUnit()
    const text = unit.loaded?.text ?? ''
    const well = exit === 0
    Object.assign(unit, { exit, result: well ? 'success' : 'exit-code' })
    if (/^Restart=always/m.test(text) || (!well && /^Restart=on-failure/m.test(text))) {
      if (unit.restarts >= startLimit) {
        Object.assign(unit, { active: 'failed', sub: 'failed', result: 'start-limit-hit' })
        return
      }
      Object.assign(unit, { active: 'activating', sub: 'auto-restart' })
      const happens = (at: number) => {
        unit.restarts++
        this.#begin(name, at)
      }
      unit.next = { at: now + restartMs, happens }
      return
    }
    if (well && /^RemainAfterExit=(?:yes|true|1)/m.test(text))
      Object.assign(unit, { active: 'active', sub: 'exited', since: now })
    else Object.assign(unit, well ? { active: 'inactive', sub: 'dead' } : { active: 'failed', sub: 'failed' })
  }

  #end(unit: Unit): void {
    if (unit.active === 'failed') return
    Object.assign(unit, { active: 'inactive', sub: 'dead', next: undefined, restarts: 0 })
  }

  #readAgain(): void {
    this.reloads++
    for (const [name, unit] of this.#units) unit.loaded = filesOf(this.#disk, name)
  }

  #needsReload(name: string, { loaded }: Unit): boolean {
    return loaded !== undefined && loaded.stamp !== filesOf(this.#disk, name)?.stamp
  }

  #fileState(name: string, loaded: Files | undefined): string {
    if (this.#masked.has(name)) return 'masked'
    if (!loaded && !filesOf(this.#disk, name)) return ''
    if (this.#enabled.has(name)) return 'enabled'
    return /^\[Install\]/m.test(loaded?.text ?? '') ? 'disabled' : 'static'
  }

  #restartsSeen(name: string, { restarts }: Unit): number {
    const at = this.#started.get(name)
    if (at === undefined) return 0
    if (this.#clock.now() - at <= watchedMs) return restarts
    this.#started.delete(name)
    return 0
  }
}

function newUnit(): Unit {
  return {
    loaded: undefined,
    active: 'inactive',
    sub: 'dead',
    since: undefined,
    invocation: undefined,
    restarts: 0,
    result: 'success',
    exit: undefined,
    next: undefined,
    startedWith: undefined,
    journal: [],
  }
}

function filesOf(disk: SimulatedDisk, name: string): Files | undefined {
  const template = name.replace(/@[^.]*/, '@')
  const fragment = [name, template]
    .flatMap((each) => folders.map((folder) => `${folder}/${each}`))
    .find((path) => disk.read(path) !== undefined)
  if (fragment === undefined) return undefined
  const dropIns = folders.flatMap((folder) =>
    disk
      .paths(`${folder}/${name}.d`)
      .filter((path) => path.endsWith('.conf') && disk.read(path) !== undefined),
  )
  const paths = [fragment, ...dropIns]
  const stamps = paths.map((path) => {
    const { node } = disk.locate(path)
    return `${path} ${node?.ino} ${node?.version}`
  })
  return {
    fragment,
    text: paths.map((path) => disk.read(path)).join('\n'),
    dropIns,
    stamp: stamps.join('\n'),
  }
}

function isOnce(files: Files | undefined): boolean {
  const text = files?.text ?? ''
  return /^Type=oneshot/m.test(text) && !/^RemainAfterExit=(?:yes|true|1)/m.test(text)
}

function refused(name: string, why: string): HarmonyError {
  return new HarmonyError('refused', `${name} ${why}`, { data: { unit: name } })
}

/** What a service manager has against a line of a unit file, as far as it needs no knowledge of its keys. */
function verifyLine(name: string, line: string): void {
  const text = line.trim()
  if (text === '' || /^[#;]/.test(text) || /^\[[A-Z][A-Za-z-]*\]$/.test(text)) return
  if (!/^[A-Za-z][A-Za-z0-9-]*\s*=/.test(text))
    throw refused(name, `is not valid: ${JSON.stringify(text)} is neither a section nor a key with its value`)
  const command = /^Exec[A-Za-z]*\s*=\s*[-@:+!|]*(.*)$/.exec(text)?.[1]
  if (command !== undefined && command !== '' && !command.startsWith('/'))
    throw refused(name, `is not valid: ${JSON.stringify(command)} is no absolute path of a program`)
}
