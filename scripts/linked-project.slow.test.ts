/**
 * A project may be linked to a clone of Harmony, which then runs and compiles from source. The sources are judged by
 * the project's own compiler options, so they have to hold under any that are reasonable.
 */
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
let project = ''

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-linked-')))
  mkdirSync(join(project, 'node_modules/@harmony-iac'), { recursive: true })
  const entries: string[] = []
  for (const folder of readdirSync(join(root, 'packages'))) {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'))
    symlinkSync(join(root, 'packages', folder), join(project, 'node_modules', manifest.name))
    entries.push(...Object.keys(manifest.exports).map((entry) => join(manifest.name, entry)))
  }
  const lines = entries.map((entry, i) => `import * as entry${i} from '${entry}'`)
  const names = entries.map((_, i) => `entry${i}`).join(', ')
  writeFileSync(
    join(project, 'harmony.ts'),
    [
      ...lines,
      "import { defineProject } from '@harmony-iac/core'",
      `export const loaded: number = [${names}].length`,
      "export default defineProject({ name: 'linked', deployments: [] })",
      '',
    ].join('\n'),
  )
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

describe('a project that is linked to the clone', () => {
  const plain = { module: 'nodenext', target: 'es2024' }
  test.each([
    ['plain', plain],
    ['without the types of browsers', { ...plain, strict: true, lib: ['es2024'] }],
    ['emitting files', { ...plain, strict: true, rootDir: '.', outDir: 'out' }],
    [
      'strict',
      {
        ...plain,
        strict: true,
        noEmit: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
      },
    ],
  ])('compiles with options: %s', (_, compilerOptions) => {
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['harmony.ts'] }),
    )
    const { status, output } = check()
    expect(output).not.toContain('error')
    expect(status).toBe(0)
  })
})

function check(): { readonly status: number | null; readonly output: string } {
  const launcher = join(root, 'packages/cli/bin/harmony.js')
  const env = { ...process.env, XDG_CACHE_HOME: join(project, 'cache') }
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, 'check'], {
    cwd: project,
    encoding: 'utf8',
    env,
  })
  return { status, output: `${stdout}${stderr}`.trim() }
}
