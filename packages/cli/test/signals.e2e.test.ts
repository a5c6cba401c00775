/** Ctrl-C and its kin: before anything is written, while steps run, and twice. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { makeProject, type Project } from './project.ts'
import { scriptPart, type } from './terminal.ts'

/** A job that says when it has begun and ends when a file is there, and one that comes after it. */
const jobs = `(() => {
  const script = "printf '%s has begun\\n' one; while ! [ -e " + root + ".go ]; do sleep 0.02; done; printf '%s is done\\n' one"
  const first = ShellJob({ name: 'first', script })
  return [first, ShellJob({ name: 'second', argv: ['true'], after: [first] })]
})()`

/** Programs that a project's jobs left running. */
function left(project: Project): string {
  return spawnSync('pgrep', ['-f', project.sandbox.folder], { encoding: 'utf8' }).stdout
}

test('the first one lets what runs finish and starts nothing new; the next apply completes', async () => {
  using project = makeProject()
  project.scores(jobs)
  const running = project.start('apply --yes --no-check')
  await running.shows('one has begun')
  running.child.kill('SIGINT')
  await running.shows('nothing new starts')
  project.write({ '../root.go': '' })
  const result = await running.ended
  expect(result.status).toBe(130)
  expect(result.out).toContain('one is done')
  expect(result.out).not.toContain('ShellJob:second created')
  const next = await project.run('apply --yes --no-check')
  expect(next.status).toBe(0)
  expect(next.out).toContain('ShellJob:second created')
  expect(next.out).not.toContain('one has begun')
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  'the second %s aborts what runs, and kills its processes',
  async (signal) => {
    using project = makeProject()
    project.scores(jobs)
    const running = project.start('apply --yes --no-check --json')
    await running.shows('one has begun')
    running.child.kill(signal)
    await running.shows('nothing new starts')
    running.child.kill(signal)
    const result = await running.ended
    expect(result.status).toBe(130)
    expect(result.events.at(-1)).toMatchObject({
      type: 'summary',
      command: 'apply',
      outcomes: { failure: 1, blocked: 1 },
    })
    expect(left(project)).toBe('')
    project.write({ '../root.go': '' })
    expect(await project.run('apply --yes --no-check')).toMatchObject({ status: 0 })
  },
)

test('while the compiler runs it ends everything at once, and nothing is written', async () => {
  using project = makeProject()
  project.scores(jobs)
  project.write({
    'slow.ts': Array.from({ length: 20_000 }, (_, i) => `export const a${i} = { b: ${i} } as const`).join(
      '\n',
    ),
  })
  const running = project.start('apply --yes')
  // The compiler's start is nothing that the command tells.
  while (spawnSync('pgrep', ['-P', String(running.child.pid)]).status !== 0);
  running.child.kill('SIGINT')
  const result = await running.ended
  expect(result.status).toBe(130)
  expect(readdirSync(project.sandbox.folder).filter((name) => name !== '.cache')).toEqual(['project'])
  expect(left(project)).toBe('')
})

test('a project that spins while it is loaded can be interrupted', async () => {
  using project = makeProject()
  project.source(`console.log('spinning')\nwhile (true) {}`)
  const running = project.start('plan --no-check')
  await running.shows('spinning')
  running.child.kill('SIGINT')
  const { status, signal } = await running.ended
  expect(status === 130 || signal === 'SIGINT').toBe(true)
})

test('whoever stops reading does not stop an apply', async () => {
  using project = makeProject()
  project.scores(
    `Directory({ path: root }), ${Array.from({ length: 50 }, (_, i) => `File({ path: root + '/${i}', content: 'x' })`).join()}`,
  )
  const running = project.start('apply --yes --no-check')
  running.child.stdout?.destroy()
  expect(await running.ended).toMatchObject({ status: 0 })
  expect(readdirSync(project.root)).toHaveLength(50)
})

describeWith(scriptPart, 'on a terminal', () => {
  test('a yes applies, with progress and colours', async () => {
    using project = makeProject()
    project.scores(`Directory({ path: root }), ShellJob({ name: 'a', script: 'echo hello; sleep 0.2' })`)
    const { status, out } = await type(project, 'apply --no-check', [['changes? [y/N]', 'y\n']])
    expect(status).toBe(0)
    expect(out).toContain('\x1b[32m+\x1b[39m')
    expect(out).toContain('2 of 2 done')
    expect(out).toContain('Done: 2 done')
    expect(existsSync(project.root)).toBe(true)
  })

  test.each([
    ['an empty line', '\n', 1],
    ['no', 'no\n', 1],
    ['the end of input', '\x04', 1],
    ['Ctrl-C', '\x03', 130],
  ])('%s changes nothing', async (_, keys, expected) => {
    using project = makeProject()
    project.scores(`Directory({ path: root })`)
    const { status } = await type(project, 'apply --no-check', [['changes? [y/N]', keys]])
    expect(status).toBe(expected)
    expect(readdirSync(project.sandbox.folder).filter((name) => name !== '.cache')).toEqual(['project'])
    expect(existsSync(join(project.folder, 'harmony.lock'))).toBe(false)
  })

  test('Ctrl-C while steps run is told at once', async () => {
    using project = makeProject()
    project.scores(jobs)
    const { status, out } = await type(project, 'apply --no-check --yes', [
      ['one has begun', '\x03'],
      ['nothing new starts', '\x03'],
    ])
    expect(status).toBe(130)
    expect(out).toContain('Incomplete: 0 done')
    expect(left(project)).toBe('')
  })
})
