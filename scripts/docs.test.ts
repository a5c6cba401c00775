/** What the pages quote is what the repository holds, and what they link to is there. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fencesOf } from './documents/fences.ts'
import { included } from './documents/includes.ts'
import { pages, repository } from './documents/pages.ts'

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(repository, page), 'utf8')
  const fences = fencesOf(text)

  test('quotes files as they are (npm run docs writes them anew)', () => {
    for (const { attributes, body } of fences) {
      if (attributes.file !== undefined) expect(body, attributes.file).toBe(included(attributes.file))
    }
  })

  test('shows no TypeScript that nobody runs', () => {
    const loose = fences.filter(
      ({ language, attributes }) => language === 'ts' && !attributes.file && !attributes.write,
    )
    expect(loose.map(({ line }) => `${page}:${line}`)).toEqual([])
  })

  test('leads nowhere that is not there', () => {
    const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
    const targets = [...prose.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(
      ([, target]) => target ?? '',
    )
    expect(targets.filter((target) => !leadsSomewhere(page, target))).toEqual([])
  })
})

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? join(repository, page) : join(repository, dirname(page), path)
  if (!existsSync(file)) return false
  return anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).includes(anchor)
}

/** As GitHub makes them from headings. */
function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
