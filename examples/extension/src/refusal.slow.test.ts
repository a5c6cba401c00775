import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineProject, deploy } from '@harmony-iac/core'
import { LocalTopology } from '@harmony-iac/topologies'
import { expect, test } from 'vitest'
import { HostName } from './host-name.ts'

const here = join(import.meta.dirname, '..')

// #region compiler
test('the compiler refuses a topology without a table of names, on the guilty line', () => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const { stdout } = spawnSync(process.execPath, [compiler, '--pretty', 'false', '-p', 'fixtures'], {
    cwd: here,
    encoding: 'utf8',
  })
  expect(stdout).toMatch(/^fixtures\/refused\.ts\(15,7\): error TS2322:/)
  expect(stdout).toContain("Property 'hostTables' is missing in type 'LocalTopology' but required in type")
  expect(stdout.match(/error TS/g)).toHaveLength(1)
})
// #endregion

test('what the compiler was kept from seeing is refused when the project is loaded', () => {
  const plain = new LocalTopology()
  const load = () => {
    const deployment = deploy(plain, [HostName({ name: 'db.internal', address: '10.0.0.5' }) as never])
    return defineProject({ name: 'refused', deployments: [deployment] })
  }
  expect(load).toThrow('needs hostTables, which the LocalTopology local does not offer')
})
