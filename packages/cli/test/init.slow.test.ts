/** What a new user does first, with npm itself. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith } from '../../../scripts/testing/require-part.ts'
import { makeProject } from './project.ts'

// A registry that is slow for a moment is there all the same.
const patience = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-timeout=10000']
const online = spawnSync('npm', ['ping', ...patience])

describeWith(
  {
    name: 'the registry of npm',
    get: 'a connection to it, or a mirror in ~/.npmrc',
    present: online.status === 0,
  },
  'a project that init wrote',
  () => {
    test('installs, compiles, passes its test and plans, with nothing changed by hand', async () => {
      using project = makeProject()
      await project.run('init my-site')
      const folder = join(project.folder, 'my-site')
      const env = {
        ...process.env,
        ...project.sandbox.env,
        HOME: process.env.HOME,
      }
      const run = (command: string, ...args: readonly string[]) =>
        spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' })
      const installed = run(
        'npm',
        'install',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        '--fetch-retries=0',
      )
      expect(installed.stderr + installed.stdout).toContain('added')
      expect(installed.status).toBe(0)
      expect(run('npm', 'test')).toMatchObject({ status: 0 })
      expect(run('npx', 'harmony', 'check')).toMatchObject({ status: 0 })
      expect(run('npx', 'harmony', 'plan')).toMatchObject({ status: 2 })
    })
  },
)
