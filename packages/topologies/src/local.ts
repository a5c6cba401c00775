/** This machine as a topology: its files, and programs only when asked for. */
import type { StateHome, Topology } from '@harmony-iac/core'
import type { FileSystem, Shell } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { localFacts, localHost } from './hosts/local.ts'
import { linuxFiles } from './linux/files.ts'
import { hostHome, keptFolder } from './linux/home.ts'
import { joinPath } from './linux/names.ts'
import { linuxShell } from './linux/shell.ts'

/** Options of {@link LocalTopology}. */
export interface LocalOptions<S extends boolean = boolean> {
  /** Unique within a project. Default `local`. */
  readonly name?: string | undefined
  /** Offers `shell` too, so that a `ShellJob` compiles here. Default false. */
  readonly shell?: S
  /** What stands in for this machine: for tests that inject faults. */
  readonly host?: Host | undefined
}

/**
 * This machine. Works unprivileged too: then on what the user may change, with the ledger in the user's state folder.
 * @example
 * const here = new LocalTopology()
 * export default defineProject({ name: 'site', deployments: [deploy(here, [Directory({ path: '/srv/site' })])] })
 */
export interface LocalTopology extends Topology {
  /** The machine itself: for tools that look at it. */
  readonly host: Host
  readonly files: FileSystem
  readonly home: StateHome
}

/** What a topology offers beside its own when constructed with `shell: true`. */
export interface WithShell {
  readonly shell: Shell
}

/** `Offer` where an option is the literal `true`; otherwise nothing. */
export type If<On, Offer> = [On] extends [true] ? Offer : unknown

/** Makes a {@link LocalTopology}; does nothing on the machine yet. */
export const LocalTopology: new <S extends boolean = false>(
  options?: LocalOptions<S>,
) => LocalTopology & If<S, WithShell> = class {
  readonly name: string
  readonly files: FileSystem
  readonly home: StateHome
  declare readonly shell?: Shell
  readonly host: Host

  constructor(options: LocalOptions = {}) {
    const { name = 'local', shell = false, host = localHost() } = options
    this.name = name
    this.host = host
    this.home = hostHome(host, localFacts())
    const { description } = this.home
    this.files = linuxFiles(host, { keepFolder: async () => joinPath(description, keptFolder) })
    if (shell) this.shell = linuxShell(host)
  }

  async close(): Promise<void> {
    await this.host.close()
  }
} as never
