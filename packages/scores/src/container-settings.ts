/**
 * What a container is to be made with: what its Score says, over what its image brings, over what every runtime does by
 * itself. Compared with what a container was made with, field by field; so nothing has to be remembered, and whatever
 * somebody else changes is seen.
 */
import type { Json } from '@harmony-iac/core'
import {
  type ContainerMount,
  type ContainerResources,
  type ContainerSettings,
  type HealthCheck,
  type ImageDefaults,
  madeByHarmony,
  type NetworkUse,
  type RestartPolicy,
} from '@harmony-iac/core/capabilities'
import type { WantedContainer } from './container.ts'

/** The settings of a container from an image. */
export function settingsOf(spec: WantedContainer, defaults: ImageDefaults): ContainerSettings {
  const { name, entrypoint, command, capabilities, logging } = spec
  const env = Object.entries(spec.env ?? {}).map(([key, value]) => [key, value.reveal()] as const)
  return {
    image: spec.image,
    entrypoint: entrypoint ?? defaults.entrypoint,
    // Arguments of the image are for the program of the image.
    command: command ?? (entrypoint ? [] : defaults.command),
    env: { ...defaults.env, ...Object.fromEntries(env) },
    ports: (spec.ports ?? [])
      .map(({ hostIp, host, container, protocol = 'tcp' }) => ({ hostIp, host, container, protocol }))
      .sort(byText),
    mounts: (spec.mounts ?? []).map(mountOf).sort((a, b) => (a.target < b.target ? -1 : 1)),
    networks: networksOf(spec),
    restart: restartOf(spec.restart),
    resources: resourcesOf(spec.resources),
    user: spec.user ?? defaults.user,
    workingDir: spec.workingDir ?? defaults.workingDir,
    hostname: spec.hostname,
    capabilities: {
      add: [...(capabilities?.add ?? [])].sort(),
      drop: [...(capabilities?.drop ?? [])].sort(),
    },
    readOnly: spec.readOnly ?? false,
    labels: { ...defaults.labels, ...spec.labels, [madeByHarmony]: name },
    health: healthOf(spec.health, defaults.health),
    stopSignal: spec.stopSignal ?? defaults.stopSignal,
    stopTimeoutMs: spec.stopTimeoutMs,
    logging: logging && { driver: logging.driver, options: logging.options ?? {} },
  }
}

/** One field that is not as wanted. */
export interface Deviation {
  readonly path: string
  readonly from: Json
  readonly to: Json
  /** It can be changed without making another container. */
  readonly inPlace: boolean
}

/** What differs, the image aside. */
export function deviations(wanted: ContainerSettings, found: ContainerSettings): readonly Deviation[] {
  const list: Deviation[] = []
  const differ = (path: string, from: unknown, to: unknown, inPlace = false) => {
    const [is, should] = [shown(from), shown(to)]
    if (JSON.stringify(is) !== JSON.stringify(should)) list.push({ path, from: is, to: should, inPlace })
  }
  const records = (path: string, from: Readonly<Record<string, string>>, to: typeof from) => {
    for (const key of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort())
      if (key !== madeByHarmony) differ(`${path}.${key}`, from[key], to[key])
  }
  differ('command', found.command, wanted.command)
  differ('entrypoint', found.entrypoint, wanted.entrypoint)
  records('env', found.env, wanted.env)
  differ('ports', [...found.ports].map(shown).sort(byText), [...wanted.ports].map(shown).sort(byText))
  differ('mounts', found.mounts, wanted.mounts)
  differ('networks', found.networks, wanted.networks, canMove(found.networks) && canMove(wanted.networks))
  differ('restart', found.restart, wanted.restart, true)
  for (const key of ['memory', 'cpus', 'pids'] as const) {
    const to = wanted.resources[key]
    differ(`resources.${key}`, found.resources[key], to, to !== undefined || key === 'pids')
  }
  for (const key of ['user', 'workingDir', 'hostname', 'capabilities', 'readOnly'] as const)
    differ(key, found[key], wanted[key])
  records('labels', found.labels, wanted.labels)
  for (const key of ['health', 'stopSignal', 'stopTimeoutMs'] as const) differ(key, found[key], wanted[key])
  // What a runtime does by itself is not known.
  if (wanted.logging) differ('logging', found.logging, wanted.logging)
  return list
}

/** Whether two containers would get in each other's way if both ran. */
export function collide(one: ContainerSettings, other: ContainerSettings): boolean {
  const ports = one.ports.some((a) =>
    other.ports.some(
      (b) =>
        a.host === b.host &&
        a.protocol === b.protocol &&
        (a.hostIp === undefined || b.hostIp === undefined || a.hostIp === b.hostIp),
    ),
  )
  const hosts = [one, other].every(({ networks }) => networks.some(({ name }) => name === 'host'))
  // A database does not bear another one on the same files.
  const writes = ({ mounts }: ContainerSettings) => mounts.flatMap((mount) => writtenTo(mount) ?? [])
  return ports || hosts || writes(one).some((each) => writes(other).includes(each))
}

/** From one network to another, a container moves while it runs; to and from the host's it does not. */
function canMove(networks: readonly NetworkUse[]): boolean {
  return !networks.some(({ name }) => name === 'host' || name === 'none')
}

function writtenTo(mount: ContainerMount): string | undefined {
  if (mount.type === 'tmpfs' || mount.readOnly) return undefined
  return mount.type === 'bind' ? mount.source : `volume ${mount.volume}`
}

function mountOf(mount: NonNullable<WantedContainer['mounts']>[number]): ContainerMount {
  if (mount.type === 'tmpfs') return { type: 'tmpfs', target: mount.target, sizeBytes: mount.sizeBytes }
  const { target, readOnly = false } = mount
  return mount.type === 'bind'
    ? { type: 'bind', source: mount.source, target, readOnly }
    : { type: 'volume', volume: mount.volume, target, readOnly }
}

function networksOf({ name, hostname, networks }: WantedContainer): readonly NetworkUse[] {
  if (networks === undefined) return [{ name: 'default', aliases: [] }]
  if (typeof networks === 'string') return [{ name: networks, aliases: [] }]
  return networks
    .map(({ name: network, aliases = [] }) => ({
      name: network,
      // Every runtime adds these by itself.
      aliases: [...new Set(aliases)].filter((alias) => alias !== name && alias !== hostname).sort(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function restartOf(restart: WantedContainer['restart']): RestartPolicy {
  if (typeof restart === 'object') return { policy: 'on-failure', attempts: restart.onFailure }
  return { policy: restart ?? 'unless-stopped' }
}

function resourcesOf({ memory, cpus, pids }: ContainerResources = {}): ContainerResources {
  return { memory, cpus, pids }
}

// As every runtime has them that knows health checks at all.
const usual = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 }

function healthOf(health: WantedContainer['health'], image: HealthCheck | 'none'): HealthCheck | 'none' {
  if (health === undefined) return image
  if (health === 'none') return 'none'
  const before = image === 'none' ? usual : image
  return {
    command: health.command,
    intervalMs: health.intervalMs ?? before.intervalMs,
    timeoutMs: health.timeoutMs ?? before.timeoutMs,
    retries: health.retries ?? before.retries,
    startPeriodMs: health.startPeriodMs ?? before.startPeriodMs,
  }
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/** In one order of its keys, without what is not there. */
function shown(value: unknown): Json {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object') return value as Json
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, shown(each)]),
  )
}
