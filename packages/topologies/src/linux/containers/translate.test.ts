import type { ContainerSettings } from '@harmony-iac/core/capabilities'
import { expect, test } from 'vitest'
import type { EngineContainer } from './engine-types.ts'
import { containerBody, defaultsOf, networkSettingsOf, settingsOf, stateOf, updateBody } from './translate.ts'

const id = '50e42e7b7fc60ec1fdb0bf29891b44c01eb6cb486e0107519afb0007124a39f5'

function container(change: Partial<EngineContainer> = {}): EngineContainer {
  return {
    Id: id,
    Name: '/web',
    Image: 'sha256:1',
    State: { Status: 'running', StartedAt: '2026-01-02T03:04:05.678901Z' },
    Config: { Hostname: id.slice(0, 12), Image: 'app:1', Cmd: ['serve'], Env: ['A=1', 'B=x=y', 'C='] },
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Networks: { bridge: { Aliases: null } } },
    ...change,
  }
}

test('a container that says little has what every engine does by itself', () => {
  expect(settingsOf(container())).toEqual({
    image: 'app:1',
    entrypoint: [],
    command: ['serve'],
    env: { A: '1', B: 'x=y', C: '' },
    ports: [],
    mounts: [],
    networks: [{ name: 'default', aliases: [] }],
    restart: { policy: 'no' },
    resources: {},
    user: '',
    workingDir: '',
    hostname: undefined,
    capabilities: { add: [], drop: [] },
    readOnly: false,
    labels: {},
    health: 'none',
    stopSignal: 'SIGTERM',
    logging: { driver: '', options: {} },
  })
})

test.each<[what: string, change: Partial<EngineContainer>, field: keyof ContainerSettings, to: unknown]>([
  [
    'volumes without a name are those of the image',
    { Mounts: [{ Type: 'volume', Name: 'a'.repeat(64), Destination: '/data' }] },
    'mounts',
    [],
  ],
  [
    'mounts are in the order of their targets, however they were asked for',
    {
      Mounts: [
        { Type: 'volume', Name: 'data', Destination: '/b', RW: true },
        { Type: 'bind', Source: '/srv', Destination: '/a', RW: false },
      ],
      HostConfig: { Tmpfs: { '/c': '' } },
    },
    'mounts',
    [
      { type: 'bind', source: '/srv', target: '/a', readOnly: true },
      { type: 'volume', volume: 'data', target: '/b', readOnly: false },
      { type: 'tmpfs', target: '/c', sizeBytes: undefined },
    ],
  ],
  [
    'aliases that the engine adds are left out',
    { NetworkSettings: { Networks: { lan: { Aliases: ['www', id.slice(0, 12), 'web', 'app'] } } } },
    'networks',
    [{ name: 'lan', aliases: ['app', 'www'] }],
  ],
  [
    "the host's network is one that nothing else goes with",
    { HostConfig: { NetworkMode: 'host' }, NetworkSettings: { Networks: { host: {} } } },
    'networks',
    [{ name: 'host', aliases: [] }],
  ],
  [
    'capabilities are told in one spelling',
    { HostConfig: { CapAdd: ['cap_sys_admin', 'NET_ADMIN'] } },
    'capabilities',
    { add: ['NET_ADMIN', 'SYS_ADMIN'], drop: [] },
  ],
  [
    'no limit of processes is told as zero, as -1, or as nothing',
    { HostConfig: { PidsLimit: -1, Memory: 0, NanoCpus: 5e8 } },
    'resources',
    { cpus: 0.5 },
  ],
  [
    'a health check without numbers has the usual ones',
    { Config: { Healthcheck: { Test: ['CMD-SHELL', 'true'] } } },
    'health',
    { command: 'true', intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 },
  ],
  [
    'a health check that is turned off is none',
    { Config: { Healthcheck: { Test: ['NONE'] } } },
    'health',
    'none',
  ],
  [
    'restarts without a limit have none',
    { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 0 } } },
    'restart',
    { policy: 'on-failure' },
  ],
])('%s', (_, change, field, to) => {
  expect(settingsOf(container(change))[field]).toEqual(to)
})

test('what a container is made with is what is read of it', () => {
  const settings: ContainerSettings = {
    ...settingsOf(container()),
    entrypoint: ['/bin/app'],
    ports: [
      { hostIp: undefined, host: 81, container: 8080, protocol: 'tcp' },
      { hostIp: '127.0.0.1', host: 80, container: 8080, protocol: 'tcp' },
    ],
    mounts: [{ type: 'tmpfs', target: '/tmp', sizeBytes: 4096 }],
    networks: [{ name: 'lan', aliases: ['www'] }],
    restart: { policy: 'on-failure', attempts: 3 },
    resources: { memory: 1024, cpus: 0.1, pids: 9 },
    hostname: 'web-1',
    health: { command: ['true'], intervalMs: 1, timeoutMs: 2, retries: 3, startPeriodMs: 4 },
    stopTimeoutMs: 2000,
    logging: { driver: 'local', options: { 'max-size': '1m' } },
  }
  const body = containerBody(settings) as EngineContainer['Config'] & {
    readonly HostConfig: EngineContainer['HostConfig']
    readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, object>> }
  }
  const { HostConfig, NetworkingConfig, ...Config } = JSON.parse(JSON.stringify(body)) as typeof body
  const made = container({
    Config,
    HostConfig,
    NetworkSettings: { Networks: NetworkingConfig.EndpointsConfig },
  })
  expect(settingsOf(made)).toEqual(settings)
})

test('a limit of memory takes that of swap along, which would be in its way', () => {
  expect(updateBody({ resources: { memory: 100 }, restart: { policy: 'always' } })).toEqual({
    Memory: 100,
    MemorySwap: 200,
    PidsLimit: 0,
    RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
  })
})

test('the state of a container that runs, and of one that has never been started', () => {
  expect(stateOf(container())).toMatchObject({
    name: 'web',
    status: 'running',
    health: 'none',
    exitCode: undefined,
    since: Date.parse('2026-01-02T03:04:05.678Z'),
  })
  const created = { Status: 'created', StartedAt: '0001-01-01T00:00:00Z', ExitCode: 0 } as const
  expect(stateOf(container({ State: created }))).toMatchObject({ since: undefined, exitCode: undefined })
})

test('an image of a newer engine leaves out what it does not have', () => {
  expect(defaultsOf({ Id: 'sha256:1', Config: {} })).toMatchObject({ env: {}, command: [], health: 'none' })
  expect(defaultsOf({ Id: 'sha256:1' })).toMatchObject({ labels: {} })
})

test('a newer engine says among the options of a network what it says elsewhere', () => {
  const found = networkSettingsOf({
    Name: 'lan',
    Id: '1',
    Driver: 'bridge',
    IPAM: { Config: [{ Subnet: '10.0.0.0/24' }] },
    Options: { 'com.docker.network.enable_ipv4': 'true', mtu: '1400' },
  })
  expect(found).toMatchObject({ subnet: '10.0.0.0/24', options: { mtu: '1400' }, internal: false })
})
