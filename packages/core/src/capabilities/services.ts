/**
 * The capability to run services and timers under the supervision of a host's service manager. It speaks of units, as
 * service managers do: something with a name that can be running, be wanted at boot, and be masked. A Linux host with
 * systemd offers it, an in-memory host does too.
 */
import { type Capability, capability } from '../capability.ts'

/** A unit as it is. Values that are words are those of the service manager. */
export interface UnitState {
  /** As it was asked for. */
  readonly name: string
  /** Its own name: another one when `name` is an alias. */
  readonly id: string
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly load: string
  /** What the manager has against its text, if anything. */
  readonly loadError: string | undefined
  /**
   * How its file is installed: `enabled`, `disabled`, `static`, `indirect`, `generated`, `alias`, `linked`, `transient`,
   * `masked`, some of them with `-runtime`; empty when it has none.
   */
  readonly file: string
  /** `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`. */
  readonly active: string
  /** More closely: `running`, `exited`, `waiting`, `auto-restart`, `dead`, … */
  readonly sub: string
  /** When it last became active, in milliseconds since 1970 by the host's clock. */
  readonly since: number | undefined
  /** For how long it has been active, in milliseconds. Told only if asked for. */
  readonly activeMs: number | undefined
  /** Another one for every start. */
  readonly invocation: string | undefined
  /** How often the manager has restarted it by itself. */
  readonly restarts: number
  /** The same, since this process has started it: it fails and is started again. 0 if this process has not. */
  readonly restartsSeen: number
  /** How its last run ended: `success`, `exit-code`, `signal`, `timeout`, `start-limit-hit`, … */
  readonly result: string
  /** Exit status of the main process, once it has ended. */
  readonly exitStatus: number | undefined
  /** Runs to its end instead of staying there: nothing is running of it, and nothing should be. */
  readonly once: boolean
  /** One of its conditions did not hold, so that it was not started. */
  readonly unmet: boolean
  /** The file that it was read from. */
  readonly fragment: string | undefined
  readonly dropIns: readonly string[]
  /** Its files have changed since the manager has read them. */
  readonly needsReload: boolean
  /** Its files have changed since it was started. Told only if asked for. */
  readonly outdated: boolean | undefined
}

/** The texts of a unit: its own, and those that are added to it, by the names of their files. */
export interface UnitTexts {
  /** Absent: the one that is there. */
  readonly unit?: string | undefined
  readonly dropIns?: Readonly<Record<string, string>> | undefined
}

/** How long to wait for a job. */
export interface JobPatience {
  /** In milliseconds; a job that takes longer goes on, and `look` tells how it ends. Default 2000. */
  readonly patienceMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The services of one host. Units are named with their type: `nginx.service`, `backup.timer`. What many ask for at the
 * same time is one request: a thousand looks, a hundred units to be enabled, one reload for all. Errors are
 * HarmonyErrors: `refused` for want of a right or of a unit, `unreachable` when there is no service manager.
 */
export interface ServiceManager {
  /**
   * Looks at a unit; one that does not exist is an answer. `age` and `outdated` cost a little more.
   */
  look(
    name: string,
    options?: {
      readonly age?: boolean
      readonly outdated?: boolean
      readonly signal?: AbortSignal
    },
  ): Promise<UnitState>
  /**
   * Starts it, if it is not running. Resolves when the job is done, or when patience has ended.
   * @throws HarmonyError `command-failed` with the last lines of its journal when the job has failed.
   */
  start(name: string, patience?: JobPatience): Promise<void>
  /** Stops it; one that does not exist is stopped. */
  stop(name: string, patience?: JobPatience): Promise<void>
  /** As `start`, of one that may be running. */
  restart(name: string, patience?: JobPatience): Promise<void>
  /** Makes it read its configuration again, if it can; otherwise it is restarted. */
  reloadOrRestart(name: string, patience?: JobPatience): Promise<void>
  /** Has it started at boot, or whenever its `[Install]` section says. */
  enable(name: string): Promise<void>
  disable(name: string): Promise<void>
  /** Makes it impossible to start. */
  mask(name: string): Promise<void>
  unmask(name: string): Promise<void>
  /** Forgets that it failed, and how often it was started. */
  resetFailed(name: string): Promise<void>
  /**
   * Checks the texts of a unit before they go live.
   * @throws HarmonyError `refused` with what is wrong with them.
   */
  verify(name: string, texts: UnitTexts, signal?: AbortSignal): Promise<void>
  /** Has the manager read the files of units again, once for all who ask at the same time. */
  reloadManager(): Promise<void>
  /** The last lines that it has written. Empty when they cannot be had. */
  journal(name: string, lines: number): Promise<readonly string[]>
  /** Removes what a killed `verify` may have left. */
  cleanUp(name: string): Promise<void>
}

/** The capability token of {@link ServiceManager}. */
export const Services: Capability<'services', ServiceManager> = capability<ServiceManager>()('services')
