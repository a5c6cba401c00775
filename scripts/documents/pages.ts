/** The pages that people read. */
import { globSync } from 'node:fs'
import { join } from 'node:path'

/** Where the pages' paths start. */
export const repository: string = join(import.meta.dirname, '../..')

/** Paths of all pages, from the root of the repository. */
export const pages: readonly string[] = globSync(['*.md', 'docs/**/*.md', 'examples/*/*.md'], {
  cwd: repository,
}).sort()
