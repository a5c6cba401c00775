import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { conduct, SimulatedTopology } from '@harmony-iac/core/testing'
import { root, scores } from './harmony.ts'

/** A machine in memory: nothing here touches the real one. */
const machine = () => new SimulatedTopology({ files: { [dirname(root)]: { directory: true } } })

test('the page is there', async () => {
  const here = machine()
  await conduct(here, scores).apply()
  assert.equal(here.disk.read(`${root}/index.html`), '<h1>{{name}}</h1>\n')
})

test('a second apply changes nothing', async () => {
  const site = conduct(machine(), scores)
  await site.apply()
  assert.equal((await site.apply()).changed, 0)
})

test('what somebody changed is found and put right', async () => {
  const here = machine()
  const site = conduct(here, scores)
  await site.apply()
  here.disk.write(`${root}/site.json`, '{ "port": 1 }\n')

  const { entries } = await site.drift()
  assert.deepEqual(
    entries.map(({ address }) => address),
    [`File:${root}/site.json`],
  )

  await site.apply()
  assert.equal(here.disk.read(`${root}/site.json`), '{ "port": 8080 }\n')
})
