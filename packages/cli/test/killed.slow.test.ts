/**
 * Real processes, killed at random: whatever the moment, no file is half written, nothing of ours is left lying about
 * after the next pass, no reaction is lost, and the ledger claims nothing that is not there.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const rounds = 200
const root = join(import.meta.dirname, '../../..')
const launcher = join(root, 'packages/cli/bin/harmony.js')
let folder = ''
let files = ''

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-killed-')))
  files = join(folder, 'files')
  mkdirSync(join(folder, 'project'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'project/node_modules'))
  writeFileSync(join(folder, 'project/package.json'), '{ "type": "module" }')
  writeFileSync(
    join(folder, 'project/harmony.ts'),
    `import { defineProject, deploy } from '@harmony-iac/core'
import { Directory, File, ShellJob, Symlink } from '@harmony-iac/scores'
import { LocalTopology } from '@harmony-iac/topologies'
const root = ${JSON.stringify(files)}
const variant = process.env.VARIANT!
const config = File({ path: root + '/config', content: variant })
const names = Array.from({ length: 20 }, (_, i) => String(i)).filter((_, i) => variant === 'a' || i % 4 > 0)
export default defineProject({ name: 'killed', deployments: [deploy(new LocalTopology({ shell: true }), [
  Directory({ path: root, purge: true, exclude: ['log'] }),
  config,
  names.map((name) => File({ path: root + '/' + name, content: variant.repeat(100_000), mode: variant === 'a' ? '0640' : '0600' })),
  Symlink({ path: root + '/link', target: variant }),
  ShellJob({ name: 'reload', argv: ['/bin/sh', '-c', 'cat "$1" >> "$2"', 'sh', root + '/config', root + '/log'], rerunOn: [config] }),
])] })
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (variant: string, ...args: readonly string[]) => ({
  args: [launcher, ...args, ...(args[0] === 'plan' || args[0] === 'apply' ? ['--no-check'] : [])],
  options: {
    cwd: join(folder, 'project'),
    env: {
      ...process.env,
      VARIANT: variant,
      HARMONY_STATE_DIR: join(folder, 'state'),
      XDG_CACHE_HOME: join(folder, 'cache'),
    },
  },
})
function run(variant: string, ...args: readonly string[]) {
  const { args: argv, options } = start(variant, ...args)
  return spawnSync(process.execPath, argv, { ...options, encoding: 'utf8' })
}
function killAfter(variant: string, ms: number): Promise<void> {
  const { args, options } = start(variant, 'apply', '--yes')
  const child = spawn(process.execPath, args, { ...options, stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  return new Promise((resolve) =>
    child.on('exit', () => {
      clearTimeout(timer)
      resolve()
    }),
  )
}

test(`${rounds} times`, { timeout: 600_000 }, async () => {
  const first = run('a', 'apply', '--yes')
  expect(first.stderr + first.stdout).toContain('Done')
  const began = performance.now()
  run('b', 'apply', '--yes')
  const usual = performance.now() - began
  let cut = 0
  for (let round = 0; round < rounds; round++) {
    const variant = round % 2 === 0 ? 'a' : 'b'
    // Mostly while it works, not while it starts.
    await killAfter(variant, usual * (0.3 + Math.random() * 0.8))
    for (const name of readdirSync(files)) {
      if (name.startsWith('.') || name === 'log' || name === 'config' || name === 'link') continue
      const content = readFileSync(join(files, name), 'latin1')
      expect(
        [`a`.repeat(100_000), 'b'.repeat(100_000)].includes(content),
        `round ${round}: ${name} is half written`,
      ).toBe(true)
    }
    if (run(variant, 'plan').status === 2) cut++
    const next = run(variant, 'apply', '--yes')
    expect(next.status, `round ${round}: ${next.stdout}${next.stderr}`).toBe(0)
    expect(readFileSync(join(files, 'log'), 'utf8').at(-1), `round ${round}: the reaction was lost`).toBe(
      variant,
    )
    expect(
      readdirSync(files).filter((name) => name.includes('harmony')),
      `round ${round}`,
    ).toEqual([])
    expect(run(variant, 'drift').status, `round ${round}`).toBe(0)
  }
  // If none was cut off in the middle, the test has shown nothing.
  expect(cut).toBeGreaterThan(rounds / 10)
  const end = run('a', 'destroy', '--yes')
  expect(end.stderr).toBe('')
  expect(readdirSync(files)).toEqual(['log'])
  expect(existsSync(join(folder, 'state'))).toBe(false)
})
