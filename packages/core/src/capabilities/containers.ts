/**
 * The capability to run containers: programs that are shipped as images, each with files, networks and limits of its own.
 * It speaks as the Open Container Initiative does, of images, containers, networks and volumes, and of no maker's product.
 * Each verb is one small change that can be repeated; how they make a replacement without a gap is for the Scores to say,
 * so that it is the same everywhere.
 */
import { type Capability, capability } from '../capability.ts'

/** A port of the host that leads to one of a container. */
export interface PublishedPort {
  /** The address of the host that it listens at; absent: all. */
  readonly hostIp?: string | undefined
  readonly host: number
  readonly container: number
  readonly protocol: 'tcp' | 'udp'
}

/** What a container sees at a path of its own. */
export type ContainerMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'volume'; readonly volume: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number | undefined }

/** A network that a container is in. `default`, `host` and `none` are the ones that every runtime has. */
export interface NetworkUse {
  readonly name: string
  /** Names that others in that network find it by, besides its own; sorted. */
  readonly aliases: readonly string[]
}

/** What happens when its main process ends. */
export interface RestartPolicy {
  readonly policy: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  /** Of `on-failure`: how often; absent: always. */
  readonly attempts?: number | undefined
}

/** What a container may use; absent: as much as there is. */
export interface ContainerResources {
  /** In bytes. */
  readonly memory?: number | undefined
  /** A number of processors, such as 0.5. */
  readonly cpus?: number | undefined
  /** How many processes and threads. */
  readonly pids?: number | undefined
}

/** How to find out whether what runs in a container does its work. */
export interface HealthCheck {
  /** A program with its arguments, or a line for the shell in the container; it ends with 0 when all is well. */
  readonly command: string | readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly retries: number
  readonly startPeriodMs: number
}

/** Where what it writes goes. */
export interface ContainerLogging {
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
}

/** Everything a container is made with, with what its image brings. Lists whose order means nothing are sorted. */
export interface ContainerSettings {
  /** As it was asked for. */
  readonly image: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly ports: readonly PublishedPort[]
  readonly mounts: readonly ContainerMount[]
  readonly networks: readonly NetworkUse[]
  readonly restart: RestartPolicy
  readonly resources: ContainerResources
  /** Empty: root. */
  readonly user: string
  /** Empty: `/`. */
  readonly workingDir: string
  /** Absent: one that the runtime makes up. */
  readonly hostname?: string | undefined
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] }
  readonly readOnly: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly health: HealthCheck | 'none'
  readonly stopSignal: string
  readonly stopTimeoutMs?: number | undefined
  /** Absent: where the runtime sends it by itself. */
  readonly logging?: ContainerLogging | undefined
}

/** What an image brings along for containers that do not say otherwise. */
export interface ImageDefaults {
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly user: string
  readonly workingDir: string
  readonly labels: Readonly<Record<string, string>>
  readonly health: HealthCheck | 'none'
  readonly stopSignal: string
}

/** A container as it is. */
export interface ContainerState {
  readonly name: string
  /** Another one for every container, also of the same name. */
  readonly id: string
  readonly imageId: string
  readonly settings: ContainerSettings
  /** Of the image that it was made from. */
  readonly defaults: ImageDefaults
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** What its last health check has printed. */
  readonly healthSays: string | undefined
  /** Of its main process, once it has ended. */
  readonly exitCode: number | undefined
  readonly outOfMemory: boolean
  /** Why the runtime could not start it. */
  readonly error: string | undefined
  /** When it was last started, in milliseconds since 1970 by the host's clock. */
  readonly since: number | undefined
  /** How often the runtime has started it again by itself, since somebody has started it. */
  readonly restarts: number
  /** The same, for a minute after a start by this process: it fails and is started again. */
  readonly restartsSeen: number
  /** How long ago this process has started it, in milliseconds; absent if it has not. */
  readonly startedMsAgo: number | undefined
}

/** An image that the host has. */
export interface ImageState {
  /** Another one for every content. */
  readonly id: string
  /** What registries call this content: `sha256:…`. */
  readonly digests: readonly string[]
  readonly defaults: ImageDefaults
  /** In bytes. */
  readonly size: number
}

/** What a network is made with. */
export interface NetworkSettings {
  readonly driver: string
  readonly subnet?: string | undefined
  readonly gateway?: string | undefined
  /** Nothing in it reaches the outside. */
  readonly internal: boolean
  readonly ipv6: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
}

