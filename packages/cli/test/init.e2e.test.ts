/** The project that `init` writes works as it is. (With a real `npm install`: `init.slow.test.ts`.) */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeProject } from './project.ts'

test('is complete, compiles, passes its test, plans and applies unchanged', async () => {
  using project = makeProject()
  const made = await project.run('init my-site')
  expect(made).toMatchObject({ status: 0, err: '' })
  const folder = join(project.folder, 'my-site')
  expect(readdirSync(folder).sort()).toEqual([
    '.gitignore',
    'README.md',
    'harmony.test.ts',
    'harmony.ts',
    'package.json',
    'tsconfig.json',
  ])
  for (const name of readdirSync(folder)) {
    expect(made.out).toContain(name)
    expect(readFileSync(join(folder, name), 'utf8')).not.toContain('{{')
  }
  expect(statSync(folder).mode & 0o777).toBe(0o755 & ~process.umask())
  // As after `npm install`.
  renameSync(join(project.folder, 'node_modules'), join(folder, 'node_modules'))

  const tested = spawnSync('node', ['--test'], { cwd: folder, env: project.sandbox.env, encoding: 'utf8' })
  expect(tested.stdout).toMatch(/pass 3$/m)
  expect(tested.status).toBe(0)
  for (const [line, status] of [
    ['check', 0],
    ['plan', 2],
    ['apply --yes', 0],
    ['plan', 0],
    ['destroy --yes', 0],
  ] as const)
    expect([line, (await project.run(`${line} -p my-site`)).status]).toEqual([line, status])
  expect(existsSync(join(folder, 'public'))).toBe(false)
})

test.each(['My-Site', 'a b', '.hidden', '_x', 'node_modules', 'a'.repeat(64), '../up', 'a/b', 'é'])(
  '%s is no name for a project',
  async (name) => {
    using project = makeProject()
    const before = readdirSync(project.folder)
    // Words are split at blanks here.
    expect(await project.run(`init ${name.replace(' ', '\u00a0')}`)).toMatchObject({ status: 64 })
    expect(readdirSync(project.folder)).toEqual(before)
  },
)

test('nothing is overwritten, not even by half', async () => {
  using project = makeProject()
  project.write({ 'full/file': 'mine', flat: 'mine' })
  mkdirSync(join(project.folder, 'empty'))
  expect(await project.run('init full')).toMatchObject({
    status: 64,
    err: expect.stringContaining('exists already'),
  })
  expect(await project.run('init flat')).toMatchObject({ status: 64 })
  expect(await project.run('init empty')).toMatchObject({ status: 0 })
  expect(readdirSync(join(project.folder, 'full'))).toEqual(['file'])
  expect(readdirSync(project.folder).filter((name) => name.startsWith('.'))).toEqual([])
})

test('its test does not stand in the way of another harmony.ts, and passes after the edits of the guide', async () => {
  using project = makeProject()
  await project.run('init my-site')
  const folder = join(project.folder, 'my-site')
  renameSync(join(project.folder, 'node_modules'), join(folder, 'node_modules'))
  const file = join(folder, 'harmony.ts')
  const text = readFileSync(file, 'utf8')
  const edited = text.replace(/^.*site\.json.*\n/m, '').replace('<h1>', '<h1 class="big">')
  expect(edited.length).toBeLessThan(text.length)
  project.write({ 'my-site/harmony.ts': edited })
  const tested = spawnSync('node', ['--test'], { cwd: folder, env: project.sandbox.env, encoding: 'utf8' })
  expect(tested.stdout).toMatch(/fail 0$/m)
  project.scores(`Directory({ path: root })`)
  renameSync(join(project.folder, 'harmony.ts'), file)
  expect(await project.run('plan -p my-site')).toMatchObject({ status: 2, err: '' })
})
