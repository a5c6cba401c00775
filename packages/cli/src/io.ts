/**
 * The world as the command line sees it: streams, environment, signals, questions. Handed in, so that tests run a
 * command in their own process with a terminal that is not there.
 */

import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Line } from './terminal.ts'

/** A stream that is written to and may be a terminal. */
export interface Sink {
  write(text: string): void
  readonly isTTY: boolean
  /** Width in characters; 80 where it is not known. */
  readonly columns: number
}

/** What a signal means to us: all of them ask us to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** What a command may use of the process it runs in. */
export interface Io {
  readonly out: Sink
  readonly err: Sink
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether somebody is there to be asked. */
  readonly interactive: boolean
  /** Asks on the terminal; `false` for anything but a clear yes. */
  ask(question: string, signal: AbortSignal): Promise<boolean>
  /** Whether somebody can type an answer, although standard output may lead elsewhere. */
  readonly canAnswer: boolean
  /**
   * Reads a line from the terminal; the question goes to standard error. What others write meanwhile comes after it.
   * `undefined` at the end of the input, and when the signal aborts.
   */
  answer(line: Line, signal: AbortSignal): Promise<string | undefined>
  /** Calls back for each signal until the returned function is called. */
  onSignal(handler: (signal: StopSignal) => void): () => void
  /** Calls back for what other people's code throws where nobody catches it, until the returned function is called. */
  onFault(handler: (thrown: unknown) => void): () => void
  /** Calls back when the process is about to end, until the returned function is called; may set another status. */
  onExit(handler: (status: number) => number): () => void
  /** From now on standard output is ours alone: what other people's code prints goes to standard error. */
  claimOutput(): void
  /** Ends the process here and now. */
  exit(status: number): never
  /** The command has ended: whatever a project file has left running (a timer, a server) is not waited for. */
  leave(): void
}

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Asked for through Node's own getter, which {@link Io.claimOutput} replaces for everybody else. */
const stdoutGetter = Object.getOwnPropertyDescriptor(process, 'stdout')?.get
const ownStdout = (): NodeJS.WriteStream => stdoutGetter?.call(process) ?? process.stdout

/** The real thing: this process. */
export function processIo(): Io {
  const hold = new Hold()
  return {
    out: sink(ownStdout, hold, (code) => {
      process.exitCode = 1
      process.stderr.write(`error: standard output cannot be written (${code})\n`)
      // The launcher sets the status of the command after this.
      process.once('exit', (status) => {
        if (status === 0 || status === 2) process.exitCode = 1
      })
    }),
    err: sink(() => process.stderr, hold),
    env: process.env,
    cwd: process.cwd(),
    get interactive() {
      return process.stdin.isTTY === true && ownStdout().isTTY === true
    },
    ask: async (question, signal) =>
      await (await import('./terminal.ts')).askOnTerminal(question, ownStdout(), signal),
    get canAnswer() {
      return process.stdin.isTTY === true && process.stderr.isTTY === true
    },
    answer: async (line, signal) => {
      const { readOnTerminal } = await import('./terminal.ts')
      return await hold.during(() => readOnTerminal(line, process.stderr, signal))
    },
    onSignal(handler) {
      for (const signal of stopSignals) process.on(signal, handler)
      return () => {
        for (const signal of stopSignals) process.off(signal, handler)
      }
    },
    onFault(handler) {
      process.on('uncaughtException', handler)
      process.on('unhandledRejection', handler)
      return () => {
        process.off('uncaughtException', handler)
        process.off('unhandledRejection', handler)
      }
    },
    onExit(handler) {
      const listener = (status: number) => {
        process.exitCode = handler(status)
      }
      process.on('exit', listener)
      return () => process.off('exit', listener)
    },
    claimOutput() {
      // On a terminal both are the same, and the progress of an apply is drawn on what others call standard output.
      if (isatty(1)) return
      Object.defineProperty(process, 'stdout', { configurable: true, get: () => process.stderr })
    },
    exit(status) {
      // A debugger that stopped us (see watchdog.ts) makes Node say that it waits for it to let go.
      closeSync(2)
      // `process.exit` would run the handlers of those who are to be stopped.
      ;(process as unknown as { reallyExit(status: number): void }).reallyExit(status)
      throw new Error('the process did not end')
    },
    leave() {
      setTimeout(endProcess, 200).unref()
    },
  }
}

/**
 * Node makes a stream when it is first asked for, which takes a while: so not before something is to be written.
 * Whoever reads our output may leave (`harmony plan | head`); an apply goes on then, without anybody watching.
 */
function sink(find: () => NodeJS.WriteStream, hold: Hold, onLost: (code: string) => void = () => {}): Sink {
  let gone = false
  let guarded = false
  return {
    write(text) {
      if (gone || hold.keeps(() => this.write(text))) return
      const stream = find()
      if (!guarded) {
        guarded = true
        stream.on('error', ({ code }: NodeJS.ErrnoException) => {
          if (!gone && code !== 'EPIPE') onLost(code ?? 'unknown')
          gone = true
        })
      }
      // A project may have put something else in the place of `write`.
      Object.getPrototypeOf(stream).write.call(stream, text)
    },
    get isTTY() {
      return find().isTTY === true
    },
    get columns() {
      return find().columns ?? 80
    },
  }
}

/**
 * Ends the process although something is left. `process.exit` waits for reads that have begun, and one of a pipe that
 * nobody writes to never ends. Who was interrupted may end as the signal would have it, which waits for nothing.
 */
function endProcess(): void {
  if (process.exitCode !== 130) process.exit()
  process.removeAllListeners('SIGINT')
  process.kill(process.pid, 'SIGINT')
}

/** Keeps back what is written while somebody types. */
class Hold {
  #later: (() => void)[] | undefined

  /** Whether it keeps this for later. */
  keeps(write: () => void): boolean {
    this.#later?.push(write)
    return this.#later !== undefined
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#later = []
    try {
      return await work()
    } finally {
      const later = this.#later
      this.#later = undefined
      for (const write of later) write()
    }
  }
}
