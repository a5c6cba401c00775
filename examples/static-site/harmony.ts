/** A site in several languages, each a composite of its own, with a style sheet that they share. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asset, defineProject, deploy } from '@harmony-iac/core'
import { Directory, File, StaticSite } from '@harmony-iac/scores'
import { LocalTopology } from '@harmony-iac/topologies'

export const root = process.env.EXAMPLE_ROOT ?? join(tmpdir(), 'static-site')

const languages = [
  { code: 'en', greeting: 'Hello' },
  { code: 'de', greeting: 'Guten Tag' },
  { code: 'ja', greeting: 'こんにちは' },
]

/** Nested lists stay nested: a Score that does not fit is then the only one that the compiler blames. */
export const scores = [
  Directory({ path: root, mode: '0755' }),
  languages.map(({ code, greeting }) =>
    StaticSite({
      root: `${root}/${code}`,
      mode: '0644',
      pages: {
        'index.html': page(code, greeting),
        'about/index.html': asset(`pages/about.${code}.html`),
        'style.css': asset('pages/style.css'),
      },
    }),
  ),
  File({
    path: `${root}/robots.txt`,
    content: ['User-agent: *\n', ...languages.map(({ code }) => `Allow: /${code}/\n`)].join(''),
    mode: '0644',
  }),
]

export default defineProject({ name: 'static-site', deployments: [deploy(new LocalTopology(), scores)] })

function page(code: string, greeting: string): string {
  return `<!doctype html>\n<html lang="${code}">\n<link rel="stylesheet" href="style.css">\n<h1>${greeting}</h1>\n</html>\n`
}
