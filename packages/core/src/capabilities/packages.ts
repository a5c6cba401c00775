/**
 * The capability to install and remove software packages by a host's package manager. It speaks of packages as package
 * managers do: a name, a version, what was asked for and what came along with it. A Debian-like host offers it, an
 * in-memory host does too.
 */
import { type Capability, capability } from '../capability.ts'

/** A package as it is. */
export interface PackageState {
  /** As it was asked for. */
  readonly name: string
  /**
   * `configuration`: removed, and its configuration was left; `broken`: a change of it was begun and not completed.
   */
  readonly status: 'absent' | 'configuration' | 'broken' | 'installed'
  /** The package manager's own word for that: `half-configured`. */
  readonly word: string
  /** Of what is there. */
  readonly version: string | undefined
  /** Kept as it is by whoever upgrades the host. */
  readonly held: boolean
  /** Nobody asked for it: it came along with another one, and may go when nothing needs it any more. */
  readonly automatic: boolean
}

/** What every change of packages may be given. */
export interface PackageWork {
  readonly signal?: AbortSignal | undefined
  /** Told what is being done, or waited for. */
  readonly progress?: ((message: string) => void) | undefined
}

/** How a package is installed. */
export interface PackageInstallation extends PackageWork {
  /** Exactly this one, newer or older than what is there. Default: what is there, or else the host's choice. */
  readonly version?: string | undefined
  /** Whether packages come along that it recommends but can do without. Default: as the host is configured. */
  readonly recommends?: boolean | undefined
  /** What becomes of a configuration file that was edited and that the new version changes too. Default `keep`. */
  readonly configuration?: 'keep' | 'replace' | undefined
  /** It was there before Harmony changed anything, and is put back: {@link PackageManager.withdraw} will leave it. */
  readonly putBack?: boolean | undefined
}

/** How a package is removed. */
export interface PackageRemoval extends PackageWork {
  /** Its configuration and its data go too. */
  readonly purge?: boolean | undefined
}

/** How what was installed is taken away again. */
export interface PackageWithdrawal extends PackageRemoval {
  /** That it is held was Harmony's doing too. Default false: then a hold is somebody's word against it. */
  readonly held?: boolean | undefined
}

/**
 * The packages of one host. What many ask for at the same time is one request: a hundred looks are one question, a
 * hundred packages one transaction, in which each has a result of its own. Nothing is removed, and nothing put back to an
 * older version, that was not asked for: then it is refused. A change that was killed is completed by the next one.
 * Errors are HarmonyErrors: `refused` (unknown, virtual, would take others along), `locked` when somebody else changes
 * packages for too long, `command-failed` with the words of the package manager.
 */
export interface PackageManager {
  /** Looks at a package; one that does not exist is an answer. */
  look(name: string): Promise<PackageState>
  /**
   * Installs it, with what it needs, or brings it to that version. What was not there before is remembered on the host,
   * so that {@link withdraw} can take away just that.
   */
  install(name: string, how?: PackageInstallation): Promise<void>
  /**
   * Removes it, whoever installed it; of what came along with it only that which {@link install} has brought. One that is
   * not there is removed.
   */
  remove(name: string, how?: PackageRemoval): Promise<void>
  /**
   * Takes away what {@link install} has put there, with what came along and nothing needs any more.
   * @returns false when the package was there before: then nothing is done.
   */
  withdraw(name: string, how?: PackageWithdrawal): Promise<boolean>
  /** Has it kept as it is, or lets it go. */
  setHeld(name: string, held: boolean, work?: PackageWork): Promise<void>
  /** Says whether it is there for the sake of others only. */
  setAutomatic(name: string, automatic: boolean, work?: PackageWork): Promise<void>
}

/** The capability token of {@link PackageManager}. */
export const Packages: Capability<'packages', PackageManager> = capability<PackageManager>()('packages')
