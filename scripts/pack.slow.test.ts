/**
 * What is published is tried as a user would: installed from its tarballs, in a project that knows nothing of the
 * repository.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Manifest } from './publish/manifest.ts'
import { describeWith } from './testing/require-part.ts'

const root = join(import.meta.dirname, '..')

describeWith(
  { name: 'a package registry', get: 'connect to a network', present: registryAnswers() },
  'the published packages',
  () => {
    let folder = ''
    let project = ''
    let manifests: readonly Manifest[] = []

    beforeAll(() => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-pack-')))
      project = join(folder, 'project')
      mkdirSync(project)
      const packed = join(folder, 'packed')
      run(process.execPath, [join(root, 'scripts/pack.ts'), packed], root)
      manifests = globSync(join(packed, '*/package.json')).map((path) =>
        JSON.parse(readFileSync(path, 'utf8')),
      )
      writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
      const tarballs = globSync(join(packed, '*.tgz'))
      expect(tarballs).toHaveLength(manifests.length)
      run(
        'npm',
        ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs],
        project,
      )
    }, 240_000)
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    test('harmony --version prints the version', () => {
      const version = manifests.find(({ bin }) => bin)?.version
      expect(run('node_modules/.bin/harmony', ['--version'], project)).toBe(version)
    })

    test('the command runs from what was built', () => {
      expect(run('node_modules/.bin/harmony', ['--help'], project)).toContain('plan')
    })

    test('every entry can be imported by plain JavaScript', () => {
      const lines = entries(manifests).map((entry) => `await import('${entry}')`)
      writeFileSync(join(project, 'imports.js'), [...lines, `console.log('imported')`].join('\n'))
      expect(run(process.execPath, ['imports.js'], project)).toBe('imported')
    })

    test('a plain TypeScript project compiles against the declarations', () => {
      const lines = entries(manifests).map((entry, i) => `export * as entry${i} from '${entry}'`)
      writeFileSync(join(project, 'harmony.ts'), lines.join('\n'))
      const compilerOptions = { module: 'nodenext', target: 'es2024', noEmit: true }
      writeFileSync(
        join(project, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['harmony.ts'] }),
      )
      expect(run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], project)).toBe(
        '',
      )
    })
  },
)

function entries(manifests: readonly Manifest[]): readonly string[] {
  return manifests.flatMap(({ name, exports = {} }) => Object.keys(exports).map((entry) => join(name, entry)))
}

/** What a command printed; an error with all that it printed when it failed. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (${status ?? error}):\n${stdout}${stderr}`)
  return stdout.trim()
}

function registryAnswers(): boolean {
  try {
    execFileSync('npm', ['view', 'zod', 'version'], { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}
