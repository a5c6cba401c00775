/**
 * The capability `packages` in memory: same semantics and messages as on a Debian-like host. An archive has any package
 * that nobody said anything about, in any version. Tests use `set` and `delete` as root would behind Harmony's back.
 */
import type {
  PackageInstallation,
  PackageManager,
  PackageRemoval,
  PackageState,
  PackageWithdrawal,
} from '../capabilities/packages.ts'
import { HarmonyError } from '../errors.ts'
import type { Faults, Progress } from './faults.ts'
import type { DiskTree, SimulatedDisk, Snapshot } from './simulated-disk.ts'

/** What the archives of the host have of one package. */
export interface ArchivedPackage {
  /** The host's choice first. None: the archives do not know it. */
  readonly versions: readonly string[]
  /** What comes along. */
  readonly depends?: readonly string[]
  /** What stands on the disk once it is installed, and goes with it. */
  readonly files?: DiskTree
  /** Users that it makes, each with a group of its name. They stay when it is removed. */
  readonly users?: readonly string[]
  /** What stays when it is removed and not purged. One that was edited is kept unless it is to be replaced. */
  readonly configuration?: Readonly<Record<string, string>>
}

/** A package on the simulated host. */
export type SimulatedPackage = Omit<PackageState, 'name' | 'word'>

const firstOfServices = 100
const usual: ArchivedPackage = { versions: ['1.0'] }
const gone: SimulatedPackage = { status: 'absent', version: undefined, held: false, automatic: false }
const words = {
  absent: 'not-installed',
  configuration: 'config-files',
  broken: 'half-configured',
  installed: 'installed',
}

/** {@link PackageManager} in memory. */
export class SimulatedPackages implements PackageManager {
  readonly #disk: SimulatedDisk
  readonly #faults: Faults
  readonly #archive = new Map<string, ArchivedPackage>()
  readonly #there = new Map<string, SimulatedPackage>()
  /** What Harmony has installed: asked for, and whether its configuration was there before. */
  readonly #asked = new Map<string, { readonly configuration: boolean }>()
  readonly #along = new Set<string>()

  constructor(disk: SimulatedDisk, faults: Faults) {
    this.#disk = disk
    this.#faults = faults
  }

  /** Says what the archives have of a package. */
  offer(name: string, archived: ArchivedPackage): void {
    this.#archive.set(name, archived)
  }

  /** Installs a package or changes what is named, behind Harmony's back. */
  set(name: string, { status = 'installed', ...more }: Partial<SimulatedPackage> = {}): void {
    const before = this.#there.get(name) ?? gone
    const version = before.version ?? this.#archived(name).versions[0]
    this.#there.set(name, { ...before, version, ...more, status })
    if (status !== 'installed') return
    const { files = {}, users = [] } = this.#archived(name)
    this.#disk.add(files)
    for (const user of users) this.#makeUser(user)
  }

  /** Purges a package. */
  delete(name: string): void {
    this.#takeAway(name, true)
  }

  /** Every package in a line. */
  snapshot(): Snapshot {
    const lines: Record<string, string> = {}
    for (const [name, { status, version, held, automatic }] of this.#there)
      lines[`package ${name}`] = [status, version, held && 'held', automatic && 'automatic']
        .filter(Boolean)
        .join(' ')
    return lines
  }

  /** What Harmony remembers on the host of what it has installed. */
  get remembered(): readonly string[] {
    return [...this.#asked.keys(), ...this.#along].map((name) => `package ${name}`)
  }

  look(name: string): Promise<PackageState> {
    return this.#faults.read({ port: 'packages', method: 'look', subject: name }, () => {
      const state = this.#there.get(name) ?? gone
      return { ...state, name, word: words[state.status] }
    })
  }

