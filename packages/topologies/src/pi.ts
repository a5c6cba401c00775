/** A Raspberry Pi, or any Linux machine like it: this one, or one that is reached over SSH. */
import type { StateHome, Topology } from '@harmony-iac/core'
import type {
  ContainerRuntime,
  FileSystem,
  PackageManager,
  ServiceManager,
  Shell,
  SystemSettings,
  UserAccounts,
} from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { localHost } from './hosts/local.ts'
import { thisMachine } from './hosts/this-machine.ts'
import { type LinuxContainers, linuxContainers } from './linux/containers/containers.ts'
import { linuxFiles } from './linux/files.ts'
import { hostHome, keptFolder, stateFolder } from './linux/home.ts'
import { joinPath } from './linux/names.ts'
import { linuxPackages } from './linux/packages/packages.ts'
import { type LinuxServices, linuxServices } from './linux/services/services.ts'
import { linuxShell } from './linux/shell.ts'
import { linuxSystem } from './linux/system/system.ts'
import { linuxUsers } from './linux/users.ts'
import type { If, WithShell } from './local.ts'

/** Options of {@link PiTopology}. */
export interface PiOptions<S extends boolean = boolean> {
  /** Unique within a project. Default: the name of the host. */
  readonly name?: string | undefined
  /** Default: this machine. */
  readonly host?: Host | undefined
  /** How long others may change packages (unattended upgrades, a person) before that is an error. Default 5 min. */
  readonly packageLockWaitMs?: number | undefined
  /** Offers `shell` too, so that a `ShellJob` compiles here. Default false. */
  readonly shell?: S
}

/**
 * A Linux device. Nothing has to be installed on it; its ledger is kept on it.
 * @example
 * const kiosk = new PiTopology({ host: ssh('pi@kiosk.local') })
 * export default defineProject({ name: 'kiosk', deployments: [deploy(kiosk, [File({ path: '/srv/motd', content: 'Hello\n' })])] })
 */
export interface PiTopology extends Topology {
  readonly containers: ContainerRuntime
  /** The machine itself: for tools that look at it. */
  readonly host: Host
  readonly files: FileSystem
  readonly packages: PackageManager
  readonly services: ServiceManager
  readonly system: SystemSettings
  readonly users: UserAccounts
}

/** Makes a {@link PiTopology}; connects to nothing yet. */
export const PiTopology: new <S extends boolean = false>(
  options?: PiOptions<S>,
) => PiTopology & If<S, WithShell> = class implements PiTopology {
  readonly name: string
  readonly containers: LinuxContainers
  readonly files: FileSystem
  readonly packages: PackageManager
  readonly services: LinuxServices
  readonly system: SystemSettings
  readonly users: UserAccounts
  declare readonly shell?: Shell
  readonly host: Host
  #home: StateHome | undefined

  constructor({ host = localHost(), name, shell = false, packageLockWaitMs }: PiOptions = {}) {
    this.name = name ?? (host.name === thisMachine ? 'local' : host.name)
    this.host = host
    this.files = linuxFiles(host, {
      keepFolder: async () => joinPath(stateFolder(await host.facts()), keptFolder),
    })
    this.packages = linuxPackages(host, {
      stateFolder: async () => stateFolder(await host.facts()),
      lockWaitMs: packageLockWaitMs,
    })
    this.containers = linuxContainers(host)
    this.services = linuxServices(host)
    this.system = linuxSystem(host, this.files)
    this.users = linuxUsers(host, this.files)
    if (shell) this.shell = linuxShell(host)
  }

  /** Known once it is open: where the ledger is depends on who logs in there. */
  get home(): StateHome | undefined {
    return this.#home
  }

  async open(): Promise<void> {
    this.#home ??= hostHome(this.host, await this.host.facts())
  }

  async close(): Promise<void> {
    await Promise.all([this.services.close(), this.containers.close()])
    await this.host.close()
  }
} as never
