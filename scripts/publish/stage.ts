/**
 * Puts a package together as it is published, in a folder of its own: what is in the repository stays as it is.
 * JavaScript comes from tsup; declarations come from tsc, because tsup's own way to them needs the compiler's former
 * programming interface.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsup'
import { entriesOf, type Manifest, publishedManifest } from './manifest.ts'

const root = join(import.meta.dirname, '../..')

/** A package of the repository, ready for `npm pack`. */
export interface Staged {
  readonly folder: string
  readonly manifest: Manifest
}

/** Stages every package in a folder of its name below `into`, in place of what was there. */
export async function stagePackages(into = join(root, '.pack')): Promise<readonly Staged[]> {
  const packages = readdirSync(join(root, 'packages')).map((name) => {
    const source = join(root, 'packages', name)
    const manifest: Manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
    return { source, folder: join(into, name), manifest }
  })
  const versions = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]))
  const staged: Staged[] = []
  for (const { source, folder, manifest } of packages) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await bundle(source, folder, manifest)
    declare(source, folder, manifest)
    for (const extra of ['bin', 'templates', 'README.md'])
      if (existsSync(join(source, extra)))
        cpSync(join(source, extra), join(folder, extra), {
          recursive: true,
          // The tests of what we publish stay here; those that `harmony init` writes go along.
          filter: (path) => extra === 'templates' || !path.endsWith('.test.ts'),
        })
    cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
    const published = publishedManifest(manifest, versions)
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`)
    staged.push({ folder, manifest: published })
  }
  return staged
}

async function bundle(source: string, folder: string, manifest: Manifest): Promise<void> {
  const names = entriesOf(manifest)
  await build({
    config: false,
    entry: Object.fromEntries(Object.entries(names).map(([name, path]) => [name, join(source, path)])),
    outDir: join(folder, 'dist'),
    // tsup would read the dependencies from the manifest of the folder that it is started in.
    external: Object.keys(manifest.dependencies ?? {}).map((name) => new RegExp(`^${name}(/|$)`)),
    tsconfig: join(root, 'tsconfig.base.json'),
    format: 'esm',
    target: 'node24',
    platform: 'node',
    splitting: true,
    removeNodeProtocol: false,
    silent: true,
  })
}

function declare(source: string, folder: string, manifest: Manifest): void {
  const files = Object.values(manifest.exports ?? {}).map((target) => join(source, target.default))
  if (files.length === 0) return
  const config = join(folder, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(source, 'src'),
    outDir: join(folder, 'dist'),
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files }))
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], {
    stdio: 'inherit',
  })
  rmSync(config)
}
