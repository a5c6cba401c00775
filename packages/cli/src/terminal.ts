/** Questions on a terminal. Loaded when there is one: most commands ask nothing. */
import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** A line that is asked for. */
export interface Line {
  /** Stands before what is typed, as it is. */
  readonly text: string
  /** Whether what is typed must not be seen. */
  readonly hidden: boolean
}

/** Asks for a yes; `false` for anything else. */
export async function askOnTerminal(
  question: string,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output })
  const answer = await oneLine(lines, `${question} [y/N] `, signal)
  return /^\s*y(es)?\s*$/i.test(answer ?? '')
}

/** Reads a line; `undefined` at the end of the input, and when the signal aborts. */
export async function readOnTerminal(
  { text, hidden }: Line,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!hidden)
    return await oneLine(createInterface({ input: process.stdin, output, historySize: 0 }), text, signal)
  // The terminal is in raw mode then and shows nothing by itself: what readline would show goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  output.write(text)
  try {
    return await oneLine(lines, '', signal)
  } finally {
    output.write('\n')
  }
}

async function oneLine(lines: Interface, text: string, signal: AbortSignal): Promise<string | undefined> {
  // On a terminal in raw mode Ctrl-C is a key, not a signal: pass it on as what it means everywhere else.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
    return await Promise.race([lines.question(text, { signal }), closed])
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  } finally {
    lines.close()
  }
}
