import { describe, expect, test } from 'vitest'
import { entriesOf, type Manifest, publishedManifest } from './manifest.ts'

const library: Manifest = {
  name: '@x/a',
  version: '1.2.3',
  license: 'Apache-2.0',
  exports: {
    '.': { types: './src/index.ts', default: './src/index.ts' },
    './testing': { types: './src/testing/index.ts', default: './src/testing/index.ts' },
  },
  imports: { '#*': './src/*.ts' },
  dependencies: { '@x/b': '0.0.0', zod: '^4.0.0' },
}
const command: Manifest = { name: '@x/c', version: '1.2.3', bin: { c: './bin/c.js' } }

describe('what is published', () => {
  test('points at JavaScript with declarations, and needs its siblings in the version they were built with', () => {
    expect(publishedManifest(library, new Map([['@x/b', '1.2.3']]))).toEqual({
      name: '@x/a',
      version: '1.2.3',
      license: 'Apache-2.0',
      files: ['dist'],
      exports: {
        '.': { types: './dist/index.d.ts', default: './dist/index.js' },
        './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' },
      },
      imports: { '#*': { types: './dist/*.d.ts' } },
      dependencies: { '@x/b': '1.2.3', zod: '^4.0.0' },
    })
  })

  test('keeps the launcher of a command', () => {
    expect(publishedManifest(command, new Map())).toMatchObject({
      bin: { c: './bin/c.js' },
      files: ['bin', 'dist', 'templates'],
    })
  })
})

test.each([
  [
    'a library is built from its exports',
    library,
    { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' },
  ],
  ['a command is built from the module that its launcher imports', command, { main: 'src/main.ts' }],
])('%s', (_, manifest, entries) => {
  expect(entriesOf(manifest)).toEqual(entries)
})
