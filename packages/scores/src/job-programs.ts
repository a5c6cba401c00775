/** Programs and scripts as a job runs them: with an audit entry, and an error that shows their last words. */
import { HarmonyError, type Run } from '@harmony-iac/core'
import type { JobOptions, JobResult, Shell } from '@harmony-iac/core/capabilities'
import { commandOf } from './argv.ts'

// Of each stream an audit entry and an error hold the end, where programs say what went wrong.
const tail = 4096

/** Runs it, leaves an audit entry whatever comes of it, and throws unless it ended well. */
export async function execute(
  shell: Shell,
  what: readonly string[] | string,
  options: JobOptions,
  run: Pick<Run<unknown>, 'address' | 'signal' | 'output' | 'audit'>,
): Promise<void> {
  const result = await start(shell, what, {
    ...options,
    signal: run.signal,
    onOutput: (stream, text) => run.output(stream, text),
  })
  const { stderr } = result
  run.audit({
    ...(typeof what === 'string' ? { script: what } : { argv: what }),
    cwd: options.cwd ?? '/',
    exitCode: result.exitCode,
    signal: result.signal,
    timedOut: result.timedOut,
    durationMs: result.durationMs,
    stdout: result.stdout,
    stderr,
  })
  const called = typeof what === 'string' ? 'the script' : (what[0] ?? '')
  if (result.timedOut)
    throw new HarmonyError(
      'timeout',
      `${called} was still running after ${(options.timeoutMs ?? 0) / 1000} s`,
      {
        hint: 'find out what it waits for, or give it more with timeout',
        data: { stderr },
      },
    )
  if (result.exitCode === 0) return
  const how =
    result.exitCode === null ? `was ended by ${result.signal}` : `failed with exit status ${result.exitCode}`
  throw new HarmonyError('command-failed', `${called} ${how}${stderr ? `: ${lastLines(stderr)}` : ''}`, {
    data: { exitCode: result.exitCode, signal: result.signal, stderr },
  })
}

/** The error of a program that took longer than it may. */
export function tooLong(
  called: string,
  seconds: number,
  data: Readonly<Record<string, unknown>> = {},
): HarmonyError {
  return new HarmonyError('timeout', `${called} was still running after ${seconds} s`, {
    hint: 'find out what it waits for, or give it more with timeout',
    data,
  })
}

/** Runs it and tells how it ended; of its output the end is kept. */
export async function start(
  shell: Shell,
  what: readonly string[] | string,
  options: JobOptions,
): Promise<JobResult> {
  const capped = { ...options, outputLimit: tail }
  return typeof what === 'string'
    ? await shell.script(what, capped)
    : await shell.run(commandOf(what), capped)
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-5).join('\n')
}
