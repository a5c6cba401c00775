/** A folder of pages, and nothing else in it. */
import {
  type Asset,
  type Bytes,
  defineComposite,
  type Needs,
  type Ref,
  type ScoreFactory,
} from '@harmony-iac/core'
import { Files } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { mode, principal } from './attributes.ts'
import { plainContent } from './content.ts'
import { Directory } from './directory.ts'
import { File } from './file.ts'
import { absolutePath, relativePath } from './paths.ts'

/** What a {@link StaticSite} is made from. */
export interface StaticSiteSpec {
  /** The folder of the site: absolute and normalized. */
  readonly root: string
  /** The pages by their path below the root, such as `'blog/first.html'`: text, `bytes(…)` or `asset('./first.html')`. */
  readonly pages: Readonly<Record<string, string | Bytes | Asset | Ref<string>>>
  /**
   * Of the pages; four octal digits, such as `'0640'`. Who may read a page may also enter the folders. Default: the
   * host's.
   */
  readonly mode?: string | undefined
  /** Name or number of the user who owns pages and folders. Default: whoever applies. */
  readonly owner?: string | number | undefined
  /** Name or number of their group. */
  readonly group?: string | number | undefined
  /** Delete whatever else is in the folder. Default true. */
  readonly purge?: boolean | undefined
}

const fields = {
  root: absolutePath,
  pages: z.record(relativePath, plainContent).readonly(),
  mode: mode.optional(),
  owner: principal.optional(),
  group: principal.optional(),
  purge: z.boolean().default(true),
} satisfies { readonly [K in keyof Required<StaticSiteSpec>]: z.ZodType }

/**
 * A static site: `StaticSite({ root: '/srv/site', pages: { 'index.html': '<h1>Hello</h1>\n' } })`. It stands for a
 * `Directory` at the root and at each folder in it, and a `File` for each page.
 */
export const StaticSite: ScoreFactory<'StaticSite', StaticSiteSpec, Needs<[typeof Files]>> = defineComposite({
  kind: 'StaticSite',
  version: 1,
  spec: z.strictObject(fields).superRefine(({ pages }, context) => {
    const folders = new Set(foldersOf(Object.keys(pages)))
    for (const page of Object.keys(pages))
      if (folders.has(page))
        context.addIssue({
          code: 'custom',
          path: ['pages', page],
          message: 'is a page, and the folder of other pages',
        })
  }),
  needs: [Files],
  identity: (spec) => spec.root,
  compose: ({ root, pages, mode, owner, group, purge }) => [
    Directory({ path: root, mode: folderMode(mode), owner, group, purge }),
    foldersOf(Object.keys(pages)).map((folder) =>
      Directory({ path: `${root}/${folder}`, mode: folderMode(mode), owner, group, purge }),
    ),
    Object.entries(pages).map(([page, content]) =>
      File({ path: `${root}/${page}`, content, mode, owner, group }),
    ),
  ],
})

/** The folders that pages are in, each after the one that holds it. */
function foldersOf(pages: readonly string[]): readonly string[] {
  const folders = new Set<string>()
  for (const page of pages) {
    const names = page.split('/')
    for (let depth = 1; depth < names.length; depth++) folders.add(names.slice(0, depth).join('/'))
  }
  return [...folders].sort()
}

/** Adds the right to enter wherever there is the right to read, as `chmod +X` does. */
function folderMode(mode: string | undefined): string | undefined {
  if (mode === undefined) return undefined
  const digits = [...mode.slice(1)].map((digit) => {
    const bits = Number.parseInt(digit, 8)
    return (bits & 4 ? bits | 1 : bits).toString(8)
  })
  return `0${digits.join('')}`
}
