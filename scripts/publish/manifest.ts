/**
 * In the repository a package's manifest points at its sources, so that nothing has to be built to work on it. What is
 * published points at JavaScript and declarations, because Node strips no types under `node_modules`.
 */

/** The fields of a manifest that publishing reads; all others are published as they are. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports?: Readonly<Record<string, Target>>
  readonly imports?: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

interface Target {
  readonly types?: string
  readonly default: string
}

/**
 * The sources that become files of their own when a package is built, by the name of that file: the targets of
 * `exports`, and what the command's launcher imports.
 *
 * @example
 * entriesOf({ name: 'a', version: '1.0.0', exports: { './testing': { default: './src/testing/index.ts' } } })
 * // { 'testing/index': 'src/testing/index.ts' }
 */
export function entriesOf(manifest: Manifest): Readonly<Record<string, string>> {
  const sources = Object.values(manifest.exports ?? {}).map((target) => target.default)
  if (manifest.bin) sources.push('./src/main.ts')
  return Object.fromEntries(
    sources.map((source) => [source.slice('./src/'.length, -'.ts'.length), source.slice(2)]),
  )
}

/**
 * The manifest as published. Packages of the repository are needed in exactly the version they were built with:
 * they are released together.
 *
 * @param versions The version of every package of the repository, by name.
 */
export function publishedManifest(manifest: Manifest, versions: ReadonlyMap<string, string>): Manifest {
  const { exports = {}, imports, dependencies = {}, ...rest } = manifest
  return {
    ...rest,
    // What the command writes for others (`harmony init`) comes as it is.
    files: manifest.bin ? ['bin', 'dist', 'templates'] : ['dist'],
    exports: Object.fromEntries(
      Object.entries(exports).map(([entry, target]) => [
        entry,
        { types: built(target.default, '.d.ts'), default: built(target.default, '.js') },
      ]),
    ),
    // The JavaScript is bundled and imports nothing by these names; the declarations do.
    ...(imports && { imports: { '#*': { types: './dist/*.d.ts' } } }),
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [name, versions.get(name) ?? range]),
    ),
  }
}

function built(source: string, ending: string): string {
  return source.replace('./src/', './dist/').replace(/\.ts$/, ending)
}
