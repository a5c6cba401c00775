/**
 * A project that is linked to a clone compiles our sources under its own options, and a plain one refuses two things
 * that Node needs. This script writes both the other way; with `--check` it tells where that is due, and fails.
 *
 * - Relative imports end in `.ts`, which TypeScript refuses unless the project at hand allows it. Inside a package
 *   modules import each other as `#plan/graph` instead; the manifest maps that to `./src/plan/graph.ts`. Declarations
 *   that are published need no rewriting then, either.
 * - The types of Node are not there unless asked for. Each entry of a package asks; `preserve` keeps that in the
 *   published declarations.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { entriesOf } from './publish/manifest.ts'

const packages = join(import.meta.dirname, '../packages')
const relativeImport = /(\bfrom\s*|\bimport\s*\(?\s*)'(\.\.?\/[^']+)\.ts'/g
const nodeTypes = '/// <reference types="node" preserve="true" />\n'
const check = process.argv.includes('--check')

for (const name of globSync('*', { cwd: packages })) {
  const folder = join(packages, name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entries = Object.values(entriesOf(manifest))
  for (const file of globSync('src/**/*.ts', { cwd: folder, exclude: ['**/fixtures/**'] })) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
    let rewritten = importFromPackage(path, join(folder, 'src'), text)
    if (entries.includes(file) && !text.startsWith(nodeTypes)) rewritten = nodeTypes + rewritten
    if (rewritten === text) continue
    if (check) {
      console.error(`packages/${name}/${file} is due for npm run format (imports, types of Node)`)
      process.exitCode = 1
    } else writeFileSync(path, rewritten)
  }
}

/** The text with each relative import of a module of the same package written from the package's `src`. */
function importFromPackage(path: string, source: string, text: string): string {
  return text.replace(relativeImport, (all, keyword: string, imported: string) => {
    const target = resolve(dirname(path), imported)
    // Text of a program inside a string (a test's fixture, say) names files that are not there.
    if (!target.startsWith(`${source}/`) || !existsSync(`${target}.ts`)) return all
    return `${keyword}'#${relative(source, target)}'`
  })
}
