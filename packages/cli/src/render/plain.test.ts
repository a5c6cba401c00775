import type { EngineEvent } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import type { Io } from '../io.ts'
import { errorData } from './error-data.ts'
import { JsonReporter } from './json.ts'
import { PlainReporter } from './plain.ts'
import type { Reporter } from './reporter.ts'

function recorder() {
  const written = { out: '', err: '' }
  const sink = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text
    },
    isTTY: false,
    columns: 80,
  })
  const io = { out: sink('out'), err: sink('err'), env: {} } as unknown as Io
  return { written, io }
}

const to = { topology: 'here', address: 'File:/a' }
const finished = {
  ...to,
  type: 'finished',
  action: 'create',
  outcome: 'success',
  durationMs: 3,
  error: undefined,
  differences: [],
} as const
const story: readonly EngineEvent[] = [
  { type: 'topology', topology: 'here', status: 'opening', message: 'opening' },
  { type: 'topology', topology: 'here', status: 'waiting', message: 'waits for pid 1' },
  { type: 'started', ...to, action: 'create' },
  { type: 'progress', ...to, message: 'writing', done: 1, total: 2 },
  { type: 'output', ...to, stream: 'stdout', text: 'one\n\x1b[2Jtwo\n' },
  { type: 'settling', ...to, paths: ['state'], timeoutMs: 5000 },
  { type: 'audit', ...to, entry: { argv: ['x'] } },
  finished,
  { ...finished, action: 'update', durationMs: 12_345 },
  { ...finished, outcome: 'noop' },
  {
    ...finished,
    outcome: 'failure',
    error: { code: 'system', message: 'no space', address: 'File:/a', hint: 'free some' },
  },
  { ...finished, outcome: 'blocked', error: { code: 'blocked', message: 'waits for File:/b' } },
  { type: 'note', ...to, message: 'left in place' },
  { type: 'note', topology: 'here', address: undefined, message: 'a remark' },
]

test('a pass in lines: what came out, what was done, what was not', () => {
  const { io, written } = recorder()
  const reporter = new PlainReporter(io, false)
  for (const event of story) reporter.emit(event)
  expect(written.out).toBe(`File:/a | one
File:/a | ␛[2Jtwo
File:/a settles (state), at most 5.0 s
✓ File:/a created
✓ File:/a updated (12 s)
= File:/a is as wanted by now
✗ File:/a
  error: no space
  hint: free some
⊘ File:/a is blocked: waits for File:/b
File:/a: left in place
a remark
`)
  expect(written.err).toBe('here: waits for pid 1\n')
})

test('what an interruption kept from being started is counted, not listed', async () => {
  const { io, written } = recorder()
  const reporter = new PlainReporter(io, false)
  const done = await reporter.working([])
  for (const address of ['File:/a', 'File:/b'])
    reporter.emit({
      ...finished,
      address,
      outcome: 'blocked',
      error: { code: 'interrupted', message: 'was not started' },
    })
  await done()
  expect(written.out).toBe('⊘ 2 Scores were not started.\n')
})

test('the ledger and the user are named below a plan that shows something', async () => {
  const { io, written } = recorder()
  const reporter = new PlainReporter(io, false)
  const plan = {
    topology: 'here',
    home: '/var/lib/harmony',
    steps: [],
    conflicts: [],
    failures: [],
    notes: [],
  }
  await reporter.plans([plan as never])
  expect(written.out).not.toContain('ledger')
  const failures = [{ address: 'File:/a', code: 'system', message: 'x', hint: undefined }]
  await reporter.plans([{ ...plan, failures } as never])
  expect(written.out).toMatch(/\nhere: ledger \/var\/lib\/harmony, as \S+\n$/)
})

test.each([
  [{ noop: 5, success: 0, failure: 0, blocked: 0 }, ''],
  [{ noop: 5, success: 2, failure: 0, blocked: 0 }, 'Done: 2 done, 5 unchanged (0.12 s).\n'],
  [
    { noop: 5, success: 2, failure: 1, blocked: 3 },
    'Incomplete: 2 done, 5 unchanged, 1 failed, 3 blocked (0.12 s).\n',
  ],
])('the last word about %j', (outcomes, text) => {
  const { io, written } = recorder()
  new PlainReporter(io, false).summary({ command: 'apply', outcomes, changed: 2, durationMs: 123 })
  expect(written.out).toBe(text)
})

test('as JSON: one line for each event, with its time; nothing for people', () => {
  const { io, written } = recorder()
  const reporter: Reporter = new JsonReporter(io, () => '2026-01-01T00:00:00.000Z')
  for (const event of story) reporter.emit(event)
  reporter.say('for people')
  reporter.warn('careful')
  reporter.error({ code: 'system', message: 'x' }, 'here')
  const lines = written.out.trim().split('\n')
  expect(lines).toHaveLength(story.length + 2)
  expect(JSON.parse(lines[4] ?? '')).toEqual({ ...story[4], time: '2026-01-01T00:00:00.000Z' })
  expect(lines.slice(-2).map((line) => JSON.parse(line))).toMatchObject([
    { type: 'warning', message: 'careful' },
    { type: 'error', topology: 'here', code: 'system' },
  ])
})

test('a fault of ours shows its stack to those who ask for it', () => {
  const fault = new TypeError('undefined is not a function')
  expect(errorData(fault, {})).toEqual({
    code: 'internal',
    message: 'a fault in Harmony: undefined is not a function',
    hint: expect.stringContaining('HARMONY_DEBUG=1'),
  })
  expect(errorData(fault, { HARMONY_DEBUG: '1' }).data?.frame).toContain('plain.test.ts')
})
