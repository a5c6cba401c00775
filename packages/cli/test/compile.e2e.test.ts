/** The compiler in the loop: what does not compile is not run, and the verdict is remembered exactly as long as it holds. */
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeProject, type Project } from './project.ts'

const verdictOf = async (project: Project): Promise<unknown> => {
  const { status, events, err } = await project.run('plan --json')
  expect(err).toBe('')
  return events.find(({ type }) => type === 'compiled')?.verdict ?? status
}

/** What is that young is not remembered (see verdict.ts). */
function age(project: Project, ...paths: readonly string[]): void {
  for (const path of paths) utimesSync(join(project.folder, path), new Date(1e12), new Date(1e12))
}

test('a Score that its topology cannot carry is refused in words, with the line; nothing is run', async () => {
  using project = makeProject()
  project.source(`console.log('ran')
const hosts = ['a', 'b']
export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology(), [
  Directory({ path: root }),
  hosts.map((name) => ShellJob({ name, argv: ['true'] })),
])] })`)
  for (const line of ['check', 'plan', 'apply --yes']) {
    const { status, out, err } = await project.run(line)
    expect([line, status, out]).toEqual([line, 65, ''])
    expect(err).toContain(
      "Property 'shell' is missing in type 'LocalTopology' but required in type '{ readonly shell: Shell; }'.",
    )
    expect(err).toContain('LocalTopology does not offer shell, which ShellJob needs')
    expect(err).not.toMatch(/^ran$/m)
    expect(err).toMatch(/at .*harmony\.ts:11:3\n.*\n {4}> 11 \| {3}hosts\.map/)
  }
  expect((await project.run('plan --no-check')).err).toMatch(/^ran$/m)
})

test('a verdict is remembered, and dropped when the type of a dependency changes', async () => {
  using project = makeProject()
  const dependency = 'vendor/dep/index.d.ts'
  project.write({
    'vendor/dep/package.json':
      '{ "name": "dep", "version": "1.0.0", "type": "module", "types": "index.d.ts", "exports": { "types": "./index.d.ts", "default": "./index.js" } }',
    'vendor/dep/index.js': 'export const port = 8080',
    [dependency]: 'export declare const port: number',
  })
  renameSync(join(project.folder, 'vendor/dep'), join(project.folder, 'node_modules/dep'))
  project.source(`import { port } from 'dep'
const wanted: number = port
export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology(), [File({ path: root, content: String(wanted) })])] })`)
  expect(await verdictOf(project)).toBe('fresh')
  expect(await verdictOf(project)).toBe('cached')

  project.write({ 'node_modules/dep/index.d.ts': 'export declare const port: string' })
  expect(await project.run('plan')).toMatchObject({
    status: 65,
    err: expect.stringContaining("Type 'string' is not assignable to type 'number'"),
  })
  expect(await project.run('apply --yes')).toMatchObject({ status: 65 })
  expect(await project.run('plan')).toMatchObject({ status: 65 })

  project.write({ 'node_modules/dep/index.d.ts': 'export declare const port: number' })
  expect(await verdictOf(project)).toBe('cached')
})

test.each<[string, (project: Project) => void, string]>([
  ['nothing', () => {}, 'cached'],
  ['a touched file', (project) => age(project, 'hosts.ts'), 'cached'],
  ['another comment', (project) => appendFileSync(join(project.folder, 'hosts.ts'), '// more\n'), 'fresh'],
  [
    'another configuration',
    (project) =>
      project.write({
        'tsconfig.json': '{ "extends": "./base.json", "compilerOptions": { "removeComments": true } }',
      }),
    'fresh',
  ],
  [
    'another base of the configuration',
    (project) => appendFileSync(join(project.folder, 'base.json'), '\n'),
    'fresh',
  ],
  ['another lock file', (project) => project.write({ 'package-lock.json': '{}' }), 'fresh'],
  [
    'a new file that the configuration includes',
    (project) => project.write({ 'deep/new.ts': 'export {}' }),
    'fresh',
  ],
  ['the first apply', (project) => project.write({ 'notes.txt': 'x' }), 'cached'],
])('the verdict after %s', async (_, change, verdict) => {
  using project = makeProject()
  project.write({
    'tsconfig.json': '{ "extends": "./base.json" }',
    'base.json':
      '{ "compilerOptions": { "target": "es2024", "module": "nodenext", "types": ["node"], "noEmit": true, "skipLibCheck": true } }',
    'hosts.ts': 'export const hosts = ["a"]\n',
    'deep/old.ts': 'export {}',
  })
  project.source(`import { hosts } from './hosts.ts'
export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology(), hosts.map((host) => Directory({ path: root + host })))] })`)
  expect(await verdictOf(project)).toBe('fresh')
  expect(await verdictOf(project)).toBe('cached')
  change(project)
  expect(await verdictOf(project)).toBe(verdict)
  expect(await verdictOf(project)).toBe('cached')
})

