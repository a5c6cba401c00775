import { dirname } from 'node:path'
import { conduct, SimulatedTopology } from '@harmony-iac/core/testing'
import { expect, test } from 'vitest'
import { root, scores } from './harmony.ts'

/** A machine in memory. */
const machine = () => new SimulatedTopology({ files: { [dirname(root)]: { directory: true } } })

test('the link leads to the configuration', async () => {
  const here = machine()
  await conduct(here, scores).apply()
  expect(here.disk.read(`${root}/current.json`)).toBe('{"port":8080}\n')
})

test('a second apply changes nothing', async () => {
  const project = conduct(machine(), scores)
  await project.apply()
  expect((await project.apply()).changed).toBe(0)
})

test('what somebody changed is told, and put right', async () => {
  const here = machine()
  const project = conduct(here, scores)
  await project.apply()
  here.disk.write(`${root}/site.json`, '{"port":1}\n')

  const { entries } = await project.drift()
  expect(entries.map(({ address, status }) => `${address} ${status}`)).toEqual([
    `File:${root}/site.json changed`,
  ])

  await project.apply()
  expect(here.disk.read(`${root}/site.json`)).toBe('{"port":8080}\n')
})

test('destroy leaves the machine as it was', async () => {
  const here = machine()
  const before = here.snapshot()
  const project = conduct(here, scores)
  await project.apply()
  await project.destroy()
  expect(here.snapshot()).toEqual(before)
})
