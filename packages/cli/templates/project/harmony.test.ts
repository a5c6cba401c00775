import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conduct, SimulatedTopology } from '@harmony-iac/core/testing'
import { scores } from './harmony.ts'

const page = `${import.meta.dirname}/public/index.html`

/** A machine in memory: nothing here touches the real one. These folders are there before the first apply. */
const machine = () => new SimulatedTopology({ files: { [import.meta.dirname]: { directory: true } } })

test('the page is there', async () => {
  const here = machine()
  await conduct(here, scores).apply()
  assert.match(String(here.disk.read(page)), /{{name}}/)
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
  here.disk.write(page, 'hacked\n')

  const { entries } = await site.drift()
  assert.deepEqual(
    entries.map(({ address }) => address),
    [`File:${page}`],
  )

  await site.apply()
  assert.match(String(here.disk.read(page)), /{{name}}/)
})
