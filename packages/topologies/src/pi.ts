/** A Raspberry Pi, or any Linux machine like it: this one, or one that is reached over SSH. */
import type { StateHome, Topology } from '@harmony-iac/core'
import type { FileSystem, ServiceManager, Shell, UserAccounts } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { localHost } from './hosts/local.ts'
import { thisMachine } from './hosts/this-machine.ts'
import { linuxFiles } from './linux/files.ts'
import { hostHome, keptFolder, stateFolder } from './linux/home.ts'
import { joinPath } from './linux/names.ts'
import { type LinuxServices, linuxServices } from './linux/services/services.ts'
import { linuxShell } from './linux/shell.ts'
import { linuxUsers } from './linux/users.ts'
import type { If, WithShell } from './local.ts'

/** Options of {@link PiTopology}. */
export interface PiOptions<S extends boolean = boolean> {
  /** Unique within a project. Default: the name of the host. */
  readonly name?: string | undefined
  /** Default: this machine. */
  readonly host?: Host | undefined
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
  /** The machine itself: for tools that look at it. */
  readonly host: Host
  readonly files: FileSystem
  readonly services: ServiceManager
  readonly users: UserAccounts
}

/** Makes a {@link PiTopology}; connects to nothing yet. */
export const PiTopology: new <S extends boolean = false>(
  options?: PiOptions<S>,
) => PiTopology & If<S, WithShell> = class implements PiTopology {
  readonly name: string
  readonly files: FileSystem
  readonly services: LinuxServices
  readonly users: UserAccounts
  declare readonly shell?: Shell
  readonly host: Host
  #home: StateHome | undefined

  constructor({ host = localHost(), name, shell = false }: PiOptions = {}) {
    this.name = name ?? (host.name === thisMachine ? 'local' : host.name)
    this.host = host
    this.files = linuxFiles(host, {
      keepFolder: async () => joinPath(stateFolder(await host.facts()), keptFolder),
    })
    this.services = linuxServices(host)
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
    await this.services.close()
    await this.host.close()
  }
} as never
