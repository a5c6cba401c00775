import { HarmonyError, secret, text } from '@harmony-iac/core'
import { madeByHarmony } from '@harmony-iac/core/capabilities'
import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import {
  Container,
  ContainerImage,
  ContainerNetwork,
  type ContainerSpec,
  ContainerVolume,
  Directory,
  File,
} from './index.ts'

const image = 'lan/app:1'
const next = 'lan/app:2'

function machine(): SimulatedTopology {
  const here = new SimulatedTopology()
  const brings = { labels: { maker: 'us' }, env: { PATH: '/bin', LEVEL: 'info' } }
  here.containers.addImage(image, 'app one', brings)
  here.containers.addImage(next, 'app two')
  here.containers.publish(image, 'app one', brings)
  here.containers.publish(next, 'app two')
  return here
}

const everything: ContainerSpec = {
  name: 'web',
  image,
  command: ['serve', '--fast'],
  entrypoint: ['/bin/app'],
  env: { TOKEN: secret('token'), LEVEL: 'debug' },
  ports: [{ hostIp: '127.0.0.1', host: 8080, container: 80, protocol: 'tcp' }],
  mounts: [
    { type: 'bind', source: '/srv/web', target: '/web', readOnly: true },
    { type: 'volume', volume: 'data', target: '/data' },
    { type: 'tmpfs', target: '/tmp', sizeBytes: 65_536 },
  ],
  networks: [{ name: 'backend', aliases: ['www', 'app'] }],
  restart: { onFailure: 3 },
  resources: { memory: 64 * 1024 ** 2, cpus: 0.5, pids: 20 },
  user: '1000:1000',
  workingDir: '/web',
  hostname: 'web-1',
  capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
  readOnly: true,
  labels: { team: 'web' },
  health: { command: ['true'], intervalMs: 1000, timeoutMs: 500, retries: 2, startPeriodMs: 100 },
  stopSignal: 'SIGINT',
  stopTimeoutMs: 2000,
  logging: { driver: 'local', options: { 'max-size': '1m' } },
}

