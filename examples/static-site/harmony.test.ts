import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { conduct, SimulatedTopology } from '@harmony-iac/core/testing'
import { expect, test } from 'vitest'
import { root, scores } from './harmony.ts'

const machine = () => new SimulatedTopology({ files: { [dirname(root)]: { directory: true } } })

/** Assets by the path that the project writes. */
const assets = Object.fromEntries(
  globSync('pages/*', { cwd: import.meta.dirname }).map((path) => [
    path,
    readFileSync(join(import.meta.dirname, path)),
  ]),
)

test('each language has its pages and the style sheet', async () => {
  const here = machine()
  await conduct(here, scores, { assets }).apply()
  expect(here.disk.read(`${root}/de/index.html`)).toContain('<h1>Guten Tag</h1>')
  expect(here.disk.read(`${root}/ja/about/index.html`)).toContain('<html lang="ja">')
  expect(here.disk.read(`${root}/en/style.css`)).toBe(assets['pages/style.css']?.toString())
})

test('a page that nobody declares is purged, and the plan says so first', async () => {
  const here = machine()
  const project = conduct(here, scores, { assets })
  await project.apply()
  here.disk.write(`${root}/en/old.html`, 'old')

  const purge = (await project.plan()).steps.find(({ action }) => action === 'purge')
  expect(purge?.surplus.map(({ claim }) => claim)).toEqual([{ type: 'path', path: `${root}/en/old.html` }])

  await project.apply()
  expect(here.disk.exists(`${root}/en/old.html`)).toBe(false)
})

test('a second apply changes nothing, and destroy leaves the machine as it was', async () => {
  const here = machine()
  const before = here.snapshot()
  const project = conduct(here, scores, { assets })
  await project.apply()
  expect((await project.apply()).changed).toBe(0)
  await project.destroy()
  expect(here.snapshot()).toEqual(before)
})
