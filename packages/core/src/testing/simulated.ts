/** A host in memory: everything a Score can do to a place, with a disk to look at and faults to inject. */

import type { Files } from '../capabilities/files.ts'
import type { Packages } from '../capabilities/packages.ts'
import type { Services } from '../capabilities/services.ts'
import type { ShellAccess } from '../capabilities/shell.ts'
import type { System } from '../capabilities/system.ts'
import type { Users } from '../capabilities/users.ts'
import type { Needs } from '../capability.ts'
import { Faults, type WriteCall } from './faults.ts'
import { MemoryHome } from './memory-home.ts'
import { type DiskTree, SimulatedDisk, type Snapshot } from './simulated-disk.ts'
import { SimulatedFiles } from './simulated-files.ts'
import { SimulatedPackages } from './simulated-packages.ts'
import { SimulatedServices } from './simulated-services.ts'
import { SimulatedShell } from './simulated-shell.ts'
import { SimulatedSystem } from './simulated-system.ts'
import { SimulatedUsers } from './simulated-users.ts'
import type { Stage } from './stage.ts'
import { VirtualClock } from './virtual-clock.ts'

/** How a {@link SimulatedTopology} is made. */
export interface SimulatedOptions {
  /** Default `simulated`. */
  readonly name?: string
  /** What is on the disk from the start, beside the usual folders (`/etc`, `/srv`, …). */
  readonly files?: DiskTree
  /** Users and groups beside `root`, `www-data` and `nobody`, each a group of the same name and number. */
  readonly users?: Readonly<Record<string, number>>
}

/**
 * A place that offers `files`, `packages`, `services`, `shell`, `system` and `users`, and keeps its ledger, all in memory.
 * For tests of projects, of kinds of Score and of the engine itself.
 *
 * @example
 * const here = new SimulatedTopology({ files: { '/etc/motd': 'hello\n' } })
 * here.disk.write('/etc/motd', 'tampered\n')
 * here.faults.killAt(3, 'after')
 */
export class SimulatedTopology
  implements
    Stage,
    Needs<[typeof Files, typeof Packages, typeof Services, typeof ShellAccess, typeof System, typeof Users]>
{
  readonly name: string
  /** What a person with root access sees and does, behind Harmony's back. */
  readonly disk: SimulatedDisk
  readonly faults: Faults = new Faults()
  readonly clock: VirtualClock = new VirtualClock()
  readonly files: SimulatedFiles
  /** With methods that do what root would behind Harmony's back. */
  readonly packages: SimulatedPackages
  readonly services: SimulatedServices
  readonly shell: SimulatedShell
  /** Likewise. */
  readonly system: SimulatedSystem
  /** With methods that do what root would behind Harmony's back. */
  readonly users: SimulatedUsers
  readonly home: MemoryHome

  constructor({ name = 'simulated', files = {}, users = {} }: SimulatedOptions = {}) {
    this.name = name
    this.disk = new SimulatedDisk()
    for (const [user, id] of Object.entries(users)) {
      this.disk.users.set(user, id)
      this.disk.groups.set(user, id)
    }
    this.disk.add(files)
    this.shell = new SimulatedShell(this.disk, this.faults)
    this.files = new SimulatedFiles(this.disk, this.faults, (argv, signal) => this.shell.check(argv, signal))
    this.users = new SimulatedUsers(this.disk, this.faults, this.files)
    this.packages = new SimulatedPackages(this.disk, this.faults)
    this.services = new SimulatedServices(this.disk, this.faults, this.clock)
    this.system = new SimulatedSystem(this.files, this.faults)
    this.home = new MemoryHome({ name, faults: this.faults, clock: this.clock })
  }

  /** Every call that wrote, in order. */
  get writes(): readonly WriteCall[] {
    return this.faults.writes
  }

  /** What is there, times and identities aside: equal snapshots mean equal places. */
  snapshot(): Snapshot {
    return {
      ...this.disk.snapshot(),
      ...this.packages.snapshot(),
      ...this.services.snapshot(),
      ...this.system.snapshot(),
      ...this.users.snapshot(),
    }
  }

  /** What Harmony keeps for itself: files of the ledger, copies of what was adopted. */
  residue(): readonly string[] {
    return [...this.home.stored.keys(), ...this.files.kept, ...this.packages.remembered]
  }

  /** A new process after a kill: everything is as it was left, and calls come through again. */
  restart(): void {
    this.faults.restart()
  }
}
