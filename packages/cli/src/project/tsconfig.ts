/**
 * The configuration that the compiler is run with: the nearest `tsconfig.json`, and what it extends. Its syntax is JSON
 * with comments; only `extends` and two flags are read here, the compiler reads the rest.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

/** A configuration with everything that it extends. */
export interface ConfigChain {
  /** The nearest one, if there is any. */
  readonly config: string | undefined
  /** It and what it extends, directly or not. */
  readonly files: readonly string[]
  /** Nearer places where one would have been found: one made there later changes the answer. */
  readonly absent: readonly string[]
  /** Folders (or files) in which `include` looks, without those below the configuration; `undefined` when unclear. */
  readonly roots: readonly string[] | undefined
  /** Whether any of them sets `checkJs`. */
  readonly checksJavaScript: boolean
}

/** Looks for the configuration upward from a folder. */
export function findConfig(folder: string): ConfigChain {
  const absent: string[] = []
  for (let here = folder; ; here = dirname(here)) {
    const config = join(here, 'tsconfig.json')
    if (existsSync(config)) {
      const files = new Set<string>()
      const checksJavaScript = follow(config, files)
      return { config, files: [...files], absent, roots: rootsOf([...files], here), checksJavaScript }
    }
    absent.push(config)
    if (here === dirname(here))
      return { config: undefined, files: [], absent, roots: [], checksJavaScript: false }
  }
}

function follow(config: string, files: Set<string>): boolean {
  if (files.has(config)) return false
  files.add(config)
  const text = withoutComments(readText(config))
  let checksJavaScript = /"checkJs"\s*:\s*true/.test(text)
  for (const base of extendsOf(text)) {
    const path = resolveExtends(config, base)
    if (path !== undefined && follow(path, files)) checksJavaScript = true
  }
  return checksJavaScript
}

/** The part before the first wildcard of every `include`. Hidden folders after one are beyond us. */
function rootsOf(configs: readonly string[], folder: string): readonly string[] | undefined {
  const roots = new Set<string>()
  for (const config of configs) {
    const [, list = ''] = /"include"\s*:\s*\[([^\]]*)\]/.exec(withoutComments(readText(config))) ?? []
    for (const quoted of list.match(/"(?:[^"\\]|\\.)*"/g) ?? []) {
      const parts = (JSON.parse(quoted) as string).replace(/^\$\{configDir\}/, folder).split('/')
      const wild = parts.findIndex((part) => /[*?]/.test(part))
      if (wild >= 0 && parts.slice(wild).some((part) => part.startsWith('.'))) return undefined
      roots.add(resolve(dirname(config), (wild < 0 ? parts : parts.slice(0, wild)).join('/')))
    }
  }
  return [...roots]
}

function extendsOf(text: string): readonly string[] {
  const [, single, list] = /"extends"\s*:\s*(?:("(?:[^"\\]|\\.)*")|\[([^\]]*)\])/.exec(text) ?? []
  const quoted = single ? [single] : (list?.match(/"(?:[^"\\]|\\.)*"/g) ?? [])
  return quoted.map((each) => JSON.parse(each) as string)
}

function resolveExtends(config: string, base: string): string | undefined {
  if (base.startsWith('.') || base.startsWith('/')) {
    const path = resolve(dirname(config), base)
    return [path, `${path}.json`].find((each) => existsSync(each) && each.endsWith('.json')) ?? path
  }
  const require = createRequire(config)
  for (const name of [base, `${base}.json`, `${base}/tsconfig.json`])
    try {
      const found = require.resolve(name)
      if (found.endsWith('.json')) return found
    } catch {
      // tried in the order of the compiler; it complains itself when none is there
    }
  return undefined
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the compiler says so better
  }
}

/** Takes out comments, but not what looks like one inside of a string (`"@scope/*"`). */
function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (piece) =>
    piece.startsWith('"') ? piece : ' ',
  )
}

/** A configuration for a project file that no configuration includes. */
export function syntheticConfig(file: string, config: string | undefined): string {
  const typeRoots: string[] = []
  for (let here = dirname(file); ; here = dirname(here)) {
    const types = join(here, 'node_modules/@types')
    if (existsSync(types)) typeRoots.push(types)
    if (here === dirname(here)) break
  }
  if (config !== undefined) {
    // A configuration elsewhere would look for `types` from its own folder; an own setting of the user's stays.
    const own = /"typeRoots"\s*:/.test(withoutComments(readText(config)))
    const compilerOptions = { noEmit: true, ...(own ? {} : { typeRoots }) }
    return JSON.stringify({
      extends: config,
      files: [file],
      include: [],
      exclude: [],
      references: [],
      compilerOptions,
    })
  }
  const node = typeRoots.some((root) => existsSync(join(root, 'node')))
  // Without `"type": "module"` the compiler would take the file for CommonJS and refuse a top-level await; Node looks
  // into the file and runs it as a module.
  const asModule = file.endsWith('.mts') || isModulePackage(dirname(file))
  const compilerOptions = {
    target: 'es2024',
    module: asModule ? 'nodenext' : 'preserve',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    typeRoots,
    types: node ? ['node'] : [],
  }
  return JSON.stringify({ files: [file], compilerOptions })
}

/** Whether the nearest `package.json` says that its files are modules. */
function isModulePackage(folder: string): boolean {
  for (let here = folder; ; here = dirname(here)) {
    const text = readText(join(here, 'package.json'))
    if (text !== '') return /"type"\s*:\s*"module"/.test(text)
    if (here === dirname(here)) return false
  }
}
