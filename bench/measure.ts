/**
 * Times whole processes. Machines are noisy, so two commands are compared in turns, A B A B, and what counts is the
 * median of the ratios of neighbours; absolute times are medians, for orientation only.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A command with what has to be so before each run. */
export interface Subject {
  readonly argv: readonly [string, ...string[]]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Not timed. */
  readonly prepare?: () => void
}

/** Median wall time of each, and of their ratio. */
export interface Comparison {
  readonly ms: number
  readonly baseMs: number
  readonly ratio: number
}

/** Runs a command once; its wall time in milliseconds. Throws when it fails. */
export function time({ argv, cwd, env, prepare }: Subject): number {
  prepare?.()
  const [program, ...args] = argv
  const start = process.hrtime.bigint()
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const ms = Number(process.hrtime.bigint() - start) / 1e6
  if (status !== 0)
    throw new Error(`${argv.join(' ')} ended with ${status}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`)
  return ms
}

/** Runs two commands in turns. */
export function compare(subject: Subject, base: Subject, runs: number): Comparison {
  time(base)
  time(subject)
  const pairs = Array.from({ length: runs }, () => ({ base: time(base), subject: time(subject) }))
  return {
    ms: median(pairs.map((pair) => pair.subject)),
    baseMs: median(pairs.map((pair) => pair.base)),
    ratio: median(pairs.map((pair) => pair.subject / pair.base)),
  }
}

/** Peak resident memory of a Node process, in MB; told by the process itself as it ends, in a run of its own. */
export function peakMemory({ argv, cwd, env, prepare }: Subject): number {
  prepare?.()
  const folder = mkdtempSync(join(tmpdir(), 'harmony-bench-'))
  try {
    const file = join(folder, 'rss')
    const tell = `data:text/javascript,import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync(process.env.BENCH_RSS,String(process.resourceUsage().maxRSS)))`
    const [program, ...args] = argv
    const options = { NODE_OPTIONS: `--import=${tell}`, BENCH_RSS: file }
    const { status, stderr } = spawnSync(program, args, {
      cwd,
      env: { ...process.env, ...env, ...options },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}\n${stderr}`)
    return Number(readFileSync(file, 'utf8')) / 1024
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
