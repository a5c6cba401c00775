/** Finds and runs the native TypeScript compiler. It is only ever spawned: importing it would cost more than it does. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { HarmonyError } from '@harmony-iac/core/errors'

/** A compiler that can be run. */
export interface Compiler {
  readonly command: readonly [string, ...string[]]
  /** Its package file: when that changes, so does the compiler. */
  readonly packageFile: string
  readonly version: string
}

/** What a run of the compiler gave. */
export interface CompilerRun {
  readonly ok: boolean
  /** What it printed about problems. */
  readonly problems: string
  /** Absolute paths of everything it read. */
  readonly files: readonly string[]
}

/**
 * The project's own compiler, otherwise ours.
 * @throws HarmonyError `compile-failed` when there is none.
 */
export function findCompiler(projectFile: string): Compiler {
  for (const from of [projectFile, import.meta.filename]) {
    const packageFile = resolvePackage('typescript', from)
    if (packageFile === undefined) continue
    const { version = '' } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version?: string }
    // Older ones take seconds and know neither --checkers nor our syntax.
    if (Number.parseInt(version, 10) < 7) continue
    const platform = resolvePackage(`@typescript/typescript-${process.platform}-${process.arch}`, packageFile)
    const native = platform && join(dirname(platform), 'lib/tsc')
    // The package's own `tsc` is a script that starts the same executable: 30 ms more.
    const command =
      native && existsSync(native)
        ? ([native] as const)
        : ([process.execPath, join(dirname(packageFile), 'bin/tsc')] as const)
    return { command: [...command], packageFile, version }
  }
  throw new HarmonyError('compile-failed', 'there is no TypeScript compiler to check the project with', {
    hint: 'npm install --save-dev typescript (7 or newer), or skip the check with --no-check',
  })
}

function resolvePackage(name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(`${name}/package.json`)
  } catch {
    return undefined
  }
}

/**
 * Runs the compiler over one configuration; writes nothing.
 * @throws HarmonyError `interrupted` when the signal aborts, `compile-failed` when it cannot be run at all.
 */
export async function runCompiler(
  compiler: Compiler,
  config: string,
  cwd: string,
  signal: AbortSignal,
): Promise<CompilerRun> {
  const checkers = availableParallelism() > 1 ? '2' : '1'
  // Packages of a clone are compiled from source, whose imports end in `.ts`; nothing is emitted, so that is harmless.
  const fixed = ['--noEmit', '--allowImportingTsExtensions']
  const options = ['-p', config, ...fixed, '--pretty', 'false', '--listFiles', '--checkers', checkers]
  const [program, ...first] = compiler.command
  const child = spawn(program, [...first, ...options], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: process.env,
  })
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  try {
    const [status, killedBy] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, by) => resolve([code, by]))
    })
    if (signal.aborted) throw new HarmonyError('interrupted', 'the check of the project was interrupted')
    const { files, problems } = splitOutput(Buffer.concat(chunks).toString('utf8'))
    if (status === 0) return { ok: true, problems, files }
    if (status === null || problems.trim() === '')
      throw new HarmonyError(
        'compile-failed',
        `the TypeScript compiler ended by ${killedBy ?? `status ${status}`} without a verdict`,
      )
    return { ok: false, problems, files }
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'HarmonyError') throw error
    throw new HarmonyError('compile-failed', `the TypeScript compiler cannot be started: ${error.message}`, {
      cause: error,
    })
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

function splitOutput(output: string): { readonly files: readonly string[]; readonly problems: string } {
  const files: string[] = []
  const problems: string[] = []
  for (const line of output.split('\n'))
    if (line.startsWith('/') && !/\(\d+,\d+\): (error|warning|message) TS/.test(line)) files.push(line)
    else problems.push(line)
  return { files, problems: problems.join('\n').trim() }
}
