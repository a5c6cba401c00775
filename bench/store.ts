/**
 * `npm run bench:store`: how long a process waits to learn what another has put into a store in a file, and what that
 * costs. Prints a table; figures with a bar say whether they keep it.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore, type Store } from '@harmony-iac/mesh'

const puts = 300
const [role, given = ''] = process.argv.slice(2)
const folder = role === 'writer' ? given : mkdtempSync(join(tmpdir(), 'harmony-bench-'))
const store = await openSqliteStore(join(folder, 'store.db'), { create: true })

if (role === 'writer') {
  await write(store)
  await store.close()
} else
  try {
    console.log(`| ${'what'.padEnd(44)} |  p50 ms |  p99 ms | bar            | ok  |`)
    console.log(`|${'-'.repeat(46)}|---------|---------|----------------|-----|`)
    row('before a put → told in another process', await follow(store), 5)
    row('put, acknowledged', await timed(puts, (i) => store.put('bench.put', payload(i), 'any')))
    row('get', await timed(puts, () => store.get('bench.put')))
    for (let i = 0; i < 1000; i++) await store.put(`many.${i}`, payload(i), 'any')
    row('list of 1,000', await timed(20, () => store.list('many')))
    console.log(`idle with a watch, CPU: ${(await idle(store)).toFixed(2)} % of a core`)
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }

/** One clock for both processes: the system's, as finely as it can be read. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

function payload(i: number): Uint8Array {
  return new Uint8Array(1024).fill(i)
}

async function write(store: Store): Promise<void> {
  for (let i = 0; i < puts; i++) {
    await store.put('bench.told', Buffer.from(String(now())), 'any')
    // Apart from each other: nobody is to be awake still from the one before.
    await sleep(5)
  }
  await store.put('bench.end', new Uint8Array(), 'any')
}

async function follow(store: Store): Promise<readonly number[]> {
  const delays: number[] = []
  for await (const event of store.watch({ below: 'bench' })) {
    if (event.type === 'current') fork(import.meta.filename, ['writer', folder])
    if (event.type !== 'put') continue
    if (event.entry.key === 'bench.end') break
    delays.push(now() - Number(Buffer.from(event.entry.value).toString()))
  }
  return delays
}

async function timed(count: number, work: (i: number) => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    await work(i)
    times.push(performance.now() - begun)
  }
  return times
}

async function idle(store: Store): Promise<number> {
  const watch = store.watch({ below: 'idle' })[Symbol.asyncIterator]()
  await watch.next()
  const waiting = watch.next()
  await sleep(500)
  const before = process.cpuUsage()
  await sleep(5000)
  const { user, system } = process.cpuUsage(before)
  await store.put('idle.end', new Uint8Array(), 'any')
  await waiting
  await watch.return?.()
  return ((user + system) / 5_000_000) * 100
}

function row(what: string, times: readonly number[], bar?: number): void {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  const [p50, p99] = [at(0.5), at(0.99)]
  const verdict = bar === undefined ? ['', ''] : [`p50 ≤ ${bar} ms`, p50 <= bar ? 'yes' : 'NO']
  console.log(
    `| ${what.padEnd(44)} | ${p50.toFixed(2).padStart(7)} | ${p99.toFixed(2).padStart(7)} | ${verdict[0]?.padEnd(14)} | ${verdict[1]?.padEnd(3)} |`,
  )
  if (bar !== undefined && p50 > bar) process.exitCode = 1
}
