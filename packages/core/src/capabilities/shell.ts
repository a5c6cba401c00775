/**
 * The capability to run programs: the labelled escape hatch. A topology offers it only when constructed to, so that a
 * `ShellJob` does not compile elsewhere.
 */
import { type Capability, capability } from '../capability.ts'

/** How a job is run. */
export interface JobOptions {
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly stdin?: string | undefined
  /** In milliseconds; then the whole process group gets SIGTERM, and SIGKILL 5 s later. */
  readonly timeoutMs?: number | undefined
  /** Of each stream the last so many bytes are kept. */
  readonly outputLimit?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onOutput?: ((stream: 'stdout' | 'stderr', text: string) => void) | undefined
}

/** How a job ended. */
export interface JobResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  readonly truncated: boolean
  /** In milliseconds. */
  readonly durationMs: number
}

/** Runs programs on a host. */
export interface Shell {
  /**
   * Runs a program with its arguments; no shell is involved.
   * @throws HarmonyError `command-failed` when it cannot be started, `interrupted` when the signal aborts.
   */
  run(argv: readonly [string, ...string[]], options?: JobOptions): Promise<JobResult>
  /** Runs a script with `/bin/sh -e`; the script is passed on standard input's place as one argument, never re-quoted. */
  script(text: string, options?: JobOptions): Promise<JobResult>
  /** Whether something exists at a path, for the guard `creates`. */
  exists(path: string): Promise<boolean>
}

/** The capability token of {@link Shell}. */
export const ShellAccess: Capability<'shell', Shell> = capability<Shell>()('shell')