describe('the contract', () => {
  const standing = [
    Directory({ path: '/srv/web' }),
    ContainerVolume({ name: 'data' }),
    ContainerNetwork({ name: 'backend' }),
  ]
  const alter =
    (change: Parameters<SimulatedTopology['containers']['alter']>[1]) =>
    ({ containers }: SimulatedTopology) =>
      containers.alter('web', change)
  const mounts = (readOnly: boolean, volume: string, sizeBytes: number, source = '/srv/web') => [
    { type: 'volume' as const, volume, target: '/data', readOnly: false },
    { type: 'tmpfs' as const, target: '/tmp', sizeBytes },
    { type: 'bind' as const, source, target: '/web', readOnly },
  ]
  const checks = scoreConformance({
    factory: Container,
    topology: machine,
    cases: [
      {
        name: 'with everything',
        scores: () => [...standing, Container(everything)],
        updated: () => [
          ...standing,
          Container({
            ...everything,
            image: next,
            env: { LEVEL: 'warn' },
            resources: { memory: 32 * 1024 ** 2 },
          }),
        ],
        tampers: {
          '': ({ containers }) => containers.operate('web', 'remove'),
          command: alter({ command: ['other'] }),
          entrypoint: alter({ entrypoint: ['other'] }),
          env: alter({ env: { PATH: '/bin', LEVEL: 'debug', TOKEN: 'stolen' } }),
          'ports[].hostIp': alter({ ports: [{ host: 8080, container: 80, protocol: 'tcp' }] }),
          'ports[].host': alter({
            ports: [{ hostIp: '127.0.0.1', host: 8081, container: 80, protocol: 'tcp' }],
          }),
          'ports[].container': alter({
            ports: [{ hostIp: '127.0.0.1', host: 8080, container: 81, protocol: 'tcp' }],
          }),
          'ports[].protocol': alter({
            ports: [{ hostIp: '127.0.0.1', host: 8080, container: 80, protocol: 'udp' }],
          }),
          'mounts[].type': alter({
            mounts: [{ type: 'tmpfs', target: '/data' }, ...mounts(true, 'data', 65_536).slice(1)],
          }),
          'mounts[].readOnly': alter({ mounts: mounts(false, 'data', 65_536) }),
          'mounts[].volume': alter({ mounts: mounts(true, 'other', 65_536) }),
          'mounts[].sizeBytes': alter({ mounts: mounts(true, 'data', 4096) }),
          'mounts[].source': alter({ mounts: mounts(true, 'data', 65_536, '/srv') }),
          'mounts[].target': alter({ mounts: [] }),
          'networks[].name': alter({ networks: [] }),
          'networks[].aliases': alter({ networks: [{ name: 'backend', aliases: ['www'] }] }),
          'restart.onFailure': alter({ restart: { policy: 'always' } }),
          'resources.memory': alter({ resources: { cpus: 0.5, pids: 20 } }),
          'resources.cpus': alter({ resources: { memory: 64 * 1024 ** 2, cpus: 1, pids: 20 } }),
          'resources.pids': alter({ resources: { memory: 64 * 1024 ** 2, cpus: 0.5 } }),
          user: alter({ user: '' }),
          workingDir: alter({ workingDir: '/' }),
          hostname: alter({ hostname: undefined }),
          'capabilities.add': alter({ capabilities: { add: [], drop: ['ALL'] } }),
          'capabilities.drop': alter({ capabilities: { add: ['NET_ADMIN'], drop: [] } }),
          readOnly: alter({ readOnly: false }),
          labels: alter({ labels: { maker: 'us', team: 'other', [madeByHarmony]: 'web' } }),
          'health.command': alter({
            health: { command: 'true', intervalMs: 1000, timeoutMs: 500, retries: 2, startPeriodMs: 100 },
          }),
          'health.intervalMs': alter({
            health: { command: ['true'], intervalMs: 1, timeoutMs: 500, retries: 2, startPeriodMs: 100 },
          }),
          'health.timeoutMs': alter({
            health: { command: ['true'], intervalMs: 1000, timeoutMs: 1, retries: 2, startPeriodMs: 100 },
          }),
          'health.retries': alter({
            health: { command: ['true'], intervalMs: 1000, timeoutMs: 500, retries: 1, startPeriodMs: 100 },
          }),
          'health.startPeriodMs': alter({
            health: { command: ['true'], intervalMs: 1000, timeoutMs: 500, retries: 2, startPeriodMs: 1 },
          }),
          stopSignal: alter({ stopSignal: 'SIGTERM' }),
          stopTimeoutMs: alter({ stopTimeoutMs: undefined }),
          'logging.driver': alter({ logging: { driver: 'none', options: { 'max-size': '1m' } } }),
          'logging.options': alter({ logging: { driver: 'local', options: {} } }),
        },
      },
      {
        name: 'as short as can be',
        scores: () => [Container({ name: 'web', image })],
        updated: () => [Container({ name: 'web', image: next })],
        occupied: ({ containers }) => containers.run('web', { image: next, restart: { policy: 'always' } }),
        tampers: {
          '': ({ containers }) => containers.operate('web', 'kill'),
          image: ({ containers }) => containers.deleteImage(image),
        },
      },
      {
        name: 'with a port of the host',
        scores: () => [Container({ name: 'web', image, ports: [{ host: 80, container: 80 }] })],
        updated: () => [Container({ name: 'web', image: next, ports: [{ host: 80, container: 80 }] })],
        occupied: ({ containers }) =>
          containers.run('web', { image: next, ports: [{ host: 80, container: 80, protocol: 'tcp' }] }),
      },
      {
        name: 'there already, to be changed in place',
        scores: () => [Container({ name: 'web', image, restart: 'always', resources: { pids: 9 } })],
        occupied: ({ containers }) => {
          containers.run('web', {
            image,
            env: { PATH: '/bin', LEVEL: 'info' },
            labels: { maker: 'us' },
            networks: [],
          })
          containers.operate('web', 'stop')
        },
      },
      {
        name: 'in a network that changes',
        scores: () => [
          ContainerNetwork({ name: 'backend' }),
          Container({ name: 'web', image, networks: [{ name: 'backend' }] }),
        ],
        updated: () => [Container({ name: 'web', image, networks: 'host' })],
      },
    ],
    exempt: {
      name: 'is the identity: under another name it is another container',
      pull: 'says when the image is fetched; whether a registry has a newer one is tested below',
      replace: 'says which comes first; what comes of it is the same',
      reloadSignal: 'is what a reaction sends',
      stableForMs: 'says how long to wait after a start',
      startTimeoutMs: 'says how long to wait after a start',
    },
  })
  for (const check of checks) test(check.name, check.run)
})

const writesOf = (here: SimulatedTopology) =>
  here.writes.filter(({ port }) => port === 'containers').map(({ method, subject }) => `${method} ${subject}`)

test('one that does not get in the way of the next is stopped after that one is healthy', async () => {
  const here = machine()
  await conduct(here, [Container({ name: 'web', image })]).apply()
  here.faults.forget()
  await conduct(here, [Container({ name: 'web', image: next })]).apply()
  expect(writesOf(here)).toEqual([
    'create web.harmony-new',
    'start web.harmony-new',
    'rename web',
    'rename web.harmony-new',
    'stop web.harmony-old',
    'removeContainer web.harmony-old',
  ])
})

