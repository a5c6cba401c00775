/**
 * A folder for one project with everything that Harmony writes for it: nothing of the machine is read or touched, and
 * nothing is left. The project stands as a user's would after `npm install`, on the packages of this clone.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '../..')
const launcher = join(repository, 'packages/cli/bin/harmony.js')

/** A sandbox; disposing of it removes it. */
export interface Sandbox extends Disposable {
  readonly folder: string
  /** The folder of the project, within. */
  readonly project: string
  /** The state of Harmony, and its caches, are within; so is the temporary folder. */
  readonly env: Readonly<Record<string, string>>
  /** Runs the command `harmony` in the project. */
  harmony(...args: readonly string[]): Ran
}

/** How a command ended. */
export interface Ran {
  readonly status: number | null
  /** Standard output and standard error as they came. */
  readonly text: string
  readonly out: string
}

/** Makes a sandbox around a copy of a folder, or around an empty project. */
export function makeSandbox(copyOf?: string): Sandbox {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-')))
  const project = join(folder, 'project')
  if (copyOf === undefined) mkdirSync(project)
  else cpSync(copyOf, project, { recursive: true, filter: isPartOfProject })
  linkModules(join(project, 'node_modules'))
  const env = environment(folder)
  return {
    folder,
    project,
    env,
    harmony(...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], {
        cwd: project,
        env,
        encoding: 'utf8',
      })
      return { status, out: stdout, text: stdout + stderr }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Its own folder, so that what is cached in it goes with the sandbox. */
function linkModules(folder: string): void {
  const installed = join(repository, 'node_modules')
  mkdirSync(folder)
  for (const name of readdirSync(installed))
    if (!name.startsWith('.') || name === '.bin') symlinkSync(join(installed, name), join(folder, name))
}

function environment(folder: string): Readonly<Record<string, string>> {
  const { PATH = '' } = process.env
  return {
    PATH: `${join(repository, 'node_modules/.bin')}:${PATH}`,
    LC_ALL: 'C.UTF-8',
    HOME: folder,
    TMPDIR: folder,
    XDG_CACHE_HOME: join(folder, '.cache'),
    HARMONY_STATE_DIR: join(folder, 'state'),
    NO_COLOR: '1',
  }
}

/** Names in the sandbox besides the project and what is cached. */
export function tracesIn({ folder }: Pick<Sandbox, 'folder'>): readonly string[] {
  return existsSync(folder)
    ? readdirSync(folder).filter((name) => name !== 'project' && name !== '.cache')
    : []
}

/** What is installed or made by an apply of somebody who tried the example is not part of it. */
function isPartOfProject(path: string): boolean {
  return !path.includes('node_modules') && !path.endsWith('harmony.lock')
}
