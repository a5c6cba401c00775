/**
 * What is published is tried as a user would: from its tarballs, in a project that knows nothing of the repository.
 * They are unpacked as npm does it, but beside each package lies only what its own manifest lists, so that a forgotten
 * dependency shows; with npm one package finds what another asked for. No registry is needed, either.
 */
import { spawnSync } from 'node:child_process'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Manifest } from './publish/manifest.ts'

const root = join(import.meta.dirname, '..')
let folder = ''
let project = ''
let manifests: readonly Manifest[] = []

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-pack-')))
  project = join(folder, 'project')
  mkdirSync(join(project, 'node_modules/.bin'), { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
  const packed = join(folder, 'packed')
  run(process.execPath, [join(root, 'scripts/pack.ts'), packed], root)
  manifests = globSync(join(packed, '*.tgz')).map(install)
  expect(manifests.length).toBeGreaterThan(0)
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
  const lines = entries().map((entry) => `await import('${entry}')`)
  writeFileSync(join(project, 'imports.js'), [...lines, `console.log('imported')`].join('\n'))
  expect(run(process.execPath, ['imports.js'], project)).toBe('imported')
})

test('a plain TypeScript project compiles against the declarations', () => {
  const lines = entries().map((entry, i) => `export * as entry${i} from '${entry}'`)
  writeFileSync(join(project, 'harmony.ts'), lines.join('\n'))
  const compilerOptions = { module: 'nodenext', target: 'es2024', noEmit: true }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['harmony.ts'] }))
  expect(run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], project)).toBe('')
})

/** Unpacks a tarball, links its commands, and puts its dependencies beside it. */
function install(tarball: string): Manifest {
  const unpacked = mkdtempSync(join(folder, 'unpacked-'))
  run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1'], folder)
  const manifest: Manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'))
  const home = join(project, 'node_modules', manifest.name)
  mkdirSync(dirname(home), { recursive: true })
  renameSync(unpacked, home)
  for (const [command, path] of Object.entries(manifest.bin ?? {}))
    symlinkSync(join(home, path), join(project, 'node_modules/.bin', command))
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (name.startsWith('@harmony-iac/')) continue
    const link = join(home, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  return manifest
}

function entries(): readonly string[] {
  return manifests.flatMap(({ name, exports = {} }) => Object.keys(exports).map((entry) => join(name, entry)))
}

/** What a command printed; an error with all that it printed when it failed. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (${status ?? error}):\n${stdout}${stderr}`)
  return stdout.trim()
}
