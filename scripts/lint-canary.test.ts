/**
 * A lost promise is a write that nobody waits for, so the linter has to see each one, also where the async function
 * comes from another package and where its type is inferred. Linters that infer types on their own lose sight of some
 * of these without a word; this test notices.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const fixture = 'packages/cli/fixtures/lint-canary/floating-promises.ts'

test('every floating promise is reported, across package borders, and nothing else', () => {
  const marked = readFileSync(join(root, fixture), 'utf8')
    .split('\n')
    .flatMap((line, i) => (line.endsWith('// floats') ? [i + 1] : []))
  expect(marked.length).toBeGreaterThan(5)
  expect(linesReported()).toEqual(marked)
})

/** Fixtures are left out of ordinary linting, hence a configuration that differs in this alone. */
function linesReported(): readonly number[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      'node_modules/oxlint/bin/oxlint',
      '--no-ignore',
      '-c',
      'scripts/fixtures/oxlint-canary.json',
      '--format',
      'json',
      fixture,
    ],
    { cwd: root, encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: readonly { readonly code: string; readonly labels: readonly { span: { line: number } }[] }[]
  }
  const lines = diagnostics.map(({ code, labels }) => {
    expect(code).toBe('typescript(no-floating-promises)')
    return labels[0]?.span.line ?? 0
  })
  return lines.sort((a, b) => a - b)
}
