/**
 * The compiler in the loop. Node runs TypeScript without checking it, so before a project is run its types are checked
 * here: a Score on a topology that lacks what it needs never gets as far as running.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, sep } from 'node:path'
import { HarmonyError, type Issue } from '@harmony-iac/core/errors'
import { type Compiler, type CompilerRun, findCompiler, runCompiler } from './compiler.ts'
import { type Diagnostic, explainMismatch, readDiagnostics } from './diagnostics.ts'
import type { ProjectPlace } from './find.ts'
import { frameOfFile } from './frames.ts'
import { type ConfigChain, findConfig, syntheticConfig } from './tsconfig.ts'
import { isSourceFolder, keepVerdict, type VerdictStore } from './verdict.ts'

const lockFiles = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'package.json',
]

/** More folders than this are not looked through for new files; then nothing is remembered. */
const mostFolders = 2000

/**
 * Runs the compiler over a project and remembers a good verdict. JavaScript has no types to check and is skipped.
 * @throws HarmonyError `compile-failed` with every problem, `interrupted`.
 */
export async function compileProject(
  place: ProjectPlace,
  store: VerdictStore,
  signal: AbortSignal,
): Promise<'fresh' | 'skipped'> {
  const chain = findConfig(place.folder)
  if (['.js', '.mjs', '.cjs'].includes(extname(place.file)) && !chain.checksJavaScript) return 'skipped'
  const compiler = findCompiler(place.file)
  const since = Date.now()
  const { run, config } = await runOverProject(place, chain, compiler, store, signal)
  if (!run.ok) throw refusal(run, place)
  const folders = sourceFolders(place, chain, run.files)
  if (folders)
    keepVerdict(
      store,
      config,
      [...run.files, ...folders, ...surroundings(place, chain, compiler, run.files)],
      since,
    )
  return 'fresh'
}

/** With the user's configuration if it includes the project, otherwise with one that does. */
async function runOverProject(
  place: ProjectPlace,
  chain: ConfigChain,
  compiler: Compiler,
  store: VerdictStore,
  signal: AbortSignal,
): Promise<{ readonly run: CompilerRun; readonly config: string }> {
  if (chain.config !== undefined) {
    const run = await runCompiler(compiler, chain.config, place.folder, signal)
    if (run.files.includes(place.file)) return { run, config: chain.config }
  }
  const config = writeSynthetic(place, chain, store)
  return { run: await runCompiler(compiler, config, place.folder, signal), config }
}

function writeSynthetic(place: ProjectPlace, chain: ConfigChain, store: VerdictStore): string {
  let problem: unknown
  for (const folder of store.folders)
    try {
      mkdirSync(folder, { recursive: true })
      const config = join(folder, 'tsconfig.json')
      writeFileSync(config, syntheticConfig(place.file, chain.config))
      return config
    } catch (error) {
      problem = error
    }
  throw new HarmonyError(
    'compile-failed',
    `${place.file} is in no tsconfig.json, and one for it can be written nowhere`,
    {
      hint: 'write a tsconfig.json beside it, or skip the check with --no-check',
      cause: problem,
    },
  )
}

/** What the compiler read beside sources, and the places where it would have found something else. */
function surroundings(
  place: ProjectPlace,
  chain: ConfigChain,
  compiler: Compiler,
  files: readonly string[],
): readonly string[] {
  const paths = new Set<string>([...chain.files, ...chain.absent, compiler.packageFile])
  for (let here = place.folder; here !== dirname(here); here = dirname(here)) {
    for (const name of lockFiles) paths.add(join(here, name))
    paths.add(join(here, 'node_modules/.package-lock.json'))
    paths.add(join(here, 'node_modules/typescript/package.json'))
  }
  // How a package's name becomes a file stands in its package.json, which the compiler does not list.
  const seen = new Set<string>()
  for (const file of files)
    for (let here = dirname(file); !seen.has(here) && here !== dirname(here); here = dirname(here)) {
      seen.add(here)
      const packageFile = join(here, 'package.json')
      if (!existsSync(packageFile)) continue
      paths.add(packageFile)
      break
    }
  return [...paths]
}

/** Folders in which a new file could become part of the program; `undefined` when there are too many. */
function sourceFolders(
  place: ProjectPlace,
  chain: ConfigChain,
  files: readonly string[],
): readonly string[] | undefined {
  const folders = new Set<string>()
  for (const file of files) if (!file.includes(`${sep}node_modules${sep}`)) folders.add(dirname(file))
  folders.add(place.folder)
  if (!chain.roots) return undefined
  const open = chain.config === undefined ? [] : [dirname(chain.config), ...chain.roots]
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    folders.add(here)
    if (folders.size > mostFolders) return undefined
    try {
      for (const entry of readdirSync(here, { withFileTypes: true }))
        if (entry.isDirectory() && isSourceFolder(entry.name)) open.push(join(here, entry.name))
    } catch {
      // a folder that cannot be read holds nothing for the compiler either
    }
  }
  return [...folders]
}

function refusal(run: CompilerRun, place: ProjectPlace): HarmonyError {
  const diagnostics = readDiagnostics(run.problems, place.folder)
  const issues: Issue[] = []
  const explained: Explained[] = []
  let hint: string | undefined
  for (const diagnostic of diagnostics) {
    const { file, line, column, code, text } = diagnostic
    const at = file === undefined ? undefined : `${file}:${line}:${column}`
    issues.push({ ...(at === undefined ? {} : { address: at }), path: [], message: `${code}: ${text}` })
    const sentence = explainMismatch(diagnostic, sourceOf(file))
    if (sentence === undefined) continue
    if (file === undefined || at === undefined) hint = sentence
    else if (!explained.some((other) => other.sentence === sentence))
      explained.push({ at, sentence, frame: frameOfFile(file, line, column) })
  }
  const count = diagnostics.length === 1 ? '1 error' : `${diagnostics.length} errors`
  return new HarmonyError('compile-failed', `${culprits(diagnostics, place)}: ${count}`, {
    issues,
    hint,
    data: { output: run.problems, explained },
  })
}

/** The project file if there is a problem in it; otherwise whatever else is compiled with it. */
function culprits(diagnostics: readonly Diagnostic[], place: ProjectPlace): string {
  const files = [...new Set(diagnostics.map(({ file }) => file).filter((file) => file !== undefined))]
  const [first] = files
  if (first === undefined || files.includes(place.file)) return `${place.file} does not compile`
  const others = files.length === 1 ? '' : ` and ${files.length - 1} more`
  return `${first}${others}, which the tsconfig.json includes, ${files.length === 1 ? 'does' : 'do'} not compile`
}

/** A problem that is about what a topology offers, in a sentence. */
export interface Explained {
  readonly at: string
  readonly sentence: string
  readonly frame: string | undefined
}

function sourceOf(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
