import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Container, ContainerNetwork, type ContainerNetworkSpec } from './index.ts'

const image = 'lan/app:1'

function machine(): SimulatedTopology {
  const here = new SimulatedTopology()
  here.containers.addImage(image)
  return here
}

const set =
  (settings: Parameters<SimulatedTopology['containers']['setNetwork']>[1]) =>
  ({ containers }: SimulatedTopology) =>
    containers.setNetwork('backend', settings)

describe('the contract', () => {
  const checks = scoreConformance({
    factory: ContainerNetwork,
    topology: machine,
    cases: [
      {
        name: 'with everything',
        scores: () => [
          ContainerNetwork({
            name: 'backend',
            driver: 'bridge',
            subnet: '172.30.0.0/24',
            gateway: '172.30.0.1',
            internal: true,
            labels: { team: 'web' },
            options: { mtu: '1400' },
          }),
        ],
        updated: () => [ContainerNetwork({ name: 'backend', subnet: 'fd00::/64', ipv6: true })],
        occupied: set({ subnet: '10.0.0.0/8' }),
        tampers: {
          '': ({ containers }) => containers.deleteNetwork('backend'),
          driver: set({ driver: 'overlay' }),
          subnet: set({ subnet: '172.31.0.0/24' }),
          gateway: set({ gateway: '172.30.0.254' }),
          internal: set({ internal: false }),
          ipv6: set({ ipv6: true }),
          labels: set({ labels: { 'harmony-iac.name': 'backend' } }),
          options: set({ options: {} }),
        },
      },
      {
        name: 'with a container in it',
        scores: () => [
          ContainerNetwork({ name: 'backend' }),
          Container({ name: 'web', image, networks: [{ name: 'backend', aliases: ['www'] }] }),
        ],
        updated: () => [
          ContainerNetwork({ name: 'backend', internal: true }),
          Container({ name: 'web', image, networks: [{ name: 'backend', aliases: ['www'] }] }),
        ],
      },
    ],
    exempt: { name: 'is the identity: under another name it is another network' },
  })
  for (const check of checks) test(check.name, check.run)
})

test('containers of somebody else are not cut off', async () => {
  const here = machine()
  await conduct(here, [ContainerNetwork({ name: 'backend' })]).apply()
  here.containers.run('theirs', { image, networks: [{ name: 'backend', aliases: [] }] })
  const { results } = await conduct(here, [ContainerNetwork({ name: 'backend', internal: true })]).apply()
  expect(results[0]?.error).toMatchObject({ code: 'refused' })
  expect(results[0]?.error?.message).toContain('theirs')
})

test('a network without a subnet takes whatever it gets', async () => {
  const here = machine()
  const project = conduct(here, [ContainerNetwork({ name: 'backend' })])
  await project.apply()
  here.containers.setNetwork('backend', { subnet: '172.20.0.0/16' })
  expect((await project.apply()).changed).toBe(0)
})

test.each<[spec: Partial<ContainerNetworkSpec>, issue: string]>([
  [{ name: 'host' }, 'name: comes with the runtime'],
  [{ subnet: '172.30.0.0' }, 'subnet: must be a network such as 172.30.0.0/24'],
  [{ gateway: '172.30.0.1' }, 'gateway: needs subnet: which one is it in?'],
  [{ subnet: 'fd00::/64' }, 'subnet: is one of IPv6, so it needs ipv6: true'],
])('%j is refused', (spec, issue) => {
  const { issues } = ContainerNetwork({ name: 'backend', ...spec })['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})
