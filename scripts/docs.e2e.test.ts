/** What the pages show on a console is what happens there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fencesOf } from './documents/fences.ts'
import { pages, repository } from './documents/pages.ts'
import { playSessions, withoutChance } from './documents/sessions.ts'

const played = pages.filter((page) =>
  fencesOf(read(page)).some(({ attributes }) => attributes.session !== undefined),
)

test.each(played)('%s shows what really happens (npm run docs writes it anew)', (page) => {
  const text = read(page)
  expect(withoutChance(playSessions(text))).toBe(withoutChance(text))
})

function read(page: string): string {
  return readFileSync(join(repository, page), 'utf8')
}
