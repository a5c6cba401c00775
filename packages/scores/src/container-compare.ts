/** What is not as wanted with a container: its settings, its image, its state, and what a killed pass has left. */
import { type Difference, missing } from '@harmony-iac/core'
import type {
  ContainerRuntime,
  ContainerState,
  ImageDefaults,
  ImageState,
} from '@harmony-iac/core/capabilities'
import type { WantedContainer } from './container.ts'
import { suffixes } from './container-fields.ts'
import { type Deviation, deviations, settingsOf } from './container-settings.ts'

/** A container as it was found, with those that stand beside it while one takes the place of another. */
export interface ContainerFound {
  /** The one of that name. */
  readonly current: ContainerState | undefined
  /** The next one, not in its place yet. */
  readonly candidate: ContainerState | undefined
  /** The one before, not gone yet. */
  readonly old: ContainerState | undefined
  /** One that is not ours, kept to be put back. */
  readonly aside: ContainerState | undefined
  /** What the wanted reference stands for on the host. */
  readonly image: ImageState | undefined
  /** What it stands for in its registry, if that was asked. */
  readonly registry: string | undefined
}

const usualStartMs = 120_000
const usualStableMs = 1000

/** How long it may take to get ready. */
export function patienceOf({ stableForMs, startTimeoutMs }: WantedContainer) {
  return { stableForMs: stableForMs ?? usualStableMs, patienceMs: startTimeoutMs ?? usualStartMs }
}

/** The container that counts: a kill may have left it under the name of the one before. */
export function currentOf({ current, old }: ContainerFound): ContainerState | undefined {
  return current ?? old
}

/** What is not as wanted. */
export function compareContainer(spec: WantedContainer, found: ContainerFound): readonly Difference[] {
  const { name } = spec
  const { current, candidate, old, aside } = found
  const differences: Difference[] = []
  const left = (suffix: string) =>
    differences.push({ path: '', from: `${name}${suffix} is left of a replacement`, to: 'container' })
  if (candidate) left(suffixes.candidate)
  if (old) left(suffixes.old)
  if (aside && !isQuiet(aside))
    differences.push({ path: '', from: `${name}${suffixes.aside} is not stopped for good`, to: 'stopped' })

  const container = current ?? old
  if (!container)
    return [
      ...differences,
      missing('container'),
      { path: 'image', from: null, to: spec.image },
      ...said(spec),
    ]
  differences.push(...compareImage(spec, container, found))
  for (const { path, from, to, inPlace } of deviationsOf(spec, container))
    differences.push(inPlace ? { path, from, to } : { path, from, to, replaces: true })
  return [...differences, ...compareState(spec, container)]
}

// An image that says nothing: what it really says is not known before it is there.
const silent: ImageDefaults = {
  entrypoint: [],
  command: [],
  env: {},
  user: '',
  workingDir: '',
  labels: {},
  health: 'none',
  stopSignal: '',
}

/** What the Score itself says about a container that is to be made: whoever reads the plan sees what it may do. */
function said(spec: WantedContainer): readonly Difference[] {
  const { name, image } = spec
  const usual = settingsOf({ name, image }, silent)
  return deviations(settingsOf(spec, silent), usual).map(({ path, to }) => ({ path, from: null, to }))
}

/** Settings that differ. */
export function deviationsOf(spec: WantedContainer, container: ContainerState): readonly Deviation[] {
  return deviations(settingsOf(spec, container.defaults), container.settings)
}

/** Whether one that was put aside stays where it is. */
export function isQuiet({ status, settings }: ContainerState): boolean {
  return settings.restart.policy === 'no' && status !== 'running' && status !== 'paused'
}

/** Whether the image has to be fetched. */
export function isToBePulled({ image, registry }: Pick<ContainerFound, 'image' | 'registry'>): boolean {
  return !image || (registry !== undefined && !image.digests.includes(registry))
}

function compareImage(spec: WantedContainer, container: ContainerState, found: ContainerFound): Difference[] {
  const { image, registry } = found
  const is = `${container.settings.image} (${short(container.imageId)})`
  if (!image) return [{ path: 'image', from: is, to: spec.image, replaces: true }]
  if (isToBePulled(found))
    return [{ path: 'image', from: is, to: `${spec.image} (${short(registry ?? '')})`, replaces: true }]
  if (image.id === container.imageId) return []
  return [{ path: 'image', from: is, to: `${spec.image} (${short(image.id)})`, replaces: true }]
}

const again = 'fails, and is started again and again'

function compareState(spec: WantedContainer, container: ContainerState): Difference[] {
  const { status, health, exitCode, restartsSeen, startedMsAgo } = container
  const { stableForMs, patienceMs } = patienceOf(spec)
  if (status === 'restarting' || restartsSeen > 0) return [{ path: 'state', from: again, to: 'running' }]
  if (status !== 'running') {
    const from = status === 'exited' ? `exited (${exitCode ?? 0})` : status
    return [{ path: 'state', from, to: 'running' }]
  }
  if (health === 'starting') return [{ path: 'health', from: health, to: 'healthy', settleMs: patienceMs }]
  if (health === 'unhealthy') return [{ path: 'health', from: health, to: 'healthy' }]
  if (health === 'none' && startedMsAgo !== undefined && startedMsAgo < stableForMs)
    return [{ path: 'state', from: 'started just now', to: 'running', settleMs: patienceMs + stableForMs }]
  return []
}

/** What has become of one that was started. */
export function readiness(spec: WantedContainer, container: ContainerState | undefined): 'ready' | 'not' {
  return container && compareState(spec, container).length === 0 ? 'ready' : 'not'
}

/** Why it does not get to its wanted state, with the last lines that it has written. */
export async function explainContainer(
  name: string,
  found: Pick<ContainerFound, 'current'>,
  containers: ContainerRuntime,
): Promise<readonly string[]> {
  const { current } = found
  if (!current) return []
  return [...whatHappened(name, current), ...(await containers.logs(current.name, 10))]
}

/** What is known of one that does not run as it should. */
export function whatHappened(name: string, container: ContainerState): readonly string[] {
  const { status, exitCode, outOfMemory, error, restarts, health, healthSays } = container
  const ended = exitCode === undefined ? '' : ` with status ${exitCode}`
  const lines = [`${name} is ${status}${status === 'running' ? '' : ended}`]
  if (status === 'exited') lines[0] = `${name} has ended${ended}`
  if (outOfMemory) lines.push('it was killed because it used more memory than it may')
  if (error) lines.push(error)
  if (restarts > 0) lines.push(`it was started again ${restarts} times`)
  if (health === 'unhealthy' || health === 'starting')
    lines.push(`its health check says ${health}${healthSays ? `: ${healthSays.trim()}` : ''}`)
  return lines
}

function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}