/** A network as it is. */
export interface NetworkState {
  readonly name: string
  readonly id: string
  readonly settings: NetworkSettings
  /** The containers that are in it, running or not. */
  readonly containers: readonly string[]
}

/** What a volume is made with. */
export interface VolumeSettings {
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/** A volume as it is. */
export interface VolumeState {
  readonly name: string
  readonly settings: VolumeSettings
}

/** Who asks a registry. */
export interface RegistryLogin {
  readonly username: string
  readonly password: string
}

/** How an image is fetched. */
export interface PullOptions {
  readonly login?: RegistryLogin | undefined
  readonly signal?: AbortSignal | undefined
  /** Told as it goes: what is done, and of how many bytes. */
  readonly onProgress?: ((message: string, done?: number, total?: number) => void) | undefined
}

/** How long to wait for a container. */
export interface ContainerPatience {
  /** Without a health check: for how long it must have been running. */
  readonly stableForMs: number
  readonly patienceMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * The containers of one host. A thousand looks at the same time cost one list, and one question for each container that
 * is there. Every change leaves alone what is as wanted already. Errors are HarmonyErrors: `unreachable` where nothing
 * runs containers, `refused` for what the runtime refuses, with what to do.
 */
export interface ContainerRuntime {
  /** A container by name; `undefined` when there is none. */
  container(name: string, signal?: AbortSignal): Promise<ContainerState | undefined>
  /** An image that the host has, by reference or id; `undefined` when it has none. */
  image(reference: string, signal?: AbortSignal): Promise<ImageState | undefined>
  network(name: string, signal?: AbortSignal): Promise<NetworkState | undefined>
  volume(name: string, signal?: AbortSignal): Promise<VolumeState | undefined>
  /** What a registry has for a reference now: a digest. Fetches nothing. */
  registryDigest(reference: string, options?: PullOptions): Promise<string>
  /** The last lines that a container has written. Empty when they cannot be had. */
  logs(name: string, lines: number): Promise<readonly string[]>
  /** Looks until it is healthy (or has been running for long enough), or has failed, or patience ends. */
  settled(name: string, patience: ContainerPatience): Promise<ContainerState | undefined>

  /** Makes a container; it is not started. The image has to be there. */
  create(name: string, settings: ContainerSettings): Promise<void>
  start(name: string): Promise<void>
  /** Asks it to end, and ends it when its time is up. */
  stop(name: string): Promise<void>
  /** As `stop` and `start`; one that is paused runs again. */
  restart(name: string): Promise<void>
  unpause(name: string): Promise<void>
  /** Sends a signal, such as `SIGHUP`, to its main process. */
  signal(name: string, signal: string): Promise<void>
  /** Changes what can be changed of a container that is there. Limits can be set and moved, not lifted. */
  update(
    name: string,
    change: { readonly resources: ContainerResources; readonly restart: RestartPolicy },
  ): Promise<void>
  /** One that does not exist is no error if the new name does. */
  rename(name: string, to: string): Promise<void>
  connect(name: string, network: NetworkUse): Promise<void>
  disconnect(name: string, network: string): Promise<void>
  /** Removes a container, running or not, with the volumes that have no name; one that is gone is no error. */
  removeContainer(name: string): Promise<void>

  /** Fetches an image. */
  pull(reference: string, options?: PullOptions): Promise<void>
  /** Reads images from an archive; tells how it names them, or their ids. */
  load(
    archive: AsyncIterable<Uint8Array>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly string[]>
  /** Has a reference stand for an image that is there. */
  tag(image: string, reference: string): Promise<void>
  /** Takes a reference away, and the image with the last one; one that is gone is no error. */
  removeImage(reference: string): Promise<void>

  makeNetwork(name: string, settings: NetworkSettings): Promise<void>
  /** One that is gone is no error. */
  removeNetwork(name: string): Promise<void>
  makeVolume(name: string, settings: VolumeSettings): Promise<void>
  /** With all that is in it; one that is gone is no error. */
  removeVolume(name: string): Promise<void>
}

/** The label that tells whose container, network or volume it is: Harmony's, under which name. */
export const madeByHarmony = 'harmony-iac.name'

/** The capability token of {@link ContainerRuntime}. */
export const Containers: Capability<'containers', ContainerRuntime> =
  capability<ContainerRuntime>()('containers')
