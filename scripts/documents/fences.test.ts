import { expect, test } from 'vitest'
import { fencesOf, mapFences } from './fences.ts'

const page = [
  '# Title',
  '',
  '```ts file=a.ts#b',
  'one',
  '',
  'two',
  '```',
  '',
  '```sh',
  '```',
  'end',
  '',
].join('\n')

test('a block tells its language, attributes, body and line', () => {
  expect(fencesOf(page)).toEqual([
    { language: 'ts', attributes: { file: 'a.ts#b' }, body: 'one\n\ntwo', line: 3 },
    { language: 'sh', attributes: {}, body: '', line: 9 },
  ])
})

test('only bodies are replaced', () => {
  const mapped = mapFences(page, ({ language }) => `in ${language}`)
  expect(mapped).toBe(page.replace('one\n\ntwo', 'in ts').replace('```sh\n', '```sh\nin sh\n'))
})

test('a block that does not end is told', () => {
  expect(() => fencesOf('text\n```ts\nconst a = 1\n')).toThrow('the block that begins in line 2 does not end')
})
