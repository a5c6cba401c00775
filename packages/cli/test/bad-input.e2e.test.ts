/**
 * Whatever is wrong with the arguments, the project or a spec: one clear error, the documented exit status, nothing
 * written. (Faults of the host itself are tested with the Scores and topologies.)
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeProject, type Project } from './project.ts'

/** Nothing but what caches: neither ledger nor lock file nor anything in the place of the Scores. */
function expectUntouched(project: Project): void {
  expect(readdirSync(project.sandbox.folder).filter((name) => name !== '.cache')).toEqual(['project'])
  expect(existsSync(join(project.folder, 'harmony.lock'))).toBe(false)
}

test.each<[string, string, RegExp]>([
  [
    'an unknown field',
    `File({ path: root + '/a', content: 'a', contents: 'b' } as never)`,
    /File:.*\/root\/a contents: unknown field/,
  ],
  ['a wrong type', `File({ path: root + '/a', content: 5 } as never)`, /content: .*string/],
  ['a relative path', `File({ path: 'etc/motd', content: '' })`, /path: .*absolute/],
  ['a path with ..', `File({ path: '/srv/../etc/motd', content: '' })`, /path: /],
  ['NUL in a path', `File({ path: '/srv/a\\0b', content: '' })`, /path: .*NUL/],
  ['mode 999', `File({ path: root + '/a', content: '', mode: '999' })`, /mode: /],
  [
    'two Scores that claim one path',
    `File({ path: root, content: '' }), Symlink({ path: root, target: 'x' })`,
    /claims .*root, and so does/,
  ],
  [
    'one Score twice',
    `File({ path: root, content: '' }), File({ path: root, content: 'x' })`,
    /declared twice|claims/,
  ],
  [
    'a cycle',
    `(() => { const a = ShellJob({ name: 'a', argv: ['true'], after: [{ id: 'ShellJob:b', '~score': {} } as never] }); return [a, ShellJob({ name: 'b', argv: ['true'], after: [a] })] })()`,
    /wait for each other: .*→/,
  ],
  ['something that is not a Score', `[File] as never`, /is not a Score but a function/],
  ['an asset that is not there', `File({ path: root, content: { $asset: './none' } })`, /none/],
  ['a secret that nobody knows', `File({ path: root, content: secret('nobody') })`, /HARMONY_SECRET_NOBODY/],
])('%s is refused', async (_, list, words) => {
  using project = makeProject()
  project.scores(list)
  const result = await project.run('apply --yes --no-check')
  expect(result.out + result.err).toMatch(words)
  expect([1, 65]).toContain(result.status)
  expectUntouched(project)
})

test('all problems are told at once, each with its Score, path and line', async () => {
  using project = makeProject()
  project.source(`const deployments: any = [deploy(new LocalTopology(), [
  File({ path: 'a', content: '', mode: '9' }), ShellJob({ name: 'x', argv: ['true'] }) as never])]
export default defineProject({ name: 'not a name', deployments })`)
  const { status, err } = await project.run('check')
  expect(status).toBe(65)
  for (const words of [
    'name: must be',
    'path: ',
    'mode: ',
    'needs shell, which the LocalTopology local does not offer',
    'harmony.ts:',
  ])
    expect(err).toContain(words)
})

test('a user whom nobody knows', async () => {
  using project = makeProject()
  project.scores(`File({ path: root + '/a', content: '', owner: 'nobody-of-that-name' })`)
  mkdirSync(project.root)
  const result = await project.run('apply --yes')
  expect(result.status).toBe(1)
  expect(result.out).toContain('nobody-of-that-name')
  expect(readdirSync(project.root)).toEqual([])
})

test.each<[string, string, RegExp]>([
  [
    'throws',
    `throw new TypeError('no such thing')`,
    /threw TypeError: no such thing\n {2}at .*harmony\.ts:\d+:\d+/,
  ],
  ['throws text', `throw 'up'`, /threw the string up/],
  ['does not parse', 'const a: = 1', /does not parse/],
  ['exports nothing', 'export const a = 1', /has no default export, not a project/],
  ['exports something else', 'export default 5', /exports the number 5/],
  ['exports a promise', 'export default Promise.resolve(1)', /exports a promise/],
  ['imports what is not there', `import './hosts.ts'\nexport default 1`, /cannot be loaded: .*hosts\.ts/],
  ['is more than types', 'enum A { B }\nexport default A.B', /only strips types/],
  ['ends the process', 'process.exit(0)', /ends the process/],
  ['waits for nothing', 'await new Promise(() => {})', /can no longer happen/],
  ['waits for too long', 'await new Promise((resolve) => setTimeout(resolve, 1e8))', /given up after 0\.5 s/],
  ['never lets go', 'while (true) {}', /still busy after 0\.5 s\n {2}at .*harmony\.ts:\d+:\d+/],
  [
    'starts what fails',
    `void Promise.reject(new Error('later'))\nawait new Promise((resolve) => setTimeout(resolve, 1e8))`,
    /nobody was waiting for it: Error: later/,
  ],
])('a project file that %s', async (_, text, words) => {
  using project = makeProject()
  project.source(text)
  const result = await project.run('plan --no-check', { HARMONY_LOAD_TIMEOUT: '0.5' })
  expect(result).toMatchObject({ status: 65, out: '' })
  expect(result.err).toMatch(words)
  expect(result.err.match(/^error:/gm)).toHaveLength(1)
  expectUntouched(project)
})

test.each([
  ['plan', 65],
  ['plan -p nowhere.ts', 65],
  ['apply --parallel none', 64],
  ['aply', 64],
  ['plan --out', 64],
  ['', 64],
  ['graph --format png', 64],
  ['drift no/such/folder', 64],
  ['drift nobody@127.0.0.1:1', 69],
  ['init Not/A/Name', 64],
  ['apply --plan none.plan --yes', 65],
])('harmony %s ends with %i in an empty folder', async (line, status) => {
  using project = makeProject()
  const result = await project.run(line)
  expect(result.status).toBe(status)
  expect(result.err).not.toBe('')
  expectUntouched(project)
})

test('a harmony.lock that is broken stops everything', async () => {
  using project = makeProject()
  project.scores('')
  project.write({ 'harmony.lock': '<<<<<<< ours' })
  expect(await project.run('apply --yes')).toMatchObject({
    status: 65,
    err: expect.stringContaining('has merge conflicts'),
  })
})

test('an agent is not there yet', async () => {
  using project = makeProject()
  project.source(
    `export default defineProject({ name: 'site', deployments: [deploy(device<LocalTopology>('kiosk-1'), [Directory({ path: '/srv' })])] })`,
  )
  expect(await project.run('check')).toMatchObject({ status: 0 })
  expect(await project.run('plan')).toMatchObject({
    status: 65,
    err: expect.stringContaining('kiosk-1 needs an agent'),
  })
})

test('a project that leaves a timer and a server running does not keep the command', async () => {
  using project = makeProject()
  project.source(`import { createServer } from 'node:net'
createServer().listen(0)
setInterval(() => {}, 1000)
export default defineProject({ name: 'site', deployments: [] })`)
  expect(await project.run('plan')).toMatchObject({ status: 0 })
})
