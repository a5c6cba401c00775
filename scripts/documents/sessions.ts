/**
 * Console sessions in pages are real: what a page shows is played in a sandbox, block after block, and what comes out
 * is what the page must say. Blocks of one page with the same `session` share a sandbox:
 *
 * - `console session=NAME`: lines that begin with `$ ` are commands, the rest is what they print;
 * - `ts session=NAME write=harmony.ts` (any language): the block is a file of the project;
 * - `example=examples/hello`, on the first block: the project is a copy of that folder;
 * - `in=FOLDER`: the commands run in a folder of the project.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeSandbox, type Sandbox } from '../testing/sandbox.ts'
import { type Fence, mapFences } from './fences.ts'

const repository = join(import.meta.dirname, '../..')

/** What every project has, so that no page has to show it. */
const usual = {
  'package.json': '{ "private": true, "type": "module" }\n',
  'tsconfig.json': `${JSON.stringify(
    {
      compilerOptions: {
        target: 'es2024',
        module: 'nodenext',
        types: ['node'],
        strict: true,
        allowImportingTsExtensions: true,
        skipLibCheck: true,
        noEmit: true,
      },
      include: ['*.ts'],
    },
    undefined,
    2,
  )}\n`,
}

/** The page as it has to be: its sessions played. */
export function playSessions(markdown: string): string {
  const stages = new Map<string, Sandbox>()
  try {
    return mapFences(markdown, (fence) => {
      const { session, example, write } = fence.attributes
      if (session === undefined) return fence.body
      let sandbox = stages.get(session)
      if (!sandbox) {
        sandbox = makeSandbox(example && join(repository, example))
        stages.set(session, sandbox)
        for (const [name, text] of Object.entries(usual)) putFile(sandbox, name, text)
        putFile(sandbox, '../bin/npx', '#!/bin/sh\nexec "$@"\n')
        chmodSync(join(sandbox.folder, 'bin/npx'), 0o755)
      }
      const on = new Stage(sandbox, session)
      if (write === undefined) return on.play(fence)
      putFile(sandbox, write, `${on.real(fence.body)}\n`, true)
      return fence.body
    })
  } finally {
    for (const sandbox of stages.values()) sandbox[Symbol.dispose]()
  }
}

/**
 * Without what differs from run to run: times, random ids, the order of what was done side by side. Two pages that
 * differ only in these say the same.
 */
export function withoutChance(markdown: string): string {
  return markdown
    .replace(/\(\d+(\.\d+)? s\)/g, '(0.0 s)')
    .replace(/"durationMs":[\d.]+/g, '"durationMs":0')
    .replace(/"time":"[^"]*"/g, '"time":""')
    .replace(/[0-9a-f]{64}/g, '0'.repeat(64))
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '00000000-0000-0000-0000-000000000000')
    .replace(done, (lines) => lines.split('\n').slice(0, -1).sort().join('\n').concat('\n'))
}

// Lines of a pass: what is done, what a program prints, a reaction.
const done = /^(?:(?:✓ .+|\S+ \| .*|\w+:.+: \w+On)\n)+/gm

/** A sandbox under the names by which a page knows it. */
class Stage {
  readonly #sandbox: Sandbox
  readonly #home: string

  constructor(sandbox: Sandbox, session: string) {
    this.#sandbox = sandbox
    this.#home = `/home/ada/${session}`
  }

  /** Text of the page, with the paths of the sandbox. */
  real(text: string): string {
    const { folder, project } = this.#sandbox
    return text.replaceAll(this.#home, project).replaceAll(/(?<![\w/])\/tmp\b/g, folder)
  }

  play({ body, attributes }: Fence): string {
    const { project, folder } = this.#sandbox
    // npx finds what is installed in half a second; here it is found at once.
    const env = { ...this.#sandbox.env, PATH: `${folder}/bin:${this.#sandbox.env.PATH}` }
    const cwd = join(project, attributes.in ?? '')
    const commands = body.split('\n').filter((line) => line.startsWith('$ '))
    const script = commands.map((line) => `say ${quoted(line)}\n${this.real(line.slice(2))}`).join('\n')
    const { stdout } = spawnSync('bash', ['-c', `${prelude}${script}`], { cwd, env, encoding: 'utf8' })
    const shown = stdout.trimEnd().replaceAll(project, this.#home).replaceAll(folder, '/tmp')
    if (shown.includes(repository)) throw new Error(`a session shows where this clone is:\n${shown}`)
    return shown
  }
}

// A command is told without a change of `$?`, which the next one may ask for.
const prelude = 'exec 2>&1\numask 022\nsay() { local status=$?; printf "%s\\n" "$1"; return $status; }\n'

function putFile({ project }: Sandbox, name: string, text: string, replace = false): void {
  const path = join(project, name)
  if (!replace && existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
