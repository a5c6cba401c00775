import { describe, expect, test } from 'vitest'
import { newKey } from './private-key.ts'
import { publicKeyLine } from './public-key.ts'
import { readTrustedKeys } from './trusted-keys.ts'

const key = newKey('ed25519', 'alice@laptop').public
const line = publicKeyLine(key)

test('keys are read from their lines', () => {
  expect(
    readTrustedKeys([
      { key: line, projects: 'any' },
      { key: line, projects: ['shop'], until: '2026-01-01T00:00:00Z' },
    ]),
  ).toEqual([
    { key, projects: 'any' },
    { key, projects: ['shop'], until: Date.UTC(2026, 0, 1) },
  ])
})

describe('is refused, with its place', () => {
  test.each<readonly [string, unknown, readonly (string | number)[]]>([
    ['a key without projects', [{ key: line }], [0, 'projects']],
    ['a misspelt member', [{ key: line, projects: 'any', untill: 'x' }], [0]],
    ['a time that is none', [{ key: line, projects: 'any', until: 'tomorrow' }], [0, 'until']],
    [
      'a key that is none',
      [
        { key: line, projects: 'any' },
        { key: 'x', projects: [] },
      ],
      [1, 'key'],
    ],
    ['a key to seal to', [{ key: publicKeyLine(newKey('x25519').public), projects: 'any' }], [0, 'key']],
    ['what is no list', { key: line }, []],
  ])('%s', (_, value, path) => {
    expect(() => readTrustedKeys(value)).toThrow(
      expect.objectContaining({ code: 'invalid-value', issues: [expect.objectContaining({ path })] }),
    )
  })
})
