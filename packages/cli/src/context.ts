/** What every command is given, and what it gives back. */
import type { HarmonyError } from '@harmony-iac/core/errors'
import type { Arguments } from './arguments.ts'
import type { Interrupts } from './interrupts.ts'
import type { Io } from './io.ts'
import type { Reporter, Summary } from './render/reporter.ts'

/** What a command works with. */
export interface Context {
  readonly args: Arguments
  readonly io: Io
  readonly reporter: Reporter
  readonly interrupts: Interrupts
  /** Says which project file is being run from now on, for the case that it ends the process. */
  readonly loading: (file: string | undefined) => void
  /** Tells an error and ends the process at once, from wherever it is: the last resort. */
  readonly giveUp: (error: HarmonyError) => never
}

/** How a command ended. */
export interface Ending {
  /** The exit status. */
  readonly status: number
  /** Absent for commands whose result is a document. */
  readonly summary?: Summary | undefined
}

/** A command. Each is a module of its own that exports one as `run`, imported only to be run. */
export type Run = (context: Context) => Promise<Ending>
