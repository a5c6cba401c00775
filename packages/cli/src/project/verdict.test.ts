import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder, writeFiles } from '../../test/folder.ts'
import { keepVerdict, noteLoads, recallVerdict, verdictStore } from './verdict.ts'

const later = () => Date.now() + 60_000

function kept(files: Readonly<Record<string, string>>, evidence: readonly string[]) {
  const folder = makeFolder({ 'node_modules/.keep': '', ...files })
  const store = verdictStore(join(folder, 'harmony.ts'), { HOME: join(folder, 'home') })
  keepVerdict(
    store,
    'tsconfig.json',
    evidence.map((path) => join(folder, path)),
    later(),
  )
  return { folder, store }
}

test('holds while nothing has changed', () => {
  const { store } = kept({ 'harmony.ts': 'a' }, ['harmony.ts', 'absent.json', '.'])
  expect(recallVerdict(store)).toEqual({ config: 'tsconfig.json', loads: false })
  noteLoads(store)
  expect(recallVerdict(store)?.loads).toBe(true)
})

test.each<[string, (folder: string) => void, boolean]>([
  ['another content', (folder) => writeFileSync(join(folder, 'src/a.ts'), 'b'), false],
  ['the same content written again', (folder) => writeFileSync(join(folder, 'src/a.ts'), 'a'), true],
  ['another time only', (folder) => utimesSync(join(folder, 'src/a.ts'), 1, 1), true],
  [
    'another content of the same size and time',
    (folder) => {
      writeFileSync(join(folder, 'src/a.ts'), 'z')
      utimesSync(join(folder, 'src/a.ts'), 1, 1)
    },
    false,
  ],
  ['a new source file', (folder) => writeFileSync(join(folder, 'src/new.ts'), ''), false],
  ['a new folder', (folder) => mkdirSync(join(folder, 'src/new')), false],
  ['a new file that no compiler reads', (folder) => writeFileSync(join(folder, 'src/notes.md'), ''), true],
  ['a file where there was none', (folder) => writeFileSync(join(folder, 'package-lock.json'), '{}'), false],
])('%s', (_, change, holds) => {
  const { folder, store } = kept({ 'harmony.ts': '', 'src/a.ts': 'a' }, [
    'harmony.ts',
    'src',
    'src/a.ts',
    'package-lock.json',
  ])
  change(folder)
  expect(recallVerdict(store) !== undefined).toBe(holds)
  expect(recallVerdict(store) !== undefined).toBe(holds)
})

test('what may have changed after the compiler read it is not remembered', () => {
  const folder = makeFolder({ 'node_modules/.keep': '', 'harmony.ts': '' })
  const store = verdictStore(join(folder, 'harmony.ts'), {})
  keepVerdict(store, '', [join(folder, 'harmony.ts')], Date.now())
  expect(recallVerdict(store)).toBeUndefined()
})

test('projects that share a node_modules by a link do not share verdicts', () => {
  const folder = makeFolder({ 'shared/x': '', 'a/harmony.ts': '', 'b/harmony.ts': '' })
  for (const name of ['a', 'b']) symlinkSync(join(folder, 'shared'), join(folder, name, 'node_modules'))
  const [a, b] = ['a', 'b'].map((name) => verdictStore(join(folder, name, 'harmony.ts'), {}))
  if (!a || !b) throw new Error('two stores')
  keepVerdict(a, '', [join(folder, 'a/harmony.ts')], later())
  expect(recallVerdict(a)).toBeDefined()
  expect(recallVerdict(b)).toBeUndefined()
})

test('without a node_modules the cache of the user is used, and nowhere to write is no error', () => {
  const folder = makeFolder({ 'harmony.ts': '' })
  const store = verdictStore(join(folder, 'harmony.ts'), { XDG_CACHE_HOME: join(folder, 'cache') })
  keepVerdict(store, '', [join(folder, 'harmony.ts')], later())
  expect(existsSync(join(folder, 'cache/harmony/verdicts'))).toBe(true)
  expect(recallVerdict(store)).toBeDefined()

  const nowhere = verdictStore(join(folder, 'harmony.ts'), { HOME: '/dev/null' })
  keepVerdict(nowhere, '', [join(folder, 'harmony.ts')], later())
  expect(recallVerdict(nowhere)).toBeUndefined()
})

test('half a file is no verdict', () => {
  const { store } = kept({ 'harmony.ts': '' }, ['harmony.ts'])
  const file = join(store.folders[0] ?? '', 'verdict.json')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10))
  expect(recallVerdict(store)).toBeUndefined()
})

test('what cannot be read any more does not hold', () => {
  const { folder, store } = kept({ 'harmony.ts': '', 'sub/a.ts': '' }, ['sub/a.ts'])
  chmodSync(join(folder, 'sub'), 0)
  // Root reads it all the same.
  expect(recallVerdict(store) !== undefined).toBe(process.getuid?.() === 0)
  chmodSync(join(folder, 'sub'), 0o755)
  writeFiles(folder, { 'sub/a.ts': 'other' })
  expect(recallVerdict(store)).toBeUndefined()
})
