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
    [...lines, `export const loaded: number = [${names}].length`, 'console.log(loaded)', ''].join('\n'),
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
    expect(run('node_modules/typescript/bin/tsc', '-p', project)).toBe('')
  })

  test('runs from source', () => {
    expect(Number(run(join(project, 'harmony.ts')))).toBeGreaterThan(0)
  })
})

function run(...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  return `${stdout}${stderr}`.trim()
}
