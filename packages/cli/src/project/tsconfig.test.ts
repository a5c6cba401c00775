import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { findConfig, syntheticConfig } from './tsconfig.ts'

test('the nearest configuration, all that it extends, and the nearer places without one', () => {
  const folder = makeFolder({
    'tsconfig.json': `{ // a comment with "extends": "./no.json"
      "extends": ["./base", "@scope/config"], /* and */ "compilerOptions": { "paths": { "@x/*": ["./x/*"] } }, }`,
    'base.json': '{ "extends": "./deep/base.json" }',
    'deep/base.json': '{ "compilerOptions": { "checkJs": true } }',
    'node_modules/@scope/config/package.json': '{ "name": "@scope/config", "main": "tsconfig.json" }',
    'node_modules/@scope/config/tsconfig.json': '{}',
    'a/b/harmony.ts': '',
  })
  expect(findConfig(join(folder, 'a/b'))).toEqual({
    config: join(folder, 'tsconfig.json'),
    files: ['tsconfig.json', 'base.json', 'deep/base.json', 'node_modules/@scope/config/tsconfig.json'].map(
      (file) => join(folder, file),
    ),
    absent: [join(folder, 'a/b/tsconfig.json'), join(folder, 'a/tsconfig.json')],
    roots: [],
    checksJavaScript: true,
  })
})

test('configurations that extend each other end', () => {
  const folder = makeFolder({
    'tsconfig.json': '{ "extends": "./b.json" }',
    'b.json': '{ "extends": "./tsconfig.json" }',
  })
  expect(findConfig(folder).files).toHaveLength(2)
})

test('one made up for a project extends the configuration that does not include it', () => {
  const folder = makeFolder({
    'tsconfig.json': '{}',
    'node_modules/@types/node/index.d.ts': '',
    'harmony.ts': '',
  })
  const file = join(folder, 'harmony.ts')
  expect(JSON.parse(syntheticConfig(file, join(folder, 'tsconfig.json')))).toMatchObject({
    extends: join(folder, 'tsconfig.json'),
    files: [file],
    include: [],
    compilerOptions: { noEmit: true, typeRoots: [join(folder, 'node_modules/@types')] },
  })
})

test.each([
  ['harmony.ts', '{ "type": "module" }', 'nodenext'],
  ['harmony.ts', '{}', 'preserve'],
  ['harmony.mts', '{}', 'nodenext'],
])('without any configuration %s beside %s is checked as %s', (name, manifest, module) => {
  const folder = makeFolder({ 'package.json': manifest, [name]: '' })
  const made = JSON.parse(syntheticConfig(join(folder, name), undefined))
  expect(made.compilerOptions).toMatchObject({ module, strict: true, types: [] })
})

test.each<[readonly string[], readonly string[] | undefined]>([
  [
    ['*.ts', 'src'],
    ['', 'src'],
  ],
  [['.gen/**/*.ts'], ['.gen']],
  [
    ['../shared/**/*', 'a/b?/c'],
    ['../shared', 'a'],
  ],
  [['${configDir}/x/*'], ['x']],
  [['*/.hidden/*.ts'], undefined],
])('the folders of include %j are %j', (include, roots) => {
  const folder = makeFolder({ 'tsconfig.json': JSON.stringify({ include }) })
  expect(findConfig(folder).roots).toEqual(roots?.map((root) => join(folder, root)))
})
