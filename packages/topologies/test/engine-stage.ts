/** The engine of the tests as a stage for the conformance kit: of what is on it, only what has the stage's own prefix. */
import type { ContainerRuntime } from '@harmony-iac/core/capabilities'
import { Faults, MemoryHome, type Snapshot, type Stage } from '@harmony-iac/core/testing'
import { localHost } from '@harmony-iac/topologies'
import { engine, engineSocket } from '../../../scripts/testing/engine.ts'
import { linuxContainers } from '../src/linux/containers/containers.ts'

/** {@link Stage} with containers. */
export interface EngineStage extends Stage {
  readonly containers: ContainerRuntime
}

const writes = [
  'create',
  'start',
  'stop',
  'restart',
  'unpause',
  'signal',
  'update',
  'rename',
  'connect',
  'disconnect',
  'removeContainer',
  'pull',
  'load',
  'tag',
  'removeImage',
  'makeNetwork',
  'removeNetwork',
  'makeVolume',
  'removeVolume',
] as const

/** A stage on which nothing of an earlier one is left. */
export async function engineStage(prefix: string): Promise<EngineStage> {
  await clearEngine(prefix)
  const host = localHost()
  const faults = new Faults()
  const containers = linuxContainers(host, { socket: await engineSocket() })
  const home = new MemoryHome({ name: 'engine', faults })
  return {
    name: 'engine',
    home,
    faults,
    containers: faults.port('containers', containers, writes),
    snapshot: () => snapshotOf(prefix),
    async residue() {
      const docker = await engine()
      const kept = await docker.listImages({ filters: { reference: ['harmony-kept'] } })
      return [...home.stored.keys(), ...kept.flatMap(({ RepoTags }) => RepoTags ?? [])]
    },
    async dispose() {
      await containers.close()
      await host.close()
    },
  }
}

/** Removes what has this prefix; images stay unless they are of a repository of its own. */
export async function clearEngine(prefix: string): Promise<void> {
  const docker = await engine()
  const force = { force: true, v: true }
  for (const { Id, Names } of await docker.listContainers({ all: true }))
    if (Names.some((name) => name.startsWith(`/${prefix}`))) await docker.getContainer(Id).remove(force)
  for (const { Id, Name } of await docker.listNetworks())
    if (Name.startsWith(prefix)) await docker.getNetwork(Id).remove()
  for (const { Name } of (await docker.listVolumes()).Volumes ?? [])
    if (Name.startsWith(prefix)) await docker.getVolume(Name).remove()
  for (const { RepoTags } of await docker.listImages())
    for (const tag of RepoTags ?? [])
      if (tag.startsWith(`${prefix}-wanted`) || tag.startsWith('harmony-kept:'))
        await docker.getImage(tag).remove({ force: true })
}

/** What there is with this prefix, ids, times and addresses aside. */
async function snapshotOf(prefix: string): Promise<Snapshot> {
  const docker = await engine()
  const lines: Record<string, string> = {}
  for (const { Id, Names } of await docker.listContainers({ all: true })) {
    if (!Names.some((name) => name.startsWith(`/${prefix}`))) continue
    const { Name, Image, State, Config, HostConfig, NetworkSettings } = await docker
      .getContainer(Id)
      .inspect()
    const { Hostname, Env, ...config } = Config
    // What an engine fills in when a container is first started or updated means the same as nothing there.
    const { NetworkMode: _, Runtime: __, ...rest } = HostConfig as typeof HostConfig & { Runtime?: string }
    const policy = HostConfig.RestartPolicy?.Name || 'no'
    const host = { ...rest, RestartPolicy: policy, PidsLimit: HostConfig.PidsLimit || null }
    const status = State.Status === 'created' ? 'exited' : State.Status
    const hostname = Id.startsWith(Hostname) ? '' : Hostname
    const networks = Object.entries(NetworkSettings.Networks).map(([network, { Aliases }]) => [
      network,
      [...(Aliases ?? [])].filter((alias: string) => !Id.startsWith(alias)).sort(),
    ])
    const told = [status, Image, hostname, [...Env].sort(), config, host, networks.sort()]
    lines[`container ${Name}`] = JSON.stringify(told)
  }
  for (const { Name, Driver, Internal, Labels, Options } of await docker.listNetworks())
    if (Name.startsWith(prefix))
      lines[`network ${Name}`] = JSON.stringify([Driver, Internal, Labels, Options])
  for (const { Name, Driver, Labels, Options } of (await docker.listVolumes()).Volumes ?? [])
    if (Name.startsWith(prefix)) lines[`volume ${Name}`] = JSON.stringify([Driver, Labels, Options])
  for (const { Id, RepoTags } of await docker.listImages())
    for (const tag of RepoTags ?? []) if (tag.startsWith(`${prefix}-wanted`)) lines[`image ${tag}`] = Id
  return lines
}
