/** `npm run reference`: writes docs/reference from the code. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { referencePages } from './reference/pages.ts'

const folder = join(import.meta.dirname, '../docs/reference')
const pages = referencePages()
rmSync(folder, { recursive: true, force: true })
for (const [name, text] of Object.entries(pages)) {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
