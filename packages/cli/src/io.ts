/**
 * The world as the command line sees it: streams, environment, signals, questions. Handed in, so that tests run a
 * command in their own process with a terminal that is not there.
 */

import { closeSync } from 'node:fs'

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
  /** Calls back for each signal until the returned function is called. */
  onSignal(handler: (signal: StopSignal) => void): () => void
  /** Calls back for what other people's code throws where nobody catches it, until the returned function is called. */
  onFault(handler: (thrown: unknown) => void): () => void
  /** Ends the process here and now. */
  exit(status: number): never
  /** The command has ended: whatever a project file has left running (a timer, a server) is not waited for. */
  leave(): void
}

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** The real thing: this process. */
export function processIo(): Io {
  const { stdout, stderr, stdin } = process
  return {
    out: sink(stdout),
    err: sink(stderr),
    env: process.env,
    cwd: process.cwd(),
    get interactive() {
      return stdin.isTTY === true && stdout.isTTY === true
    },
    ask: askOnTerminal,
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
    exit(status) {
      // A debugger that stopped us (see watchdog.ts) makes Node say that it waits for it to let go.
      closeSync(2)
      // `process.exit` would run the handlers of those who are to be stopped.
      ;(process as unknown as { reallyExit(status: number): void }).reallyExit(status)
      throw new Error('the process did not end')
    },
    leave() {
      setTimeout(() => process.exit(), 200).unref()
    },
  }
}

/** Whoever reads our output may leave (`harmony plan | head`); an apply goes on then, without anybody watching. */
function sink(stream: NodeJS.WriteStream): Sink {
  let gone = false
  let guarded = false
  return {
    write(text) {
      if (gone) return
      if (!guarded) {
        guarded = true
        stream.on('error', () => {
          gone = true
        })
      }
      stream.write(text)
    },
    get isTTY() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.columns ?? 80
    },
  }
}

async function askOnTerminal(question: string, signal: AbortSignal): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  // On a terminal in raw mode Ctrl-C is a key, not a signal: pass it on as what it means everywhere else.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), closed])
    return /^\s*y(es)?\s*$/i.test(answer)
  } catch (error) {
    if (signal.aborted) return false
    throw error
  } finally {
    lines.close()
  }
}
