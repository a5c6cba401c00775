/**
 * The kinds of container on a real engine: the same contract as in memory. Kills are played on one replacement: each is
 * several passes on a real engine.
 */
import { asset, secret } from '@harmony-iac/core'
import { scoreConformance } from '@harmony-iac/core/testing'
import {
  Container,
  ContainerImage,
  ContainerNetwork,
  type ContainerSpec,
  ContainerVolume,
} from '@harmony-iac/scores'
import { afterAll, beforeAll, test } from 'vitest'
import { containerImages, importBusybox } from '../../../../../scripts/testing/busybox-image.ts'
import { engine } from '../../../../../scripts/testing/engine.ts'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { affordable } from '../../../test/affordable.ts'
import { clearEngine, type EngineStage, engineStage } from '../../../test/engine-stage.ts'

// The engine is shared with other files of a run.
const prefix = `kit${process.pid}`
const image = `${prefix}-app:1`
const next = `${prefix}-app:2`
const [web, data, other, backend, front] = ['web', 'data', 'other', 'backend', 'front'].map(
  (name) => `${prefix}-${name}`,
) as [string, string, string, string, string]
const port = 20_000 + (process.pid % 10_000)

const everything: ContainerSpec = {
  name: web,
  image,
  command: ['httpd', '-f', '-p', '80', '-h', '/www'],
  entrypoint: ['busybox'],
  env: { TOKEN: secret('token'), LEVEL: 'debug' },
  ports: [{ hostIp: '127.0.0.1', host: port, container: 80 }],
  mounts: [
    { type: 'bind', source: '/usr', target: '/host', readOnly: true },
    { type: 'volume', volume: data, target: '/data' },
    { type: 'tmpfs', target: '/tmp', sizeBytes: 65_536 },
  ],
  networks: [{ name: backend, aliases: ['www', 'app'] }, { name: front }],
  restart: { onFailure: 3 },
  resources: { memory: 64 * 1024 ** 2, cpus: 0.5, pids: 20 },
  user: '0:0',
  workingDir: '/www',
  hostname: 'web-1',
  capabilities: { add: ['NET_ADMIN'], drop: ['MKNOD'] },
  readOnly: true,
  labels: { team: 'web' },
  health: { command: ['wget', '-q', '-O', '/dev/null', 'http://127.0.0.1/'], intervalMs: 300, retries: 20 },
  stopSignal: 'SIGKILL',
  stopTimeoutMs: 1000,
  logging: { driver: 'json-file', options: { 'max-size': '1m' } },
}
const standing = () => [
  ContainerVolume({ name: data }),
  ContainerNetwork({ name: backend }),
  ContainerNetwork({ name: front }),
]
// The first program of a container gets no signal that it has not asked for.
const short = (tag: string, rest: Partial<ContainerSpec> = {}) =>
  Container({ name: web, image: tag, stopSignal: 'SIGKILL', stableForMs: 200, ...rest })
const ports = [{ hostIp: '127.0.0.1', host: port, container: 80 }]

/** What somebody else does with the engine's own tools. */
const docker =
  (deed: (on: Awaited<ReturnType<typeof engine>>) => Promise<unknown>) => async (_: EngineStage) => {
    await deed(await engine())
  }
const run = (settings: object) =>
  docker(async (on) => {
    const made = await on.createContainer({ name: web, Image: image, StopSignal: 'SIGKILL', ...settings })
    await made.start()
  })

