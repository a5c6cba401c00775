/**
 * Between what the engine's API says and what the capability does. Pure. Fields come and go with the engine's version
 * (20.10 and later are meant), so that each may be missing; what an engine adds by itself is left out.
 */
import type {
  ContainerMount,
  ContainerSettings,
  ContainerState,
  HealthCheck,
  ImageDefaults,
  NetworkSettings,
  NetworkUse,
  PublishedPort,
} from '@harmony-iac/core/capabilities'
import type {
  EngineContainer,
  EngineHealth,
  EngineImage,
  EngineNetwork,
  Maybe,
  Texts,
} from './engine-types.ts'

/** What a container is made with. */
export function settingsOf(found: EngineContainer): ContainerSettings {
  const { Config: config, HostConfig: host, Id } = found
  const { Name: policy = '', MaximumRetryCount: attempts = 0 } = host.RestartPolicy ?? {}
  const capabilities = (names: Maybe<readonly string[]>) =>
    [...(names ?? [])].map((name) => name.toUpperCase().replace(/^CAP_/, '')).sort()
  const isOwn = config.Hostname === Id.slice(0, 12) || host.NetworkMode === 'host'
  return {
    image: config.Image ?? '',
    entrypoint: config.Entrypoint ?? [],
    command: config.Cmd ?? [],
    env: envOf(config.Env),
    ports: portsOf(host.PortBindings),
    mounts: mountsOf(found),
    networks: networksOf(found),
    restart: {
      policy: (policy || 'no') as ContainerSettings['restart']['policy'],
      ...(policy === 'on-failure' && attempts > 0 && { attempts }),
    },
    resources: {
      ...(host.Memory && { memory: host.Memory }),
      ...(host.NanoCpus && { cpus: host.NanoCpus / 1e9 }),
      ...(host.PidsLimit && host.PidsLimit > 0 && { pids: host.PidsLimit }),
    },
    user: config.User ?? '',
    workingDir: config.WorkingDir ?? '',
    hostname: isOwn || !config.Hostname ? undefined : config.Hostname,
    capabilities: { add: capabilities(host.CapAdd), drop: capabilities(host.CapDrop) },
    readOnly: host.ReadonlyRootfs ?? false,
    labels: config.Labels ?? {},
    health: healthOf(config.Healthcheck),
    stopSignal: config.StopSignal || usualSignal,
    ...(typeof config.StopTimeout === 'number' && { stopTimeoutMs: config.StopTimeout * 1000 }),
    logging: { driver: host.LogConfig?.Type ?? '', options: host.LogConfig?.Config ?? {} },
  }
}