  install(
    name: string,
    { version, configuration, putBack = false }: PackageInstallation = {},
  ): Promise<void> {
    return this.#write('install', name, ({ within }) => {
      const { versions, depends = [] } = this.#archived(name)
      const known = this.#archive.has(name)
      if (known && versions.length === 0)
        throw new HarmonyError('refused', `no archive of the host has a package ${name}`, {
          hint: 'see how it is spelt, or give the host the archive that has it',
          data: { package: name },
        })
      if (known && version !== undefined && !versions.includes(version))
        throw new HarmonyError(
          'refused',
          `${name} is not to be had in version ${version}; there is ${versions.join(', ')}`,
          {
            hint: 'name one of those, or give the host an archive that has the other',
            data: { package: name, versions },
          },
        )
      const now = this.#there.get(name) ?? gone
      const wanted = version ?? now.version ?? versions[0]
      if (now.status === 'installed' && now.version === wanted) return
      const fresh = now.status === 'absent' || now.status === 'configuration'
      const missing = depends.filter((each) => (this.#there.get(each) ?? gone).status !== 'installed')
      if (fresh && !putBack && !this.#asked.has(name))
        this.#asked.set(name, { configuration: now.status === 'configuration' })
      if (!putBack) for (const each of missing) this.#along.add(each)
      within()
      for (const each of missing) this.set(each, { automatic: true })
      within()
      this.#there.set(name, { ...now, status: 'broken', version: wanted, automatic: false })
      within()
      this.#configure(name, configuration === 'replace')
      this.set(name, { version: wanted })
      this.#forgetGone()
    })
  }

  remove(name: string, { purge = false }: PackageRemoval = {}): Promise<void> {
    return this.#write('remove', name, ({ within }) => {
      this.#refuseNeeded(name)
      this.#takeAway(name, purge)
      within()
      this.#takeAlong(purge)
      this.#forgetGone()
    })
  }

  async withdraw(name: string, { purge = false, held = false }: PackageWithdrawal = {}): Promise<boolean> {
    const ours = await this.#faults.read({ port: 'packages', method: 'withdraw', subject: name }, () =>
      this.#asked.get(name),
    )
    if (!ours) return false
    await this.#write('withdraw', name, ({ within }) => {
      this.#refuseNeeded(name)
      const now = this.#there.get(name) ?? gone
      if (now.held && !held)
        throw new HarmonyError('command-failed', `removing ${name}: it would change a package that is held`)
      this.#takeAway(name, purge && !ours.configuration)
      within()
      this.#takeAlong(purge)
      this.#forgetGone()
    })
    return true
  }

  setHeld(name: string, held: boolean): Promise<void> {
    return this.#write('setHeld', name, () =>
      this.set(name, { held, status: this.#there.get(name)?.status ?? 'absent' }),
    )
  }

  setAutomatic(name: string, automatic: boolean): Promise<void> {
    return this.#write('setAutomatic', name, () => {
      this.set(name, { automatic })
      if (automatic && this.#along.has(name)) this.#takeAlong(false)
    })
  }

  #write<T>(method: string, name: string, work: (progress: Progress) => T | Promise<T>): Promise<T> {
    return this.#faults.write({ port: 'packages', method, subject: name }, work)
  }

  #archived(name: string): ArchivedPackage {
    return this.#archive.get(name) ?? usual
  }

  #configure(name: string, replace: boolean): void {
    for (const [path, text] of Object.entries(this.#archived(name).configuration ?? {}))
      if (replace || !this.#disk.exists(path)) this.#disk.write(path, text)
  }

  #makeUser(name: string): void {
    const { users, groups } = this.#disk
    let id = firstOfServices
    while ([...users.values(), ...groups.values()].includes(id)) id++
    if (!users.has(name)) users.set(name, id)
    if (!groups.has(name)) groups.set(name, id)
  }

  #takeAway(name: string, purge: boolean): void {
    const { files = {}, configuration = {} } = this.#archived(name)
    const now = this.#there.get(name)
    if (!now) return
    for (const path of Object.keys(files)) if (this.#disk.exists(path)) this.#disk.remove(path)
    if (!purge && Object.keys(configuration).length > 0) {
      this.#there.set(name, { ...gone, status: 'configuration' })
      return
    }
    for (const path of Object.keys(configuration)) if (this.#disk.exists(path)) this.#disk.remove(path)
    this.#there.delete(name)
  }

  /** What came along, and nothing that is there for its own sake needs any more. */
  #takeAlong(purge: boolean): void {
    const needed = new Set<string>()
    const open = [...this.#there]
      .filter(([, { automatic, version }]) => !automatic && version)
      .map(([name]) => name)
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (needed.has(name)) continue
      needed.add(name)
      open.push(...(this.#archived(name).depends ?? []))
    }
    for (const name of this.#along) if (!needed.has(name)) this.#takeAway(name, purge)
  }

  #forgetGone(): void {
    const isGone = (name: string) => (this.#there.get(name) ?? gone).version === undefined
    for (const name of this.#asked.keys()) if (isGone(name)) this.#asked.delete(name)
    for (const name of this.#along) if (isGone(name)) this.#along.delete(name)
  }

  #refuseNeeded(name: string): void {
    const others = [...this.#there].flatMap(([each, { status }]) =>
      each !== name &&
      status === 'installed' &&
      this.#archived(each).depends?.includes(name) &&
      !this.#asked.has(each)
        ? [each]
        : [],
    )
    if (others.length === 0 || (this.#there.get(name) ?? gone).version === undefined) return
    throw new HarmonyError(
      'refused',
      `removing ${name} would also remove ${others.join(', ')}, which nobody has asked for`,
      {
        hint: "they depend on it: remove them first, or say ensure: 'absent' for them too",
        data: { removes: others },
      },
    )
  }
}
