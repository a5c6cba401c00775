/** One container of the simulated runtime: what becomes of it as time goes by. */
import { hash } from 'node:crypto'
import type {
  ContainerSettings,
  ContainerState,
  ImageDefaults,
  RegistryLogin,
} from '../capabilities/containers.ts'

/** How containers of an image behave. What is left out: they run for ever, and are healthy at once if they are asked. */
export interface ContainerBehaviour {
  /** Why they cannot be started at all. */
  readonly refuses?: string
  /** In milliseconds after the start: then the main process ends with `exit`. */
  readonly endMs?: number
  /** Default 1. */
  readonly exit?: number
  /** In milliseconds after the start; `never`. */
  readonly healthyMs?: number | 'never'
  /** What they write when they start. */
  readonly says?: readonly string[]
}

/** A container as it was when somebody last looked. */
export interface Container {
  readonly id: string
  readonly imageId: string
  settings: ContainerSettings
  status: ContainerState['status']
  startedAt: number | undefined
  startedByUs: boolean
  restarts: number
  exitCode: number | undefined
  readonly log: string[]
}

/** An image, of a registry or of the host. */
export interface Image {
  readonly id: string
  readonly digest: string
  readonly defaults: ImageDefaults
  readonly login: RegistryLogin | undefined
}

const restartMs = 100
/** What an image brings that does not say. */
export const plain: ImageDefaults = {
  entrypoint: [],
  command: ['serve'],
  env: { PATH: '/bin' },
  user: '',
  workingDir: '',
  labels: {},
  health: 'none',
  stopSignal: 'SIGTERM',
}

/** Starts it. */
export function begin(container: Container, behaviour: ContainerBehaviour | undefined, now: number): void {
  container.log.push(...(behaviour?.says ?? []))
  Object.assign(container, { status: 'running', startedAt: now, exitCode: undefined })
}

/** Lets happen what has happened until now: it ends, and is started again as its policy says. */
export function catchUp(container: Container, behaviour: ContainerBehaviour | undefined, now: number): void {
  const { endMs, exit = 1 } = behaviour ?? {}
  while (endMs !== undefined && container.startedAt !== undefined) {
    const { status, startedAt, settings } = container
    const ends = startedAt + endMs
    if ((status !== 'running' && status !== 'restarting') || ends > now) return
    const { policy, attempts = Number.POSITIVE_INFINITY } = settings.restart
    const again =
      policy === 'always' ||
      policy === 'unless-stopped' ||
      (policy === 'on-failure' && exit !== 0 && container.restarts < attempts)
    container.exitCode = exit
    container.status = again ? 'restarting' : 'exited'
    if (!again || ends + restartMs > now) return
    container.restarts++
    begin(container, behaviour, ends + restartMs)
  }
}

/** What a look at it tells. */
export function lookAt(
  container: Container,
  behaviour: ContainerBehaviour | undefined,
  now: number,
): Omit<ContainerState, 'name' | 'defaults'> {
  const { id, imageId, settings, status, startedAt, startedByUs, restarts, exitCode } = container
  const ago = startedAt === undefined ? 0 : now - startedAt
  const running = status === 'running'
  return {
    id,
    imageId,
    settings,
    status,
    health: running ? healthOf(settings, behaviour?.healthyMs ?? 0, ago) : 'none',
    healthSays: undefined,
    exitCode,
    outOfMemory: false,
    error: undefined,
    since: startedAt,
    restarts,
    restartsSeen: startedByUs ? restarts : 0,
    startedMsAgo: startedByUs && running ? ago : undefined,
  }
}

function healthOf({ health }: ContainerSettings, healthyMs: number | 'never', ago: number) {
  if (health === 'none') return 'none'
  if (healthyMs !== 'never') return ago >= healthyMs ? 'healthy' : 'starting'
  return ago >= health.startPeriodMs + health.retries * health.intervalMs ? 'unhealthy' : 'starting'
}

/** What a container is made with that somebody makes without saying more. */
export function settingsFrom(defaults: ImageDefaults): ContainerSettings {
  return {
    image: '',
    ...defaults,
    ports: [],
    mounts: [],
    networks: [{ name: 'default', aliases: [] }],
    restart: { policy: 'no' },
    resources: {},
    capabilities: { add: [], drop: [] },
    readOnly: false,
  }
}

/** An image by what it is made of. */
export function imageOf(content: string, defaults: ImageDefaults, login?: RegistryLogin): Image {
  return { id: idOf(content), digest: `sha256:${hash('sha256', `of ${content}`, 'hex')}`, defaults, login }
}

/** The id of such an image. */
export function idOf(content: string): string {
  return `sha256:${hash('sha256', content, 'hex')}`
}

/** Takes a container out of a network. */
export function leave(container: Container, network: string): void {
  const networks = container.settings.networks.filter(({ name }) => name !== network)
  container.settings = { ...container.settings, networks }
}
