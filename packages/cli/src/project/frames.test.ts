import { expect, test } from 'vitest'
import { makeFolder } from '../../test/folder.ts'
import { frameOfFile, userFrame } from './frames.ts'

const place = { file: '/p/harmony.ts', folder: '/p' }
const withStack = (stack: string) => Object.assign(new Error(), { stack })

test.each([
  [
    'the first place in the project',
    'Error: x\n    at f (file:///p/node_modules/a/i.js:1:1)\n    at file:///p/hosts.ts:2:3\n    at file:///p/harmony.ts:9:9',
    { file: '/p/hosts.ts', line: 2, column: 3 },
  ],
  [
    'a syntax error, which has its place in front',
    'file:///p/harmony.ts:4\nconst a: = 1\n         ^\nSyntaxError: x',
    { file: '/p/harmony.ts', line: 4, column: 10 },
  ],
  [
    'a file elsewhere, if none of the project',
    'Error\n    at g (file:///q/lib.ts:7:8)',
    { file: '/q/lib.ts', line: 7, column: 8 },
  ],
  ['not Node itself', 'Error\n    at listOnTimeout (node:internal/timers:685:17)', undefined],
])('%s', (_, stack, frame) => {
  expect(userFrame(withStack(stack), place)).toEqual(frame)
})

test('not Harmony', () => {
  expect(userFrame(new Error('here'), place)).toBeUndefined()
  expect(userFrame('thrown text', place)).toBeUndefined()
})

test('the line with the column marked', () => {
  const folder = makeFolder({ 'a.ts': 'one\n\ttwo\nthree\nfour' })
  expect(frameOfFile(`${folder}/a.ts`, 2, 2)).toBe('  1 | one\n> 2 |  two\n    |  ^\n  3 | three')
  expect(frameOfFile(`${folder}/a.ts`, 99, 1)).toBeUndefined()
  expect(frameOfFile(`${folder}/none.ts`, 1, 1)).toBeUndefined()
})
