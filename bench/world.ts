/**
 * A scratch folder with the projects that are measured. On tmpfs where there is one, since on a disk the file system's
 * own moods (a create soon after many deletes) would be charged to the tool; on the disk for what has to be durable,
 * since on tmpfs nothing is.
 */
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subject } from './measure.ts'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')

/** The Node that everything is measured on: the repo's own. */
export const node = process.execPath

/** Where things are measured. */
export class World {
  readonly dir: string
  #aside = 0

  constructor(where: 'memory' | 'disk' = 'memory') {
    this.dir = mkdtempSync(
      join(where === 'memory' && writable('/dev/shm') ? '/dev/shm' : tmpdir(), 'harmony-bench-'),
    )
    mkdirSync(join(this.dir, 'aside'))
  }

  /** A project folder; what it applies to is `${project}-files`. */
  project(name: string, source: (files: string) => string): string {
    const folder = join(this.dir, name)
    mkdirSync(folder)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      types: ['node'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    writeFileSync(join(folder, 'harmony.ts'), source(this.files(name)))
    return folder
  }

  files(name: string): string {
    return join(this.dir, `${name}-files`)
  }

  /** The command as a user types it, with the repo's Node first in PATH. */
  harmony(name: string, args: readonly string[], prepare?: () => void): Subject {
    const cwd = join(this.dir, name)
    const env = { HARMONY_STATE_DIR: join(this.dir, `${name}-state`), PATH: `${bin}:${process.env.PATH}` }
    return { argv: [join(bin, 'harmony'), ...args], cwd, env, ...(prepare ? { prepare } : {}) }
  }

  /** Takes away without deleting: freeing thousands of files would slow the next run down. */
  moveAside(...paths: readonly string[]): void {
    for (const path of paths)
      try {
        renameSync(path, join(this.dir, 'aside', String(this.#aside++)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A project of many small files in one folder. */
export function manyFiles(count: number): (files: string) => string {
  return (files) => `import { defineProject, deploy } from '@harmony-iac/core'
import { Directory, File } from '@harmony-iac/scores'
import { LocalTopology } from '@harmony-iac/topologies'

const dir = ${JSON.stringify(files)}
const numbers = Array.from({ length: ${count} }, (_, k) => 1001 + k)

export default defineProject({
  name: 'bench',
  deployments: [
    deploy(new LocalTopology(), [
      Directory({ path: dir, mode: '0755' }),
      numbers.map((i) => File({ path: \`\${dir}/f\${i}\`, content: \`peer-baseline file \${i} \${'x'.repeat(39)}\\n\`, mode: '0640' })),
    ]),
  ],
})
`
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
