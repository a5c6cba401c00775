/** The capability `shell` in memory: a test says what each program does. What nobody scripted succeeds silently. */
import type { JobOptions, JobResult, Shell } from '../capabilities/shell.ts'
import { HarmonyError } from '../errors.ts'
import type { Faults } from './faults.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** A program that is run. */
export interface ShellCall {
  /** Absent for a script. */
  readonly argv: readonly string[] | undefined
  readonly script: string | undefined
  readonly options: JobOptions
}

/** What a scripted program does: it may look at the disk and change it, and tells how it ended. */
export type Program = (
  call: ShellCall,
  disk: SimulatedDisk,
) => Partial<JobResult> | undefined | Promise<Partial<JobResult> | undefined>

interface Scripted {
  readonly matches: (call: ShellCall) => boolean
  readonly program: Program
  readonly reads: boolean
}

const well: JobResult = {
  exitCode: 0,
  signal: null,
  timedOut: false,
  stdout: '',
  stderr: '',
  truncated: false,
  durationMs: 1,
}

/** {@link Shell} in memory. */
export class SimulatedShell implements Shell {
  readonly #disk: SimulatedDisk
  readonly #faults: Faults
  readonly #scripted: Scripted[] = []
  readonly #calls: ShellCall[] = []

  constructor(disk: SimulatedDisk, faults: Faults) {
    this.#disk = disk
    this.#faults = faults
  }

  /** Every program that was run, guards included. */
  get calls(): readonly ShellCall[] {
    return this.#calls
  }

  /**
   * Says what a program does: by its first word, by the whole text of a script, or by a test of your own. The latest
   * that matches counts. `reads`: it only reads, so a plan may run it.
   */
  on(
    what: string | ((call: ShellCall) => boolean),
    program: Program,
    { reads = false }: { readonly reads?: boolean } = {},
  ): this {
    const matches =
      typeof what === 'string' ? ({ argv, script }: ShellCall) => (argv ? argv[0] : script) === what : what
    this.#scripted.unshift({ matches, program, reads })
    return this
  }

  run(argv: readonly [string, ...string[]], options: JobOptions = {}): Promise<JobResult> {
    return this.#start('run', argv[0], { argv, script: undefined, options })
  }

  script(text: string, options: JobOptions = {}): Promise<JobResult> {
    return this.#start('script', text, { argv: undefined, script: text, options })
  }

  exists(path: string): Promise<boolean> {
    return this.#faults.read({ port: 'shell', method: 'exists', subject: path }, () =>
      this.#disk.exists(path),
    )
  }

  /** Runs the program of a `validate`, which is part of the write that it guards. */
  async check(argv: readonly string[], signal: AbortSignal | undefined): Promise<JobResult> {
    return await this.#perform({ argv, script: undefined, options: { signal } })
  }

  async #start(method: string, subject: string, call: ShellCall): Promise<JobResult> {
    const port = { port: 'shell', method, subject }
    const scripted = this.#scripted.find((each) => each.matches(call))
    if (scripted?.reads) return await this.#faults.read(port, () => this.#perform(call))
    return await this.#faults.write(port, async ({ within }) => {
      const result = await this.#perform(call)
      within()
      return result
    })
  }

  async #perform(call: ShellCall): Promise<JobResult> {
    const { signal, timeoutMs, outputLimit = Number.POSITIVE_INFINITY, onOutput } = call.options
    if (signal?.aborted) throw new HarmonyError('interrupted', 'the program was not started')
    this.#calls.push(call)
    const program = this.#scripted.find((each) => each.matches(call))?.program
    const result = { ...well, ...(await program?.(call, this.#disk)) }
    if (signal?.aborted) throw new HarmonyError('interrupted', 'the program was ended')
    for (const stream of ['stdout', 'stderr'] as const) if (result[stream]) onOutput?.(stream, result[stream])
    const tooLong = timeoutMs !== undefined && result.durationMs > timeoutMs
    return {
      ...result,
      ...(tooLong ? { exitCode: null, signal: 'SIGTERM', timedOut: true, durationMs: timeoutMs } : {}),
      stdout: result.stdout.slice(-outputLimit),
      stderr: result.stderr.slice(-outputLimit),
      truncated: Math.max(result.stdout.length, result.stderr.length) > outputLimit,
    }
  }
}
