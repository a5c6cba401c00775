/** Other people's code runs in this process; the output, the status and the end of a command stay ours. */
import { spawnSync } from 'node:child_process'
import { openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeProject } from './project.ts'

const slowly = `export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology({ shell: true }), [ShellJob({ name: 'a', script: "printf '%s begun\\n' a; sleep 5" })])] })`

test('a project that ends the process in the middle of an apply is told, and is no success', async () => {
  using project = makeProject()
  project.source(`process.stdin.resume()\nprocess.once('SIGUSR2', () => process.exit(0))\n${slowly}`)
  const running = project.start('apply --yes --no-check')
  await running.shows('a begun')
  running.child.kill('SIGUSR2')
  const result = await running.ended
  expect(result.status).toBe(1)
  expect(result.err.match(/^error:/gm)).toHaveLength(1)
  expect(result.err).toContain('ended the process (process.exit) in the middle')
})

test('the same in --json: one error, one summary', async () => {
  using project = makeProject()
  project.source(`process.once('SIGUSR2', () => process.exit(0))\n${slowly}`)
  const running = project.start('apply --yes --no-check --json')
  await running.shows('a begun')
  running.child.kill('SIGUSR2')
  const { status, events } = await running.ended
  expect(status).toBe(1)
  expect(events.slice(-2)).toMatchObject([
    { type: 'error', code: 'project-unreadable' },
    { type: 'summary', command: 'apply', changed: 0 },
  ])
})

test('what a project prints goes to standard error, before, while and after the command speaks', async () => {
  using project = makeProject()
  project.source(`console.log('first')
process.stdout.write('raw\\n')
process.stdout.write = () => { throw new Error('mine') }
process.on('exit', () => console.log('last'))
${slowly}`)
  const { status, err, events } = await project.run('plan --no-check --json')
  expect(status).toBe(2)
  expect(err).toContain('first\nraw\n')
  expect(events.map(({ type }) => type)).toEqual(['step', 'summary'])
  expect(JSON.parse((await project.run('graph --json')).out)).toMatchObject({ project: 'site' })
})

test.each(['show --json', 'plan --no-check'])('%s on a full disk is no success', async (line) => {
  using project = makeProject()
  project.scores(`Directory({ path: root })`)
  await project.run('apply --yes --no-check')
  const launcher = join(import.meta.dirname, '../bin/harmony.js')
  const { status, stderr } = spawnSync(process.execPath, [launcher, ...line.split(' ')], {
    cwd: project.folder,
    env: project.sandbox.env,
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr).toBe('error: standard output cannot be written (ENOSPC)\n')
})

test('a pipe in the place of a lock file, a secret or a saved plan is not waited for', async () => {
  using project = makeProject()
  project.scores(`File({ path: root, content: secret('key') })`)
  project.write({ 'secrets/other': '' })
  const pipe = (name: string) => spawnSync('mkfifo', [join(project.folder, name)])
  pipe('secrets/key')
  expect((await project.run('plan --no-check')).out).toContain('is not a file')
  pipe('a.plan')
  expect(await project.run('apply --plan a.plan --yes')).toMatchObject({ status: 65 })
  pipe('harmony.lock')
  expect(await project.run('plan --no-check')).toMatchObject({ status: 65 })
})

test('a project that is known to load can be interrupted while it waits for a pipe', async () => {
  using project = makeProject()
  project.source(`import { existsSync, readFileSync } from 'node:fs'
if (existsSync('pipe')) { console.log('waiting'); readFileSync('pipe') }
export default defineProject({ name: 'site', deployments: [] })`)
  expect(await project.run('plan')).toMatchObject({ status: 0 })
  expect(await project.run('plan')).toMatchObject({ status: 0 })
  spawnSync('mkfifo', [join(project.folder, 'pipe')])
  const running = project.start('plan')
  await running.shows('waiting')
  running.child.kill('SIGINT')
  const { status, signal } = await running.ended
  expect(status === 130 || signal === 'SIGINT').toBe(true)
})

test('an interrupted command ends although a read of the project never does', async () => {
  using project = makeProject()
  spawnSync('mkfifo', [join(project.folder, 'pipe')])
  project.source(`import { readFile } from 'node:fs/promises'
void readFile('pipe')
${slowly}`)
  const running = project.start('apply --yes --no-check')
  await running.shows('a begun')
  running.child.kill('SIGINT')
  await running.shows('nothing new starts')
  running.child.kill('SIGINT')
  const { status, signal } = await running.ended
  expect(status === 130 || signal === 'SIGINT').toBe(true)
  rmSync(join(project.folder, 'pipe'))
})
