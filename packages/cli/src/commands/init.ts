/** `harmony init`: writes a small project that installs, compiles, plans and applies as it is. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Run } from '../context.ts'
import { type OwnPackage, ownPackage } from '../own-package.ts'

export const run: Run = async ({ args, io, reporter }) => {
  const [name = ''] = args.positionals
  refuseName(name)
  const folder = join(io.cwd, name)
  refuseExisting(folder, name)
  const written = await writeProject(folder, name)
  reporter.say(`Wrote ${name}: ${written.join(', ')}\n\nNext:`)
  for (const step of [`cd ${name}`, 'npm install', 'npm test', 'npx harmony plan', 'npx harmony apply'])
    reporter.say(`  ${step}`)
  return { status: 0, summary: { command: 'init' } }
}

/** Valid for npm and for `defineProject`. */
function refuseName(name: string): void {
  const fail = (why: string) =>
    new HarmonyError('usage', `${JSON.stringify(name)} cannot be the name of a project: ${why}`, {
      hint: 'harmony init my-site',
    })
  if (/[/\\]/.test(name)) throw fail('it is a path; the folder is made in the current one')
  if (name.length > 63) throw fail('it is longer than 63 characters')
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name))
    throw fail(
      'it may have lower-case letters, digits, dots, dashes and underscores, and starts with a letter or digit',
    )
  if (['node_modules', 'favicon.ico'].includes(name)) throw fail('npm keeps this name for itself')
}

function refuseExisting(folder: string, name: string): void {
  const there = lstatSync(folder, { throwIfNoEntry: false })
  if (!there || (there.isDirectory() && readdirSync(folder).length === 0)) return
  throw new HarmonyError('usage', `${name} exists already, and nothing is overwritten`, {
    hint: 'choose another name, or another folder to be in',
  })
}

/** All or nothing: the files are written aside and put in place at once. */
async function writeProject(folder: string, name: string): Promise<readonly string[]> {
  const own = ownPackage()
  const templates = join(own.folder, 'templates/project')
  let aside: string | undefined
  try {
    aside = await mkdtemp(join(dirname(folder), `.${name}-`))
    const made = join(aside, name)
    await mkdir(made)
    const names: string[] = ['package.json']
    await writeFile(
      join(made, 'package.json'),
      `${JSON.stringify(manifestOf(name, folder, own), undefined, 2)}\n`,
    )
    for (const file of await readdir(templates)) {
      // npm leaves out files of that name when a package is published.
      const target = file === 'gitignore' ? '.gitignore' : file
      const text = readFileSync(join(templates, file), 'utf8').replaceAll('{{name}}', name)
      await writeFile(join(made, target), text)
      names.push(target)
    }
    await rename(made, folder)
    return names
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new HarmonyError('system', `${folder} cannot be written: ${message}`, {
      cause: error,
      data: { errno: code },
    })
  } finally {
    if (aside !== undefined) await rm(aside, { recursive: true, force: true })
  }
}

function manifestOf(name: string, folder: string, { manifest, clone }: OwnPackage): unknown {
  const version = (part: string) => {
    if (clone) return `file:${relative(folder, join(clone.folder, 'packages', part))}`
    return `^${manifest.version}`
  }
  const range = (dependency: string) => manifest.dependencies?.[dependency] ?? '*'
  // A Node that runs TypeScript, for machines whose own does not: npm puts it in front of theirs in scripts.
  const nodes = Object.entries(
    manifest.optionalDependencies ?? clone?.manifest.optionalDependencies ?? {},
  ).filter(([each]) => each.startsWith('node-'))
  return {
    name,
    private: true,
    type: 'module',
    scripts: { check: 'harmony check', plan: 'harmony plan', apply: 'harmony apply', test: 'node --test' },
    dependencies: {
      '@harmony-iac/core': version('core'),
      '@harmony-iac/scores': version('scores'),
      '@harmony-iac/topologies': version('topologies'),
    },
    devDependencies: {
      '@harmony-iac/cli': version('cli'),
      '@types/node': range('@types/node'),
      typescript: range('typescript'),
    },
    optionalDependencies: Object.fromEntries(nodes),
  }
}