describeWith(containerImages, 'the contract on a real engine', () => {
  const archives: Record<string, Uint8Array> = {}

  beforeAll(async () => {
    await importBusybox(image, { changes: ['LABEL maker=us', 'ENV LEVEL=info', 'WORKDIR /www'] })
    await importBusybox(next, { content: 'two' })
    const on = await engine()
    for (const [name, reference] of [
      ['one.tar', image],
      ['two.tar', next],
    ] as const) {
      const wanted = on.getImage(reference)
      await wanted.tag({ repo: `${prefix}-wanted`, tag: '1' })
      const chunks: Uint8Array[] = []
      for await (const chunk of await on.getImage(`${prefix}-wanted:1`).get()) chunks.push(chunk as Buffer)
      archives[name] = Buffer.concat(chunks)
    }
  })
  afterAll(async () => {
    await clearEngine(prefix)
    const on = await engine()
    for (const reference of [image, next]) await on.getImage(reference).remove({ force: true })
  })

  const topology = () => engineStage(prefix)
  const checks = [
    ...scoreConformance({
      factory: Container,
      topology,
      cases: [
        {
          name: 'with everything',
          scores: () => [...standing(), Container(everything)],
          updated: () => [
            ...standing(),
            Container({
              ...everything,
              image: next,
              restart: 'always',
              resources: { memory: 32 * 1024 ** 2, cpus: 0.25, pids: 10 },
              networks: [{ name: front, aliases: ['www'] }],
              capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
            }),
          ],
          tampers: {
            '': docker((on) => on.getContainer(web).remove({ force: true })),
            'networks[].name': docker((on) => on.getNetwork(front).disconnect({ Container: web })),
            'networks[].aliases': docker(async (on) => {
              await on.getNetwork(backend).disconnect({ Container: web })
              await on.getNetwork(backend).connect({ Container: web })
            }),
            'restart.onFailure': docker((on) =>
              on.getContainer(web).update({ RestartPolicy: { Name: 'always' } }),
            ),
            'resources.memory': docker((on) =>
              on.getContainer(web).update({ Memory: 32 * 1024 ** 2, MemorySwap: 64 * 1024 ** 2 }),
            ),
            'resources.cpus': docker((on) => on.getContainer(web).update({ NanoCpus: 1e8 })),
            'resources.pids': docker((on) => on.getContainer(web).update({ PidsLimit: 0 })),
          },
        },
        {
          name: 'as short as can be',
          scores: () => [short(image)],
          updated: () => [short(next)],
          occupied: run({ Image: next, HostConfig: { RestartPolicy: { Name: 'always' } } }),
          tampers: {
            '': docker((on) => on.getContainer(web).kill()),
            image: docker((on) => on.getContainer(web).pause()),
          },
        },
        {
          name: 'with a port of the host',
          scores: () => [short(image, { ports })],
          updated: () => [short(next, { ports })],
          occupied: run({
            Image: next,
            ExposedPorts: { '80/tcp': {} },
            HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${port}` }] } },
          }),
        },
        {
          name: 'there already, to be changed in place',
          scores: () => [short(image, { restart: 'always', resources: { pids: 9 } })],
          occupied: docker(async (on) => {
            await on.createContainer({ name: web, Image: image, StopSignal: 'SIGKILL' })
          }),
        },
      ],
    }),
    ...scoreConformance({
      factory: ContainerNetwork,
      topology,
      cases: [
        {
          name: 'with a container in it',
          scores: () => [
            ContainerNetwork({ name: backend, labels: { team: 'web' } }),
            short(image, { networks: [{ name: backend, aliases: ['www'] }] }),
          ],
          updated: () => [
            ContainerNetwork({ name: backend, internal: true, subnet: '172.31.77.0/24' }),
            short(image, { networks: [{ name: backend, aliases: ['www'] }] }),
          ],
        },
        {
          name: 'by itself',
          scores: () => [
            ContainerNetwork({
              name: backend,
              subnet: '172.31.78.0/24',
              gateway: '172.31.78.9',
              internal: true,
            }),
          ],
          occupied: docker((on) => on.createNetwork({ Name: backend, Internal: false })),
          tampers: {
            '': docker((on) => on.getNetwork(backend).remove()),
            internal: docker(async (on) => {
              await on.getNetwork(backend).remove()
              await on.createNetwork({ Name: backend })
            }),
          },
        },
      ],
    }),
    ...scoreConformance({
      factory: ContainerVolume,
      topology,
      cases: [
        {
          name: 'with everything, and nothing in it that is needed',
          scores: () => [
            ContainerVolume({
              name: data,
              options: { type: 'tmpfs', device: 'tmpfs', o: 'size=64k' },
              labels: { team: 'web' },
              discardData: true,
            }),
          ],
          updated: () => [ContainerVolume({ name: data, discardData: true })],
          tampers: {
            '': docker((on) => on.getVolume(data).remove()),
            options: docker(async (on) => {
              await on.getVolume(data).remove()
              await on.createVolume({ Name: data })
            }),
          },
        },
        {
          name: 'as wanted already, but not made by us',
          scores: () => [ContainerVolume({ name: other })],
          occupied: docker((on) => on.createVolume({ Name: other })),
        },
      ],
    }),
    ...scoreConformance({
      factory: ContainerImage,
      topology,
      cases: [
        {
          name: 'from an archive',
          get assets() {
            return archives
          },
          scores: () => [ContainerImage({ name: `${prefix}-wanted:1`, archive: asset('one.tar') })],
          updated: () => [ContainerImage({ name: `${prefix}-wanted:1`, archive: asset('two.tar') })],
          occupied: docker((on) => on.getImage(next).tag({ repo: `${prefix}-wanted`, tag: '1' })),
          tampers: {
            '': docker((on) => on.getImage(`${prefix}-wanted:1`).remove()),
            archive: docker((on) => on.getImage(next).tag({ repo: `${prefix}-wanted`, tag: '1' })),
          },
        },
      ],
    }),
  ]
  // Fields: in memory. Twice: that check plays on two stages, which here are one engine, and of what an archive was only
  // the ledger knows.
  const without = /every field is tampered|ContainerImage.*converge can run twice/
  for (const check of affordable(checks, { kills: /port of the host: update/, without }))
    test(check.name, check.run, 600_000)
})
