import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Container, ContainerVolume } from './index.ts'

const machine = () => new SimulatedTopology()
const set =
  (settings: Parameters<SimulatedTopology['containers']['setVolume']>[1]) =>
  ({ containers }: SimulatedTopology) =>
    containers.setVolume('data', settings)

describe('the contract', () => {
  const checks = scoreConformance({
    factory: ContainerVolume,
    topology: machine,
    cases: [
      {
        name: 'with everything, and nothing in it that is needed',
        scores: () => [
          ContainerVolume({
            name: 'data',
            driver: 'local',
            options: { type: 'tmpfs', device: 'tmpfs' },
            labels: { team: 'web' },
            discardData: true,
          }),
        ],
        updated: () => [ContainerVolume({ name: 'data', labels: { team: 'other' }, discardData: true })],
        tampers: {
          '': ({ containers }) => containers.deleteVolume('data'),
          driver: set({ driver: 'nfs' }),
          options: set({ options: {} }),
          labels: set({ labels: { 'harmony-iac.name': 'data' } }),
        },
      },
      {
        name: 'as wanted already, but not made by us',
        scores: () => [ContainerVolume({ name: 'data' })],
        occupied: set({}),
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another volume',
      discardData: 'says what may be done, and is no property of what is there',
    },
  })
  for (const check of checks) test(check.name, check.run)
})

test('one that differs is refused in the plan, for it could not be changed without losing what is in it', async () => {
  const here = machine()
  await conduct(here, [ContainerVolume({ name: 'data' })]).apply()
  const { failures } = await conduct(here, [ContainerVolume({ name: 'data', driver: 'nfs' })]).plan()
  expect(failures[0]).toMatchObject({ code: 'refused', hint: expect.stringContaining('discardData: true') })
})

test('after the loss of the ledger one that Harmony has made is its own', async () => {
  const here = machine()
  await conduct(here, [ContainerVolume({ name: 'data' })]).apply()
  const other = new SimulatedTopology()
  other.containers.setVolume('data', (await here.containers.volume('data'))?.settings)
  expect((await conduct(other, [ContainerVolume({ name: 'data' })]).plan()).conflicts).toEqual([])
})

test('one that a container of somebody else stands on is not removed', async () => {
  const here = machine()
  here.containers.addImage('lan/app:1')
  const project = conduct(here, [ContainerVolume({ name: 'data' })])
  await project.apply()
  here.containers.run('theirs', {
    image: 'lan/app:1',
    mounts: [{ type: 'volume', volume: 'data', target: '/data', readOnly: false }],
  })
  expect((await project.destroy()).results[0]?.error).toMatchObject({ code: 'refused' })
})

test('with retain it stays, with all that is in it', async () => {
  const here = machine()
  const project = conduct(here, [ContainerVolume({ name: 'data', retain: true })])
  await project.apply()
  await project.destroy()
  expect(await here.containers.volume('data')).toBeDefined()
})

test('a container with a volume that nobody declares is refused: its data would be nobody’s', async () => {
  const here = machine()
  here.containers.addImage('lan/app:1')
  const mounts = [{ type: 'volume' as const, volume: 'data', target: '/data' }]
  const { results } = await conduct(here, [Container({ name: 'web', image: 'lan/app:1', mounts })]).apply()
  expect(results[0]?.error).toMatchObject({ code: 'refused' })
})

test('a plan that removes one says what is lost', async () => {
  const here = new SimulatedTopology()
  const volume = ContainerVolume({ name: 'data' })
  await conduct(here, [volume]).apply()
  const { steps } = await conduct(here, []).plan()
  expect(steps[0]?.reasons).toContain('all that is in it is lost')
  const kept = await conduct(here, [ContainerVolume({ name: 'data', retain: true })]).apply()
  expect(kept.outcomes.failure).toBe(0)
  const forgotten = await conduct(here, []).plan()
  expect(forgotten.steps[0]?.reasons).not.toContain('all that is in it is lost')
})
