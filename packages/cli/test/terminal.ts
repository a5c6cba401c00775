/** The command on a real terminal, which script(1) makes. */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Part } from '../../../scripts/testing/require-part.ts'
import type { Project } from './project.ts'

/** What it takes. */
export const scriptPart: Part = {
  name: 'script(1)',
  get: 'apt-get install bsdutils',
  present: spawnSync('script', ['--version']).status === 0,
}

/** What is typed when something has been shown since the last time. */
export type Cue = readonly [cue: string | RegExp, keys: string]

/** Runs a command line of `harmony` and types. A cue is looked for after where the one before was found. */
export async function type(
  project: Project,
  line: string,
  cues: readonly Cue[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly out: string }> {
  const launcher = join(import.meta.dirname, '../bin/harmony.js')
  const command = `stty cols 100 rows 30; exec '${process.execPath}' '${launcher}' ${line}`
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: project.folder,
    env: { ...project.sandbox.env, NO_COLOR: '', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let out = ''
  let seen = 0
  const left = [...cues]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    for (let [next] = left; next; [next] = left) {
      const [cue, keys] = next
      const rest = out.slice(seen)
      const at = typeof cue === 'string' ? rest.indexOf(cue) : rest.search(cue)
      if (at < 0) return
      seen += at + (typeof cue === 'string' ? cue.length : (cue.exec(rest)?.[0].length ?? 0))
      left.shift()
      child.stdin.write(keys)
    }
  })
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { status, out }
}
