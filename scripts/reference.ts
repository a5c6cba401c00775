/** `npm run reference`: writes docs/reference from the code. */
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { byHand, referencePages } from './reference/pages.ts'

const folder = join(import.meta.dirname, '../docs/reference')
const pages = referencePages()
for (const name of globSync('**/*.md', { cwd: folder }))
  if (!byHand.includes(name)) rmSync(join(folder, name))
for (const [name, text] of Object.entries(pages)) {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