test('a project file that no configuration includes is checked as well', async () => {
  using project = makeProject()
  project.write({
    'tsconfig.json':
      '{ "compilerOptions": { "module": "nodenext", "noEmit": true, "types": ["node"] }, "include": ["src"] }',
    'src/a.ts': 'export {}',
  })
  project.scores(`File({ path: root, content: 5 })`)
  expect(await project.run('check')).toMatchObject({ status: 65, err: expect.stringContaining('TS2322') })
  rmSync(join(project.folder, 'tsconfig.json'))
  expect(await project.run('check')).toMatchObject({ status: 65, err: expect.stringContaining('TS2322') })
  project.scores(`Directory({ path: root })`)
  expect(await project.run('check')).toMatchObject({ status: 0 })
})

test('JavaScript has nothing to check, unless it asks for it', async () => {
  using project = makeProject()
  const text = `import { defineProject } from '@harmony-iac/core'\n/** @type {number} */\nexport const a = 'x'\nexport default defineProject({ name: 'site', deployments: [] })\n`
  project.write({ 'harmony.js': text })
  expect((await project.run('check')).out).toContain('is JavaScript')
  project.write({
    'tsconfig.json':
      '{ "compilerOptions": { "module": "nodenext", "noEmit": true, "allowJs": true, "checkJs": true }, "include": ["*.js"] }',
  })
  expect(await project.run('check')).toMatchObject({ status: 65 })
})

test('a compiler that is killed leaves no good verdict', async () => {
  using project = makeProject()
  project.scores(`File({ path: root, content: 5 })`)
  const modules = join(project.folder, 'node_modules')
  mkdirSync(join(project.sandbox.folder, '.cache'), { recursive: true })
  for (const name of ['typescript', '@typescript'])
    renameSync(join(modules, name), join(project.sandbox.folder, `.cache/${name}`))
  project.write({
    'node_modules/typescript/package.json': '{ "name": "typescript", "version": "7.0.0" }',
    'node_modules/typescript/bin/tsc': `process.kill(process.pid, 'SIGKILL')`,
  })
  expect(await project.run('plan')).toMatchObject({
    status: 65,
    err: expect.stringContaining('ended by SIGKILL without a verdict'),
  })
  rmSync(join(modules, 'typescript'), { recursive: true })
  for (const name of ['typescript', '@typescript'])
    renameSync(join(project.sandbox.folder, `.cache/${name}`), join(modules, name))
  expect(await project.run('plan')).toMatchObject({ status: 65, err: expect.stringContaining('TS2322') })
})

test('a folder that is a link works, and so does one whose caches cannot be written', async () => {
  using project = makeProject()
  project.scores(`Directory({ path: root })`)
  symlinkSync(project.folder, join(project.sandbox.folder, 'link'))
  expect(await project.run(`plan -p ${project.sandbox.folder}/link`)).toMatchObject({ status: 2 })
  expect(await verdictOf(project)).toBe('cached')
  rmSync(join(project.folder, 'node_modules/.cache'), { recursive: true, force: true })
  project.write({ 'node_modules/.cache': 'in the way' })
  expect(await project.run('plan', { XDG_CACHE_HOME: '/dev/null', HOME: '/dev/null' })).toMatchObject({
    status: 2,
    err: '',
  })
  expect(existsSync(join(project.folder, 'tsconfig.json'))).toBe(true)
})

test.each([
  ['a hidden folder', '.gen/**/*.ts', '.gen/b.ts'],
  ['a folder outside', '../shared/**/*.ts', '../shared/sub/b.ts'],
  ['a hidden folder below another', '*/.gen/*.ts', 'src/.gen/b.ts'],
])(
  'a good verdict does not outlive a new file in %s that tsconfig.json includes',
  async (_, include, file) => {
    using project = makeProject()
    project.scores(`Directory({ path: root })`)
    project.write({
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          types: ['node'],
          strict: true,
          skipLibCheck: true,
          noEmit: true,
        },
        include: ['*.ts', include],
      }),
      [join(file, '../a.ts')]: 'export {}',
    })
    expect(await project.run('check')).toMatchObject({ status: 0 })
    project.write({ [file]: 'export const broken: string = 5' })
    expect(await project.run('check')).toMatchObject({ status: 65 })
  },
)

test('the file with the problem is named, not always the project file', async () => {
  using project = makeProject()
  project.scores(`Directory({ path: root })`)
  project.write({ 'other.ts': `import { nothing } from './harmony.ts'\nvoid nothing` })
  const { status, err } = await project.run('check')
  expect(status).toBe(65)
  expect(err).toMatch(/^error: .*other\.ts, which the tsconfig\.json includes, does not compile/)
})
