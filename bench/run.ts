/**
 * `npm run bench`: what Harmony costs beside the least that does the same job, each figure with the bar it has to
 * reach. Prints a table and, with `--json FILE`, writes the same as JSON. `--quick` makes fewer runs.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare, median, peakMemory, type Subject, time } from './measure.ts'
import { typeCheckProject } from './type-check.ts'
import { manyFiles, node, World } from './world.ts'

interface Row {
  readonly what: string
  readonly value: string
  readonly ratio: number | undefined
  readonly bar: string
  readonly ok: boolean
}

const quick = process.argv.includes('--quick')
const runs = quick ? 3 : 9
const rows: Row[] = []
const world = new World()
const disk = new World('disk')
const bare = join(import.meta.dirname, 'bare.mjs')
const script = (name: string, count: number): Subject => ({
  argv: [node, bare, 'check', world.files(name), String(count)],
})

function ratioRow(what: string, subject: Subject, base: Subject, bar: number, aim?: number): void {
  const { ms, baseMs, ratio } = compare(subject, base, runs)
  report({
    what,
    value: `${ms.toFixed(0)} ms (base ${baseMs.toFixed(0)} ms)`,
    ratio,
    bar: `≤ ${bar} ×${aim ? `, aim ${aim} ×` : ''}`,
    ok: ratio <= bar,
  })
}
function memoryRow(what: string, subject: Subject, bar: number): void {
  const mb = peakMemory(subject)
  report({ what, value: `${mb.toFixed(0)} MB`, ratio: undefined, bar: `< ${bar} MB`, ok: mb < bar })
}
function report(row: Row): void {
  rows.push(row)
  const ratio = row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} ×`
  console.log(
    `| ${row.what.padEnd(52)} | ${row.value.padEnd(28)} | ${ratio.padStart(8)} | ${row.bar.padEnd(18)} | ${row.ok ? 'yes' : 'NO '} |`,
  )
}

try {
  console.log(
    `| ${'what'.padEnd(52)} | ${'median'.padEnd(28)} | ${'ratio'.padStart(8)} | ${'bar'.padEnd(18)} | ok  |`,
  )
  console.log(`|${'-'.repeat(54)}|${'-'.repeat(30)}|${'-'.repeat(10)}|${'-'.repeat(20)}|-----|`)
  const nothing: Subject = { argv: [node, '-e', '0'] }
  world.project('hello', manyFiles(1))
  ratioRow('harmony --version', world.harmony('hello', ['--version']), nothing, 2.5)
  time(world.harmony('hello', ['apply', '--yes']))
  ratioRow('plan of a hello-world project, warm cache', world.harmony('hello', ['plan']), nothing, 6)

  world.project('k', manyFiles(1000))
  const apply = (name: string, prepare?: () => void) => world.harmony(name, ['apply', '--yes'], prepare)
  time(apply('k'))
  ratioRow('1,000 files, no-op apply', apply('k'), script('k', 1000), 4, 2.5)
  const tamper = () => {
    for (let k = 0; k < 10; k++) writeFileSync(`${world.files('k')}/f${1001 + k * 100}`, 'tampered\n')
  }
  ratioRow('1,000 files, 10 tampered repaired; base: the no-op', apply('k', tamper), apply('k'), 1.25)
  memoryRow('1,000 files, no-op apply, peak memory', apply('k'), 120)
  disk.project('first', manyFiles(1000))
  const anew = () =>
    disk.moveAside(disk.files('first'), join(disk.dir, 'first-state'), join(disk.dir, 'first/harmony.lock'))
  const durable: Subject = {
    argv: [node, bare, 'write', disk.files('durable'), '1000'],
    prepare: () => disk.moveAside(disk.files('durable')),
  }
  ratioRow(
    '1,000 files, first apply; base: written as durably',
    disk.harmony('first', ['apply', '--yes'], anew),
    durable,
    4,
  )

  world.project('tenk', manyFiles(10_000))
  time(apply('tenk'))
  ratioRow('10,000 files, no-op apply', apply('tenk'), script('tenk', 10_000), 3)
  memoryRow('10,000 files, no-op apply, peak memory', apply('tenk'), 200)

  const slope = (count: number): number => {
    world.project(`n${count}`, manyFiles(count))
    time(apply(`n${count}`))
    const many = Array.from({ length: runs }, () => time(apply(`n${count}`)))
    return median(many)
  }
  const start = median(Array.from({ length: runs }, () => time(apply('hello'))))
  const [few, most] = [(slope(2000) - start) / 2000, (slope(20_000) - start) / 20_000]
  report({
    what: 'time per file at 20,000; base: at 2,000',
    value: `${(most * 1000).toFixed(0)} µs (base ${(few * 1000).toFixed(0)} µs)`,
    ratio: most / few,
    bar: '≤ 1.3 ×',
    ok: most / few <= 1.3,
  })

  const check = typeCheckProject(world, 5000)
  const seconds = median(Array.from({ length: quick ? 3 : 5 }, () => time(check))) / 1000
  report({
    what: 'type-check of 5,000 Scores of all kinds',
    value: `${seconds.toFixed(2)} s`,
    ratio: undefined,
    bar: '≤ 1.2 s',
    ok: seconds <= 1.2,
  })

  const json = process.argv.indexOf('--json')
  const file = process.argv[json + 1]
  if (json > 0 && file) {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `${JSON.stringify({ node: process.version, runs, rows }, undefined, 2)}\n`)
  }
} finally {
  world.remove()
  disk.remove()
}
