/**
 * The memory of the compiler's good verdicts. A verdict holds as long as nothing that it was made from has changed:
 * every file that the compiler read, the chain of configurations, the lock files, the compiler, and the places where
 * another file would have been preferred. Size, inode, mtime and ctime prove a file unchanged (ctime cannot be set
 * back); if they differ, its content decides. 400 such proofs take 2 ms, a run of the compiler 300.
 */
import { hash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** One thing that the verdict was made from. What is not there has size -1. */
type Evidence = readonly [
  path: string,
  size: number,
  ino: number,
  mtimeMs: number,
  ctimeMs: number,
  content: string,
]

interface Stored {
  readonly harmony: typeof format
  readonly project: string
  readonly config: string
  readonly evidence: readonly Evidence[]
  /** The project has been loaded to its end since: no watch over it is needed. */
  readonly loads: boolean
}

/** Goes up when what is stored, or what counts as evidence, changes. */
const format = 2
/** The clocks of file systems tick every few milliseconds: what is younger than this may change unseen. */
const tickMs = 20

/** A verdict that holds. */
export interface Verdict {
  readonly config: string
  readonly loads: boolean
}

/** Where verdicts on one project are kept: the first folder that works is used. */
export interface VerdictStore {
  readonly project: string
  readonly folders: readonly string[]
}

/** The places for the verdicts on a project file. */
export function verdictStore(
  project: string,
  env: Readonly<Record<string, string | undefined>>,
): VerdictStore {
  // node_modules may be a link that several projects share, so the name tells them apart.
  const key = hash('sha256', project, 'hex').slice(0, 16)
  const folders: string[] = []
  for (let here = dirname(project); ; here = dirname(here)) {
    const modules = join(here, 'node_modules')
    if (statSync(modules, { throwIfNoEntry: false })?.isDirectory()) {
      folders.push(join(modules, '.cache/harmony', key))
      break
    }
    if (here === dirname(here)) break
  }
  const { XDG_CACHE_HOME, HOME } = env
  const base = XDG_CACHE_HOME?.startsWith('/')
    ? XDG_CACHE_HOME
    : HOME?.startsWith('/')
      ? join(HOME, '.cache')
      : undefined
  if (base !== undefined) folders.push(join(base, 'harmony/verdicts', key))
  return { project, folders }
}

/** The stored verdict, if it still holds. */
export function recallVerdict(store: VerdictStore): Verdict | undefined {
  for (const folder of store.folders) {
    const stored = read(join(folder, 'verdict.json'))
    if (!stored || stored.harmony !== format || stored.project !== store.project) continue
    let refreshed: Evidence[] | undefined
    const holds = stored.evidence.every((evidence, i) => {
      const [path, size, ino, mtimeMs, ctimeMs, content] = evidence
      const now = statOf(path)
      if (!now) return size === -1
      if (now.size === size && now.ino === ino && now.mtimeMs === mtimeMs && now.ctimeMs === ctimeMs)
        return true
      if (size === -1 || contentOf(path) !== content) return false
      refreshed ??= [...stored.evidence]
      refreshed[i] = evidenceOf(path, now, content)
      return true
    })
    if (!holds) continue
    if (refreshed && !refreshed.some((each) => isYoung(each, Date.now())))
      write(folder, { ...stored, evidence: refreshed })
    return { config: stored.config, loads: stored.loads }
  }
  return undefined
}

/**
 * Stores a good verdict, unless something it was made from may have changed after the compiler read it.
 * @param since when the compiler was started, in milliseconds since 1970.
 */
export function keepVerdict(
  store: VerdictStore,
  config: string,
  paths: Iterable<string>,
  since: number,
): void {
  const evidence: Evidence[] = []
  for (const path of new Set(paths)) {
    const stat = statOf(path)
    const made = evidenceOf(path, stat, stat ? contentOf(path) : '')
    if (isYoung(made, since)) return
    evidence.push(made)
  }
  const stored: Stored = { harmony: format, project: store.project, config, evidence, loads: false }
  for (const folder of store.folders)
    if (write(folder, stored)) {
      prune(dirname(folder))
      return
    }
}

/** Projects come and go (in temporary folders above all); what has not been renewed for a month is dropped. */
function prune(base: string): void {
  const oldest = Date.now() - 30 * 24 * 60 * 60 * 1000
  try {
    for (const name of readdirSync(base)) {
      const stat = statOf(join(base, name))
      if (stat && stat.mtimeMs < oldest) drop(join(base, name))
    }
  } catch {
    // somebody else's business
  }
}

/** Remembers that the project was loaded to its end. */
export function noteLoads(store: VerdictStore): void {
  for (const folder of store.folders) {
    const stored = read(join(folder, 'verdict.json'))
    if (stored && write(folder, { ...stored, loads: true })) return
  }
}

function read(file: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored
  } catch {
    return undefined // never written, or half of it
  }
}

function write(folder: string, stored: Stored): boolean {
  const temporary = join(folder, `verdict.${process.pid}.tmp`)
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(temporary, JSON.stringify(stored))
    renameSync(temporary, join(folder, 'verdict.json'))
    return true
  } catch {
    drop(temporary)
    return false // a place that cannot be written costs time, nothing else
  }
}

function drop(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // it was never made
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function evidenceOf(path: string, stat: Stats | undefined, content: string): Evidence {
  return stat
    ? [path, stat.size, stat.ino, stat.mtimeMs, stat.ctimeMs, content]
    : [path, -1, 0, 0, 0, content]
}

function isYoung([, , , mtimeMs, ctimeMs]: Evidence, now: number): boolean {
  return Math.max(mtimeMs, ctimeMs) > now - tickMs
}

/** Of a folder: the names that could matter to a compiler. */
function contentOf(path: string): string {
  try {
    return hash('sha256', readFileSync(path), 'hex')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') return 'unreadable'
  }
  const names = readdirSync(path, { withFileTypes: true })
    .filter((entry) =>
      entry.isDirectory() ? isSourceFolder(entry.name) : /\.([cm]?[jt]sx?|json)$/.test(entry.name),
    )
    .map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`)
  return hash('sha256', names.sort().join('\n'), 'hex')
}

/** Whether a compiler would look for sources in a folder of this name. */
export function isSourceFolder(name: string): boolean {
  return name !== 'node_modules' && !name.startsWith('.')
}
