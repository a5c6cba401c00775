/**
 * Running programs on this machine. Each runs in a process group of its own (`detached`), so that a time limit or an
 * abort reaches whatever it has started, and Ctrl-C in the terminal reaches none of them: who ends what is decided by
 * the engine. The environment is made from scratch: what Harmony was started with says nothing about the wanted state.
 */
import type { ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { HarmonyError } from '@harmony-iac/core'
import type { ExecOptions, ExecResult } from '@harmony-iac/core/host'
import { signalGroup, untilEnded, whileAlive } from './local-group.ts'
import { isErrno } from './local-stat.ts'
import { tail } from './tail.ts'

const defaultOutputLimit = 64 * 1024

/** As `Host.exec`. */
export async function execLocally(
  argv: readonly [string, ...string[]],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const { signal, timeoutMs, onOutput } = options
  if (signal?.aborted) throw interrupted(argv)
  const started = performance.now()
  const child = await start(argv, options)
  const limit = options.outputLimit ?? defaultOutputLimit
  const output = { stdout: tail(limit), stderr: tail(limit) }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Uint8Array) => {
      output[name].add(chunk)
      onOutput?.(name, chunk)
    })
  // A program need not read what it is given.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.stdin)

  const killNow = () => signalGroup(child, 'SIGKILL')
  signal?.addEventListener('abort', killNow, { once: true })
  // Aborted while the program was being started.
  if (signal?.aborted) killNow()
  const alive = whileAlive(child)
  try {
    const end = await untilEnded(child, timeoutMs, signal)
    if (signal?.aborted) throw interrupted(argv)
    return {
      ...end,
      stdout: output.stdout.bytes(),
      stderr: output.stderr.bytes(),
      stdoutCut: output.stdout.cut(),
      stderrCut: output.stderr.cut(),
      durationMs: performance.now() - started,
    }
  } finally {
    signal?.removeEventListener('abort', killNow)
    alive.done()
    child.stdin?.destroy()
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

async function start(argv: readonly [string, ...string[]], options: ExecOptions): Promise<ChildProcess> {
  // Not imported before it is needed: most passes run no program.
  const { spawn } = await import('node:child_process')
  try {
    const child = spawn(argv[0], argv.slice(1), {
      cwd: options.cwd ?? '/',
      env: environment(options.env),
      detached: true,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    if (child.pid === undefined)
      await new Promise((_, reject) => {
        child.once('error', reject)
      })
    // Later ones are about signals that found nobody.
    child.on('error', () => {})
    return child
  } catch (error) {
    throw cannotStart(argv, options, error)
  }
}

function environment(given: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: process.env.HOME ?? '/',
    USER: userName(),
    LANG: 'C.UTF-8',
    ...given,
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user id without an entry in /etc/passwd, as containers like to have.
    return String(process.geteuid?.() ?? '')
  }
}

function cannotStart(argv: readonly string[], options: ExecOptions, error: unknown): HarmonyError {
  const { cwd } = options
  // The system says ENOENT for both.
  const folderMissing = cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()
  const [reason, hint] = folderMissing
    ? [
        `the working directory ${cwd} does not exist`,
        'create it first: declare a Directory for it, and `after`',
      ]
    : isErrno(error, 'ENOENT')
      ? ['there is no such program', 'install it, or give its absolute path']
      : isErrno(error, 'EACCES', 'EPERM')
        ? ['it may not be executed', 'check its mode, and what the file system is mounted with']
        : [error instanceof Error ? error.message : String(error), undefined]
  return new HarmonyError('command-failed', `${argv[0]}: cannot be started: ${reason}`, {
    hint,
    cause: error,
    data: { program: argv[0], ...(error instanceof Error && 'code' in error ? { errno: error.code } : {}) },
  })
}

function interrupted(argv: readonly string[]): HarmonyError {
  return new HarmonyError('interrupted', `${argv[0]}: ended because the command was interrupted`)
}
