/** The reference says what the code says. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { byHand, referencePages } from './reference/pages.ts'

const folder = join(import.meta.dirname, '../docs/reference')
const pages = referencePages()

test('every page is there, and no other', () => {
  expect(globSync('**/*.md', { cwd: folder }).sort()).toEqual([...Object.keys(pages), ...byHand].sort())
})

test.each(Object.keys(pages))('%s is as generated (npm run reference writes it anew)', (name) => {
  expect(readFileSync(join(folder, name), 'utf8')).toBe(pages[name])
})
