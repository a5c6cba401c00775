/**
 * `npm run bundle`: puts the sources of a clone together in `packages/cli/.bundle`, for `packages/cli/bin/bundle.js`.
 * Another folder may be given; it must be within the clone, which has the packages that are not put together.
 * zod goes in as well; what is loaded rarely stays where it is.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { lazily } from '../packages/cli/src/translations.ts'
import { entriesOf, type Manifest } from './publish/manifest.ts'

const root = join(import.meta.dirname, '..')
const into = resolve(process.argv[2] ?? join(root, 'packages/cli/.bundle'))

/** As when running from sources: each of zod's translations is loaded when somebody asks for it. */
const lazyTranslations: Plugin = {
  name: 'lazy-translations',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, ({ path }) => {
      const url = `new URL(${JSON.stringify(relative(into, path))}, import.meta.url)`
      const contents = lazily(readFileSync(path, 'utf8'), url)
      return contents === undefined ? undefined : { contents, loader: 'js' }
    })
  },
}

/**
 * Whoever imports one of Node's modules gets an object of all that is in it, for which Node loads what is rarely used as
 * well: 2 ms for `node:fs`, as much for `node:util`. Asked for in this way, a member is loaded when it is used.
 */
function askForBuiltins(text: string): string {
  const asked: string[] = []
  const rest = text.replace(
    /^import (?:\* as (\w+)|\{([^}]*)\}) from "(node:[\w/]+)";$/gm,
    (_, whole: string | undefined, members: string | undefined, name: string) => {
      const into = whole ?? `{${members?.replaceAll(' as ', ': ')}}`
      asked.push(`const ${into} = process.getBuiltinModule("${name}");\n`)
      return ''
    },
  )
  return asked.join('') + rest
}

const packages = readdirSync(join(root, 'packages')).map((name) => {
  const text = readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')
  return { name, manifest: JSON.parse(text) as Manifest }
})
const isTogether = (dependency: string) =>
  ['zod', 'diff', 'picomatch'].includes(dependency) || dependency.startsWith('@harmony-iac/')
const apart = packages.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}))

/** What is imported by name: by the launcher, or by a project. */
const entries = new Map([
  ['main', join(root, 'packages/cli/src/main.ts')],
  ['zod', join(root, 'node_modules/zod/index.js')],
  ['zod/v4', join(root, 'node_modules/zod/v4/index.js')],
])
for (const { name, manifest } of packages)
  for (const [entry, path] of Object.entries(entriesOf(manifest)))
    if (path !== 'src/main.ts') entries.set(`${name}/${entry}`, join(root, 'packages', name, path))

// Put in its place when it is complete, so that a command that starts meanwhile does not find half of it.
const made = `${into}.${process.pid}`
try {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(entries),
    outdir: made,
    bundle: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: apart.filter((dependency) => !isTogether(dependency)),
    absWorkingDir: root,
    plugins: [lazyTranslations],
    logLevel: 'warning',
  })
  for (const path of Object.keys(metafile.outputs).map((output) => join(root, output)))
    writeFileSync(path, askForBuiltins(readFileSync(path, 'utf8')))
  const inputs = [...Object.keys(metafile.inputs), 'package-lock.json'].map((path) => join(root, path))
  const ours = inputs.filter((path) => !path.includes('/node_modules/'))
  writeFileSync(
    join(made, 'made.json'),
    JSON.stringify({
      inputs: ours.map((path) => [relative(into, path), statSync(path).size, statSync(path).mtimeMs]),
      entries: Object.fromEntries([...entries].map(([name, path]) => [relative(into, path), `${name}.js`])),
    }),
  )
  rmSync(into, { recursive: true, force: true })
  renameSync(made, into)
} finally {
  rmSync(made, { recursive: true, force: true })
}
