/** A project in a folder of its own that the real command is run on, as a user would. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { makeSandbox, type Sandbox } from '../../../scripts/testing/sandbox.ts'
import { writeFiles } from './folder.ts'

const launcher = join(import.meta.dirname, '../bin/harmony.js')

const tsconfig = JSON.stringify({
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
  include: ['*.ts'],
})

/** What every project here imports, and where it puts things: `root` is a folder in the sandbox. */
const preamble = `import { defineComposite, defineProject, deploy, device, secret } from '@harmony-iac/core'
import { SimulatedTopology } from '@harmony-iac/core/testing'
import { Directory, File, ShellJob, StaticSite, Symlink } from '@harmony-iac/scores'
import { LocalTopology } from '@harmony-iac/topologies'
export const root = process.env.TMPDIR + '/root'
void [defineComposite, deploy, device, secret, SimulatedTopology, Directory, File, ShellJob, StaticSite, Symlink, LocalTopology]
`

/** How a command ended. */
export interface Result {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
  /** The lines of `--json`. */
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess
  /** Resolves once this text has been printed. */
  shows(text: string): Promise<void>
  readonly ended: Promise<Result>
}

/** A project to try things on; disposing of it removes it. */
export interface Project extends Disposable {
  readonly folder: string
  readonly sandbox: Sandbox
  readonly root: string
  write(files: Readonly<Record<string, string>>): void
  /** Writes `harmony.ts`: the usual imports, then this. */
  source(text: string): void
  /** The same, a project `site` of one deployment to this machine. */
  scores(list: string): void
  run(line: string, env?: Readonly<Record<string, string>>): Promise<Result>
  start(line: string, env?: Readonly<Record<string, string>>): Running
}

/** Makes a project with a `tsconfig.json`. */
export function makeProject(): Project {
  const sandbox = makeSandbox()
  const { project: folder } = sandbox
  const write = (files: Readonly<Record<string, string>>) => writeFiles(folder, files)
  const source = (text: string) => write({ 'harmony.ts': `${preamble}${text}\n` })
  write({
    'package.json': '{ "name": "site", "private": true, "type": "module" }',
    'tsconfig.json': tsconfig,
  })

  function start(line: string, env: Readonly<Record<string, string>> = {}): Running {
    const child = spawn(process.execPath, [launcher, ...line.split(' ').filter(Boolean)], {
      cwd: folder,
      env: { ...sandbox.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    const waiting = new Set<() => void>()
    const collect = (add: (text: string) => void) => (text: string) => {
      add(text)
      for (const check of waiting) check()
    }
    child.stdout.setEncoding('utf8').on(
      'data',
      collect((text) => (out += text)),
    )
    child.stderr.setEncoding('utf8').on(
      'data',
      collect((text) => (err += text)),
    )
    const ended = new Promise<Result>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status, signal) =>
        resolve({
          status,
          signal,
          out,
          err,
          get events() {
            return out
              .trim()
              .split('\n')
              .filter(Boolean)
              .map((each) => JSON.parse(each))
          },
        }),
      )
    })
    const shows = (text: string) =>
      new Promise<void>((resolve, reject) => {
        const check = () => (out + err).includes(text) && resolve()
        waiting.add(check)
        void ended.then((result) =>
          reject(new Error(`ended without "${text}":\n${result.out}\n${result.err}`)),
        )
        check()
      })
    return { child, shows, ended }
  }

  return {
    folder,
    sandbox,
    root: join(sandbox.folder, 'root'),
    write,
    source,
    scores: (list) =>
      source(
        `export default defineProject({ name: 'site', deployments: [deploy(new LocalTopology({ shell: true }), [${list}])] })`,
      ),
    run: (line, env) => start(line, env).ended,
    start,
    [Symbol.dispose]: () => sandbox[Symbol.dispose](),
  }
}
