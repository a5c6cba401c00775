import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let root = ''
let clone = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'harmony-bundle-'))
  clone = join(root, 'clone')
  for (const name of ['harmony.js', 'bundle.js']) {
    mkdirSync(join(clone, 'cli/bin'), { recursive: true })
    cpSync(join(import.meta.dirname, name), join(clone, 'cli/bin', name))
  }
  write('cli/package.json', '{ "type": "module" }')
  write('cli/src/main.ts', main('sources'))
  write('node_modules/core/package.json', '{ "type": "module", "exports": "./index.js" }')
  write('node_modules/core/index.js', `export const from = 'sources'`)
  write('cli/.bundle/main.js', main('bundle'))
  write('cli/.bundle/deep/core.js', `export const from = 'bundle'`)
  const { size, mtimeMs } = statSync(join(clone, 'cli/src/main.ts'))
  const made = {
    inputs: [['../src/main.ts', size, mtimeMs]],
    entries: { '../../node_modules/core/index.js': 'deep/core.js' },
  }
  write('cli/.bundle/made.json', JSON.stringify(made))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Says who runs, and from where it gets the package that a project imports. */
const main = (who: string) => `
export async function main() {
  const { from } = await import('core')
  console.log('${who} with core from ' + from)
  return 0
}`

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true })
  writeFileSync(join(clone, path), text)
}

function run(folder = clone): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'cli/bin/harmony.js'), 'x'], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: join(root, 'cache') },
  })
  return stdout.trim() + stderr.trim()
}

test('a bundle of the sources as they are runs, and is what others import as well', () => {
  expect(run()).toBe('bundle with core from bundle')
})

test('it may be moved along with the clone', () => {
  renameSync(clone, join(root, 'moved here'))
  expect(run(join(root, 'moved here'))).toBe('bundle with core from bundle')
})

const stale: readonly [string, () => void][] = [
  ['a source was edited', () => write('cli/src/main.ts', `${main('sources')}\n`)],
  ['a source was written anew, of the same size', () => utimesSync(join(clone, 'cli/src/main.ts'), 1, 1)],
  ['there is none', () => rmSync(join(clone, 'cli/.bundle'), { recursive: true })],
  ['its list is damaged', () => write('cli/.bundle/made.json', '{ "inputs": [[')],
  [
    'a source is gone',
    () => write('cli/.bundle/made.json', JSON.stringify({ inputs: [['../src/x.ts', 1, 1]], entries: {} })),
  ],
]
test.each(stale)('when %s, the sources run', (_, change) => {
  change()
  expect(run()).toBe('sources with core from sources')
})