/** How a container is. What only this process knows is added by whoever asks. */
export function stateOf(
  found: EngineContainer,
): Omit<ContainerState, 'defaults' | 'restartsSeen' | 'startedMsAgo'> {
  const { State: state, RestartCount: restarts = 0 } = found
  const { Status: status } = state
  const began = Date.parse(state.StartedAt ?? '')
  const health = status === 'running' ? state.Health?.Status : undefined
  return {
    name: found.Name.replace(/^\//, ''),
    id: found.Id,
    imageId: found.Image,
    settings: settingsOf(found),
    status,
    health: health === 'starting' || health === 'healthy' || health === 'unhealthy' ? health : 'none',
    healthSays: state.Health?.Log?.at(-1)?.Output,
    exitCode:
      status === 'exited' || status === 'dead' || status === 'restarting' ? state.ExitCode : undefined,
    outOfMemory: state.OOMKilled ?? false,
    error: state.Error || undefined,
    since: began > 0 ? began : undefined,
    restarts,
  }
}

/** What an image brings. */
export function defaultsOf({ Config: config }: EngineImage): ImageDefaults {
  return {
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    env: envOf(config?.Env),
    user: config?.User ?? '',
    workingDir: config?.WorkingDir ?? '',
    labels: config?.Labels ?? {},
    health: healthOf(config?.Healthcheck),
    stopSignal: config?.StopSignal || usualSignal,
  }
}

/** What a network is made with. */
export function networkSettingsOf(found: EngineNetwork): NetworkSettings {
  const { Subnet: subnet, Gateway: gateway } = found.IPAM?.Config?.[0] ?? {}
  // Newer engines say here again what they say elsewhere.
  const options = Object.entries(found.Options ?? {}).filter(
    ([key]) => !/^com\.docker\.network\.enable_ipv[46]$/.test(key),
  )
  return {
    driver: found.Driver ?? '',
    subnet,
    gateway,
    internal: found.Internal ?? false,
    ipv6: found.EnableIPv6 ?? false,
    labels: found.Labels ?? {},
    options: Object.fromEntries(options),
  }
}

/** The body of a request for a container. It can be made in one network only; the others come later. */
export function containerBody(settings: ContainerSettings): object {
  const { image, entrypoint, command, env, ports, restart, resources, capabilities, logging } = settings
  const [network] = settings.networks
  const { memory, cpus, pids } = resources
  const portName = ({ container, protocol }: PublishedPort) => `${container}/${protocol}`
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of ports) {
    bindings[portName(port)] ??= []
    bindings[portName(port)]?.push({ HostIp: port.hostIp ?? '', HostPort: String(port.host) })
  }
  return {
    Image: image,
    Entrypoint: entrypoint,
    Cmd: command,
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    User: settings.user,
    WorkingDir: settings.workingDir,
    Hostname: settings.hostname,
    Labels: settings.labels,
    StopSignal: settings.stopSignal,
    StopTimeout: settings.stopTimeoutMs === undefined ? undefined : settings.stopTimeoutMs / 1000,
    Healthcheck: healthBody(settings.health),
    ExposedPorts: Object.fromEntries(ports.map((port) => [portName(port), {}])),
    HostConfig: {
      NetworkMode: network?.name ?? 'none',
      PortBindings: bindings,
      Mounts: settings.mounts.map(mountBody),
      RestartPolicy: { Name: restart.policy, MaximumRetryCount: restart.attempts ?? 0 },
      Memory: memory,
      NanoCpus: cpus === undefined ? undefined : nanos(cpus),
      PidsLimit: pids,
      CapAdd: capabilities.add,
      CapDrop: capabilities.drop,
      ReadonlyRootfs: settings.readOnly,
      LogConfig: logging && { Type: logging.driver, Config: logging.options },
    },
    NetworkingConfig:
      network && !isBuiltIn(network.name)
        ? { EndpointsConfig: { [network.name]: { Aliases: network.aliases } } }
        : undefined,
  }
}

/** The body of a request for a change in place. */
export function updateBody({ resources, restart }: Pick<ContainerSettings, 'resources' | 'restart'>): object {
  const { memory, cpus, pids } = resources
  return {
    // What it may swap goes along: a limit above that of both together is refused. As much again is what engines take.
    ...(memory !== undefined && { Memory: memory, MemorySwap: memory * 2 }),
    ...(cpus !== undefined && { NanoCpus: nanos(cpus) }),
    // None: what was there is lifted.
    PidsLimit: pids ?? 0,
    RestartPolicy: { Name: restart.policy, MaximumRetryCount: restart.attempts ?? 0 },
  }
}

/** Networks that every engine has. */
export function isBuiltIn(name: string): boolean {
  return name === 'default' || name === 'host' || name === 'none'
}

/** The engine's name of a network. */
export function engineNetwork(name: string): string {
  return name === 'default' ? 'bridge' : name
}

const usualSignal = 'SIGTERM'
const nanos = (cpus: number): number => Math.round(cpus * 1e9)

function envOf(list: Maybe<readonly string[]>): Texts {
  return Object.fromEntries(
    (list ?? []).map((line) => {
      const cut = line.indexOf('=')
      return cut < 0 ? [line, ''] : [line.slice(0, cut), line.slice(cut + 1)]
    }),
  )
}

