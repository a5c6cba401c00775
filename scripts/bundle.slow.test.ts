/** The bundle of the real sources does what they do, and is what a project gets that imports one of our packages. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const url = (path: string) => JSON.stringify(pathToFileURL(join(root, path)).href)
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(root, 'packages/cli/.bundle-test-'))
  execFileSync(process.execPath, [join(root, 'scripts/bundle.ts'), folder], { stdio: 'inherit' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the command line in an example; says which of our modules it has loaded in the end. */
function run(main: string, args: readonly string[], cwd = join(root, 'examples/static-site')) {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const { main } = await import(${main})
    process.exitCode = await main(process.argv.slice(2))
    process.on('exit', () => console.error(JSON.stringify(loaded)))`
  writeFileSync(join(folder, 'run.mjs'), program)
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'run.mjs'), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, HARMONY_STATE_DIR: join(folder, 'state') },
  })
  const lines = stderr.trimEnd().split('\n')
  const loaded: readonly string[] = JSON.parse(lines.pop() ?? '[]')
  return { ended: { status, stdout, stderr: lines }, loaded }
}

const fromSources = (args: readonly string[]) => run(url('packages/cli/src/main.ts'), args)
const bundled = (args: readonly string[], cwd?: string) => {
  const bundle = JSON.stringify(pathToFileURL(`${folder}/`).href)
  return run(`(await import(${url('packages/cli/bin/bundle.js')})).useBundle(new URL(${bundle}))`, args, cwd)
}

describe('from the bundle', () => {
  test.each([
    [['--help']],
    [['graph']],
    [['show', 'nothing']],
    [['schema', 'File']],
    [['plan', '--no-check']],
    [['no-such-command']],
  ])('harmony %j ends as it does from the sources, and says the same', (args) => {
    expect(bundled(args).ended).toEqual(fromSources(args).ended)
  })

  test('harmony init knows that it is in a clone', () => {
    bundled(['init', 'made'], folder)
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'made/package.json'), 'utf8'))
    expect(dependencies['@harmony-iac/core']).toBe('file:../../../core')
  })

  test('none of our modules and none of zod is loaded beside it', () => {
    const { loaded, ended } = bundled(['plan', '--no-check'])
    expect(ended).toMatchObject({ status: 2, stderr: [] })
    expect(loaded.filter((each) => /packages\/\w+\/src\/|node_modules\/zod\//.test(each))).toEqual([])
    expect(loaded.length).toBeLessThan(60)
  })
})