test.each<[what: string, spec: Partial<ContainerSpec>]>([
  ['a port of the host', { ports: [{ host: 80, container: 80 }] }],
  ['files that both write to', { mounts: [{ type: 'bind', source: '/srv', target: '/data' }] }],
  ["the host's network", { networks: 'host' }],
  ['its own word', { replace: 'stop-first' }],
])('because of %s it is stopped before the next one is started', async (_, spec) => {
  const here = machine()
  await conduct(here, [Container({ name: 'web', image, ...spec })]).apply()
  here.faults.forget()
  await conduct(here, [Container({ name: 'web', image: next, ...spec })]).apply()
  expect(writesOf(here).slice(0, 3)).toEqual(['create web.harmony-new', 'stop web', 'start web.harmony-new'])
})

test('another port, or files that are only read, are in nobody’s way', async () => {
  const here = machine()
  const web = (port: number, tag: string) =>
    Container({
      name: 'web',
      image: tag,
      ports: [{ host: port, container: 80 }],
      mounts: [{ type: 'bind', source: '/srv', target: '/data', readOnly: true }],
    })
  await conduct(here, [web(80, image)]).apply()
  here.faults.forget()
  await conduct(here, [web(81, next)]).apply()
  expect(writesOf(here)).not.toContain('stop web')
})

test.each([
  ['started first', undefined],
  ['started after the stop', [{ host: 80, container: 80 }]],
])('one that does not get healthy, %s, is thrown away, and the one before goes on', async (_, ports) => {
  const here = machine()
  const health = { command: 'true', intervalMs: 1000 }
  const before = [Container({ name: 'web', image, health, ports })]
  await conduct(here, before).apply()
  here.containers.behave('app two', { healthyMs: 'never', says: ['no database'] })
  const { results } = await conduct(here, [Container({ name: 'web', image: next, health, ports })]).apply()
  expect(results[0]).toMatchObject({ outcome: 'failure', error: { code: 'not-converged' } })
  expect(results[0]?.error?.message).toContain('no database')
  expect(results[0]?.error?.hint).toContain('the one before was')
  const { changed } = await conduct(here, before).apply()
  expect(changed).toBe(0)
  expect(Object.keys(here.containers.snapshot()).filter((key) => key.startsWith('container'))).toEqual([
    'container web',
  ])
})

test('one that cannot be started leaves the one before running', async () => {
  const here = machine()
  const ports = [{ host: 80, container: 80 }]
  await conduct(here, [Container({ name: 'web', image, ports })]).apply()
  here.containers.behave('app two', { refuses: 'has no such program: serve' })
  const { results } = await conduct(here, [Container({ name: 'web', image: next, ports })]).apply()
  expect(results[0]?.error).toMatchObject({ code: 'refused' })
  expect(await here.containers.container('web')).toMatchObject({
    status: 'running',
    settings: { image },
  })
})

test('one that fails again and again is a failure that shows its last lines', async () => {
  const here = machine()
  here.containers.behave('app one', { endMs: 300, exit: 3, says: ['out of luck'] })
  const { results } = await conduct(here, [Container({ name: 'web', image })]).apply()
  expect(results[0]?.error).toMatchObject({ code: 'not-converged' })
  expect(results[0]?.error?.message).toMatch(/restarting|started again/)
  expect(results[0]?.error?.message).toContain('out of luck')
})

test('one that has ended and is not to be started again is a failure', async () => {
  const here = machine()
  here.containers.behave('app one', { endMs: 300, exit: 3 })
  const { results } = await conduct(here, [Container({ name: 'web', image, restart: 'no' })]).apply()
  expect(results[0]?.error?.message).toContain('web has ended with status 3')
})

test('one that gets healthy late is waited for', async () => {
  const here = machine()
  here.containers.behave('app one', { healthyMs: 40_000 })
  const project = conduct(here, [Container({ name: 'web', image, health: { command: 'true' } })])
  expect((await project.apply()).results[0]).toMatchObject({ outcome: 'success' })
  expect(here.clock.now()).toBeGreaterThanOrEqual(40_000)
  expect((await project.apply()).changed).toBe(0)
})

test.each(['stop', 'kill', 'pause'] as const)('after a %s by somebody else it runs again', async (deed) => {
  const here = machine()
  const project = conduct(here, [Container({ name: 'web', image })])
  await project.apply()
  here.containers.operate('web', deed)
  expect((await project.drift()).entries).toHaveLength(1)
  await project.apply()
  expect(await here.containers.container('web')).toMatchObject({ status: 'running' })
})

