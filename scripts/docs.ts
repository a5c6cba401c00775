/**
 * `npm run docs`: writes into the pages what they quote: regions of files, and what console sessions print. With paths
 * of pages only into those.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mapFences } from './documents/fences.ts'
import { included } from './documents/includes.ts'
import { pages, repository } from './documents/pages.ts'
import { playSessions, withoutChance } from './documents/sessions.ts'

const wanted = process.argv.slice(2)
for (const page of wanted.length > 0 ? wanted : pages) {
  const path = join(repository, page)
  const before = readFileSync(path, 'utf8')
  const quoted = mapFences(before, ({ attributes, body }) =>
    attributes.file === undefined ? body : included(attributes.file),
  )
  const after = playSessions(quoted)
  // A page that differs in times only stays as it is.
  if (withoutChance(after) === withoutChance(before)) continue
  writeFileSync(path, after)
  console.log(page)
}
