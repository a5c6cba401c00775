import { expect, test } from 'vitest'
import { docOf, membersOf } from './doc-comments.ts'

const source = `
/** What a {@link Thing} is made from. */
export interface ThingSpec {
  /** Where. */
  readonly path: string
  /**
   * Of many lines,
   * with \`code\`.
   */
  readonly mode?: string | undefined
  readonly bare: number
}

/**
 * A thing: \`Thing({ path })\`.
 *
 * More about it.
 * @example
 * Thing({ path: '/a' })
 */
export const Thing = 1
`

test('a doc comment is read without stars, links and what is for tools', () => {
  expect(docOf(source, 'Thing')).toBe('A thing: `Thing({ path })`.\n\nMore about it.')
  expect(docOf(source, 'ThingSpec')).toBe('What a `Thing` is made from.')
})

test('members are read with their comments', () => {
  expect(membersOf(source, 'ThingSpec')).toEqual([
    { name: 'path', text: 'Where.' },
    { name: 'mode', text: 'Of many lines,\nwith `code`.' },
    { name: 'bare', text: '' },
  ])
})

test('what has no comment is told', () => {
  expect(() => docOf('export const Bare = 1', 'Bare')).toThrow('Bare has no doc comment')
})