function portsOf(bindings: EngineContainer['HostConfig']['PortBindings']): readonly PublishedPort[] {
  return Object.entries(bindings ?? {})
    .flatMap(([name, list]) => {
      const [container = '', protocol = 'tcp'] = name.split('/')
      return (list ?? []).map(({ HostIp, HostPort }) => ({
        hostIp: HostIp || undefined,
        host: Number(HostPort ?? 0),
        container: Number(container),
        protocol: protocol as PublishedPort['protocol'],
      }))
    })
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** Volumes without a name are those of the image. */
const nameless = /^[0-9a-f]{64}$/

function mountsOf({ Mounts: mounts, HostConfig: host }: EngineContainer): readonly ContainerMount[] {
  const found: ContainerMount[] = []
  for (const { Type, Name = '', Source = '', Destination: target, RW = true } of mounts ?? []) {
    const readOnly = !RW
    if (Type === 'bind') found.push({ type: 'bind', source: Source, target, readOnly })
    else if (Type === 'volume' && !nameless.test(Name))
      found.push({ type: 'volume', volume: Name, target, readOnly })
  }
  for (const { Type, Target: target, TmpfsOptions } of host.Mounts ?? [])
    if (Type === 'tmpfs')
      found.push({ type: 'tmpfs', target, sizeBytes: TmpfsOptions?.SizeBytes || undefined })
  for (const target of Object.keys(host.Tmpfs ?? {}))
    found.push({ type: 'tmpfs', target, sizeBytes: undefined })
  return found.sort((a, b) => (a.target < b.target ? -1 : 1))
}

function networksOf({
  Id,
  Name,
  Config,
  NetworkSettings: settings,
  HostConfig,
}: EngineContainer): readonly NetworkUse[] {
  const mode = HostConfig.NetworkMode ?? ''
  if (mode === 'host' || mode === 'none') return [{ name: mode, aliases: [] }]
  // Engines add these by themselves.
  const own = [Id.slice(0, 12), Name.replace(/^\//, ''), Config.Hostname]
  return Object.entries(settings?.Networks ?? {})
    .map(([name, { Aliases }]) => ({
      name: name === 'bridge' ? 'default' : name,
      aliases: [...new Set(Aliases ?? [])].filter((alias) => !own.includes(alias)).sort(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const perMs = 1e6
const usualHealth = { interval: 30_000 * perMs, timeout: 30_000 * perMs, retries: 3 }

function healthOf(check: EngineHealth | undefined): HealthCheck | 'none' {
  const [how, ...words] = check?.Test ?? []
  if (how !== 'CMD' && how !== 'CMD-SHELL') return 'none'
  return {
    command: how === 'CMD-SHELL' ? (words[0] ?? '') : words,
    intervalMs: (check?.Interval || usualHealth.interval) / perMs,
    timeoutMs: (check?.Timeout || usualHealth.timeout) / perMs,
    retries: check?.Retries || usualHealth.retries,
    startPeriodMs: (check?.StartPeriod ?? 0) / perMs,
  }
}

function healthBody(health: HealthCheck | 'none'): EngineHealth {
  if (health === 'none') return { Test: ['NONE'] }
  const { command, intervalMs, timeoutMs, retries, startPeriodMs } = health
  return {
    Test: typeof command === 'string' ? ['CMD-SHELL', command] : ['CMD', ...command],
    Interval: intervalMs * perMs,
    Timeout: timeoutMs * perMs,
    Retries: retries,
    StartPeriod: startPeriodMs * perMs,
  }
}

function mountBody(mount: ContainerMount): object {
  const { type, target } = mount
  if (mount.type === 'tmpfs')
    return { Type: type, Target: target, TmpfsOptions: { SizeBytes: mount.sizeBytes ?? 0 } }
  const source = mount.type === 'bind' ? mount.source : mount.volume
  return { Type: type, Source: source, Target: target, ReadOnly: mount.readOnly }
}