test('limits, restart policy and networks are changed in place', async () => {
  const here = machine()
  const networks = [ContainerNetwork({ name: 'one' }), ContainerNetwork({ name: 'two' })]
  const web = (spec: Partial<ContainerSpec>) => Container({ name: 'web', image, ...spec })
  await conduct(here, [...networks, web({ networks: [{ name: 'one' }] })]).apply()
  const before = await here.containers.container('web')
  const changed = web({
    networks: [{ name: 'two', aliases: ['www'] }],
    restart: 'always',
    resources: { memory: 64 * 1024 ** 2, cpus: 2, pids: 9 },
  })
  const { plan } = await conduct(here, [...networks, changed]).apply()
  expect(plan.steps.find(({ address }) => address === 'Container:web')).toMatchObject({ action: 'update' })
  expect((await here.containers.container('web'))?.id).toBe(before?.id)
})

test('a limit that is lifted takes another container', async () => {
  const here = machine()
  await conduct(here, [Container({ name: 'web', image, resources: { cpus: 1 } })]).apply()
  const { steps } = await conduct(here, [Container({ name: 'web', image })]).plan()
  expect(steps[0]).toMatchObject({ action: 'replace' })
})

test('with pull: always a newer image of the same tag replaces it, and nothing is fetched otherwise', async () => {
  const here = machine()
  const project = conduct(here, [Container({ name: 'web', image, pull: 'always' })])
  await project.apply()
  here.faults.forget()
  expect((await project.apply()).changed).toBe(0)
  here.containers.publish(image, 'app one, corrected')
  expect((await project.plan()).steps[0]).toMatchObject({ action: 'replace' })
  await project.apply()
  expect(writesOf(here)).toContain(`pull ${image}`)
  expect((await project.apply()).changed).toBe(0)
})

test('a registry that cannot be reached keeps nobody from starting what is there', async () => {
  const here = machine()
  const project = conduct(here, [Container({ name: 'web', image, pull: 'always' })])
  await project.apply()
  const problem = new HarmonyError('unreachable', 'no network')
  here.faults.fail(({ method }) => method === 'registryDigest' || method === 'pull', problem)
  here.containers.operate('web', 'kill')
  expect((await project.apply()).outcomes).toMatchObject({ success: 1 })
  here.containers.deleteImage(image)
  expect((await project.apply()).results[0]?.error).toMatchObject({ code: 'unreachable' })
})

test('a secret that a container writes to its log is not shown with the last lines', async () => {
  const here = machine()
  here.containers.behave('app one', { endMs: 300, says: ['token: the-value-of-the-secret-token'] })
  const web = Container({ name: 'web', image, env: { TOKEN: secret('token') } })
  const { results, events } = await conduct(here, [web]).apply()
  expect(results[0]?.error?.message).toContain('token: ')
  expect(JSON.stringify([results, events])).not.toContain('the-value-of')
})

test('a newer image of a tag that somebody has fetched replaces it', async () => {
  const here = machine()
  const project = conduct(here, [Container({ name: 'web', image })])
  await project.apply()
  here.containers.addImage(image, 'app one, corrected')
  expect((await project.plan()).steps[0]).toMatchObject({ action: 'replace' })
  await project.apply()
  expect((await project.apply()).changed).toBe(0)
})

test('with the id of a ContainerImage that is about to change, the plan says that it waits for it', async () => {
  const here = machine()
  const app = ContainerImage({ name: image, pull: 'always' })
  const project = conduct(here, [app, Container({ name: 'web', image: app.out.id })])
  await project.apply()
  here.containers.publish(image, 'app one, corrected')
  const { plan, outcomes } = await project.apply()
  expect(plan.steps.map(({ address, action }) => [address, action])).toEqual([
    [`ContainerImage:${image}`, 'update'],
    ['Container:web', 'deferred'],
  ])
  expect(outcomes).toMatchObject({ failure: 0 })
  expect((await project.apply()).changed).toBe(0)
})

test('two that publish one port of the host are an error before anything runs', () => {
  const ports = [{ host: 80, container: 80 }]
  const scores = [Container({ name: 'one', image, ports }), Container({ name: 'two', image, ports })]
  return expect(conduct(machine(), scores).plan()).rejects.toMatchObject({ code: 'claim-conflict' })
})

test('networks, volumes, the image and mounted paths come before it, by themselves', async () => {
  const here = machine()
  const { plan } = await conduct(here, [
    Container({
      name: 'web',
      image,
      networks: [{ name: 'backend' }],
      mounts: [
        { type: 'volume', volume: 'data', target: '/data' },
        { type: 'bind', source: '/srv/web.conf', target: '/web.conf', readOnly: true },
      ],
    }),
    File({ path: '/srv/web.conf', content: 'a' }),
    ContainerNetwork({ name: 'backend' }),
    ContainerVolume({ name: 'data' }),
    ContainerImage({ name: image }),
  ]).apply()
  expect(plan.steps.at(-1)).toMatchObject({ address: 'Container:web' })
})

test('it is restarted when a file has changed, or told by a signal', async () => {
  const here = machine()
  const scores = (content: string) => {
    const config = File({ path: '/srv/web.conf', content })
    return [
      config,
      Container({ name: 'web', image, restartOn: [config] }),
      Container({ name: 'other', image, reloadSignal: 'SIGUSR1', reloadOn: [config] }),
    ]
  }
  await conduct(here, scores('a')).apply()
  here.faults.forget()
  await conduct(here, scores('b')).apply()
  expect(writesOf(here)).toEqual(expect.arrayContaining(['restart web', 'signal other']))
  expect(await here.containers.logs('other', 1)).toEqual(['got SIGUSR1'])
  expect((await conduct(here, scores('b')).apply()).changed).toBe(0)
})

test('a value of its environment may be made of secrets and outputs; neither is shown', async () => {
  const here = machine()
  const backend = ContainerNetwork({ name: 'backend' })
  const web = Container({
    name: 'web',
    image,
    env: { TOKEN: secret('token'), NETWORK: text`in ${backend.out.id}` },
  })
  const { plan, events } = await conduct(here, [backend, web]).apply()
  const env = (await here.containers.container('web'))?.settings.env
  expect(env).toMatchObject({
    TOKEN: 'the-value-of-the-secret-token',
    NETWORK: expect.stringMatching(/^in /),
  })
  here.containers.alter('web', { env: { TOKEN: 'stolen-by-somebody' } })
  const shown = JSON.stringify([plan, events, await conduct(here, [backend, web]).plan()])
  expect(shown).not.toContain('the-value-of-the-secret')
  expect(shown).not.toContain('stolen-by-somebody')
})

test('one that was taken over, replaced, and removed by hand is told of', async () => {
  const here = machine()
  here.containers.run('web', { image: next })
  const project = conduct(here, [Container({ name: 'web', image, adopt: true })])
  await project.apply()
  here.containers.operate('web.harmony-aside', 'remove')
  const { outcomes } = await project.destroy()
  expect(outcomes).toMatchObject({ failure: 0 })
  expect(await here.containers.container('web')).toBeUndefined()
})

test.each<[spec: Partial<ContainerSpec>, issue: string]>([
  [
    { name: '-web' },
    'name: must be two or more letters, digits, _ . and -, and start with a letter or digit',
  ],
  [{ name: 'web.harmony-new' }, 'name: ends as the names of containers that are about to be replaced'],
  [{ image: 'nginx' }, 'image: does not say which one: write nginx:TAG, or nginx@sha256:…'],
  [
    { image: 'lan:5000/app' },
    'image: does not say which one: write lan:5000/app:TAG, or lan:5000/app@sha256:…',
  ],
  [{ ports: [{ host: 0, container: 80 }] }, 'ports.0.host: must be at least 1'],
  [
    {
      ports: [
        { host: 80, container: 80 },
        { host: 80, container: 81 },
      ],
    },
    'ports: names a port of the host twice',
  ],
  [{ networks: 'host', ports: [{ host: 80, container: 80 }] }, 'ports: lead nowhere with networks: ‘host’'],
  [
    { networks: [{ name: 'bridge' }] },
    'networks.0.name: comes with the runtime: leave networks out, or say networks: ‘host’ or ‘none’',
  ],
  [{ capabilities: { add: ['CAP_NET_ADMIN'] } }, 'capabilities.add.0: is written without CAP_'],
  [{ labels: { 'harmony-iac.name': 'x' } }, 'labels.harmony-iac.name: is a label of Harmony itself'],
  [{ stopSignal: 'INT' }, 'stopSignal: must be the name of a signal, such as SIGINT'],
  [{ stopTimeoutMs: 1500 }, 'stopTimeoutMs: must be whole seconds'],
  [{ resources: { memory: 64 } }, 'resources.memory: must be at least 6 MiB, written in bytes'],
])('%j is refused', (spec, issue) => {
  const { issues } = Container({ name: 'web', image, ...spec })['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})
