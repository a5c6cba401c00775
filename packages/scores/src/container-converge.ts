/**
 * Makes a container as wanted. What can be changed in place is; otherwise a candidate is made beside the one that is
 * there, and takes its name once it is healthy. Every part looks at what is there, and one that takes another's place
 * stands under a name that says so: whatever a killed pass has left is found by the next.
 *
 * The one before is renamed and not removed until the candidate has its name: there is no moment in which a kill would
 * leave neither.
 */
import { HarmonyError, isHarmonyError, type Json, type Run } from '@harmony-iac/core'
import {
  type ContainerRuntime,
  type ContainerState,
  madeByHarmony,
  type PullOptions,
} from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import type { WantedContainer } from './container.ts'
import {
  type ContainerFound,
  deviationsOf,
  isQuiet,
  isToBePulled,
  patienceOf,
  readiness,
  whatHappened,
} from './container-compare.ts'
import { isPinned, suffixes } from './container-fields.ts'
import { collide, settingsOf } from './container-settings.ts'
import { once } from './once.ts'

type Work = Pick<Run<ContainerFound>, 'signal' | 'progress' | 'state'>

/** Looks at a container and all that stands beside it. */
export async function observeContainer(
  spec: WantedContainer,
  containers: ContainerRuntime,
  signal: AbortSignal,
): Promise<ContainerFound> {
  const { name, image: reference, pull } = spec
  const ours = async (suffix: string) => {
    const found = await containers.container(name + suffix, signal)
    return found?.settings.labels[madeByHarmony] === name ? found : undefined
  }
  const [current, candidate, old, aside, image, registry] = await Promise.all([
    containers.container(name, signal),
    ours(suffixes.candidate),
    ours(suffixes.old),
    containers.container(name + suffixes.aside, signal),
    containers.image(reference, signal),
    pull === 'always' && !isPinned(reference)
      ? digestIfReachable(reference, containers, { signal })
      : undefined,
  ])
  return { current, candidate, old, aside, image, registry }
}

/**
 * What a registry has by now. One that cannot be reached must not keep a device that is offline from starting what it
 * has; where it has nothing, the pull fails, and says why.
 */
export async function digestIfReachable(
  reference: string,
  containers: ContainerRuntime,
  options: PullOptions,
): Promise<string | undefined> {
  try {
    return await containers.registryDigest(reference, options)
  } catch (error) {
    if (isHarmonyError(error) && error.code === 'unreachable') return undefined
    throw error
  }
}

/** Makes it as wanted. */
export async function convergeContainer(
  spec: WantedContainer,
  containers: ContainerRuntime,
  run: Work,
): Promise<void> {
  const { name, image: reference } = spec
  if (isToBePulled(run.state)) {
    run.progress(`fetching ${reference}`)
    await containers.pull(reference, { signal: run.signal, onProgress: run.progress })
  }
  const current = await tidy(name, containers, run.state)
  const image = await containers.image(reference, run.signal)
  if (!image)
    throw new HarmonyError('refused', `${reference} is not there, although it was fetched`, {
      hint: 'somebody else may be removing images; apply again',
      data: { image: reference },
    })
  if (!current) {
    await containers.create(name, settingsOf(spec, image.defaults))
    await containers.start(name)
    return
  }
  const differing = deviationsOf(spec, current)
  if (current.imageId !== image.id || differing.some(({ inPlace }) => !inPlace)) {
    await replace(spec, containers, run, { current, wanted: settingsOf(spec, image.defaults) })
    return
  }
  await changeInPlace(spec, containers, current, new Set(differing.map(({ path }) => path.split('.', 1)[0])))
  await bringUp(name, containers, current)
}

/** Completes what a killed pass has begun, or takes it back; tells what stands there now. */
async function tidy(
  name: string,
  containers: ContainerRuntime,
  { current, candidate, old, aside }: ContainerFound,
): Promise<ContainerState | undefined> {
  if (candidate) await discard(name + suffixes.candidate, containers)
  if (aside && !isQuiet(aside)) await putAside(name, containers, aside)
  if (!old) return current
  // A candidate has the name only once it is healthy; until then the one before is still the one that counts.
  if (current) await discard(name + suffixes.old, containers)
  else await containers.rename(name + suffixes.old, name)
  return current ?? { ...old, name }
}

async function changeInPlace(
  spec: WantedContainer,
  containers: ContainerRuntime,
  current: ContainerState,
  differing: ReadonlySet<string | undefined>,
): Promise<void> {
  const { name } = spec
  const { resources, restart, networks } = settingsOf(spec, current.defaults)
  if (differing.has('resources') || differing.has('restart'))
    await containers.update(name, { resources, restart })
  if (!differing.has('networks')) return
  const text = (use: unknown) => JSON.stringify(use)
  const [is, should] = [current.settings.networks, networks].map((list) => list.map(text))
  for (const use of current.settings.networks)
    if (!should?.includes(text(use))) await containers.disconnect(name, use.name)
  for (const use of networks) if (!is?.includes(text(use))) await containers.connect(name, use)
}

async function bringUp(name: string, containers: ContainerRuntime, current: ContainerState): Promise<void> {
  const { status, health, restartsSeen } = current
  if (status === 'paused') await containers.unpause(name)
  else if (status === 'restarting' || restartsSeen > 0 || (status === 'running' && health === 'unhealthy'))
    await containers.restart(name)
  else if (status !== 'running') await containers.start(name)
}

interface Exchange {
  readonly current: ContainerState
  readonly wanted: ReturnType<typeof settingsOf>
}

async function replace(
  spec: WantedContainer,
  containers: ContainerRuntime,
  { progress, signal }: Work,
  { current, wanted }: Exchange,
): Promise<void> {
  const { name } = spec
  const candidate = name + suffixes.candidate
  const isOurs = current.settings.labels[madeByHarmony] === name
  const stopsFirst =
    (spec.replace ?? (collide(current.settings, wanted) ? 'stop-first' : 'start-first')) === 'stop-first'
  const wasUp = current.status === 'running' || current.status === 'restarting'

  await containers.create(candidate, wanted)
  let failure: HarmonyError | undefined
  try {
    if (stopsFirst && current.status !== 'created' && current.status !== 'exited') {
      progress(`stopping ${name}, to start the next one`)
      await containers.stop(name)
    }
    await containers.start(candidate)
    progress(`waiting until the next ${name} is healthy`)
    const seen = await containers.settled(candidate, { ...patienceOf(spec), signal })
    if (readiness(spec, seen) === 'not') failure = await notReady(name, candidate, seen, containers)
  } catch (thrown) {
    if (!(thrown instanceof HarmonyError) || signal.aborted || thrown.code === 'unreachable') throw thrown
    failure = thrown
  }
  if (failure) {
    await discard(candidate, containers)
    if (stopsFirst && wasUp) await containers.start(name)
    throw new HarmonyError(failure.code, `the next ${name} is not used: ${failure.message}`, {
      hint: `${failure.hint ?? 'see what the lines above say'}; the one before ${stopsFirst && wasUp ? 'was started again' : 'was left as it is'}`,
      data: failure.data,
      cause: failure,
    })
  }
  await containers.rename(name, name + (isOurs ? suffixes.old : suffixes.aside))
  await containers.rename(candidate, name)
  if (isOurs) await discard(name + suffixes.old, containers)
  else await putAside(name, containers, current)
}

async function notReady(
  name: string,
  candidate: string,
  seen: ContainerState | undefined,
  containers: ContainerRuntime,
): Promise<HarmonyError> {
  const logs = seen ? await containers.logs(candidate, 10) : []
  const lines = seen ? [...whatHappened(name, seen), ...logs] : [`${name} was removed by somebody else`]
  return new HarmonyError('not-converged', `it does not get healthy\n${lines.join('\n')}`, {
    data: { container: name, why: lines },
  })
}

async function discard(name: string, containers: ContainerRuntime): Promise<void> {
  const found = await containers.container(name)
  if (!found) return
  if (found.status === 'running' || found.status === 'restarting') await containers.stop(name)
  await containers.removeContainer(name)
}

/** Nothing of it is to start when the host does. */
async function putAside(
  name: string,
  containers: ContainerRuntime,
  { settings }: ContainerState,
): Promise<void> {
  const aside = name + suffixes.aside
  if (settings.restart.policy !== 'no')
    await containers.update(aside, { resources: settings.resources, restart: { policy: 'no' } })
  await containers.stop(aside)
}

const keptSchema = once(() =>
  z.strictObject({
    id: z.string(),
    running: z.boolean(),
    paused: z.boolean(),
    restart: z.object({
      policy: z.enum(['no', 'always', 'unless-stopped', 'on-failure']),
      attempts: z.number().optional(),
    }),
    resources: z.object({
      memory: z.number().optional(),
      cpus: z.number().optional(),
      pids: z.number().optional(),
    }),
    networks: z.array(z.object({ name: z.string(), aliases: z.array(z.string()) })),
  }),
)

/** What is known of one that is taken over. The container itself is kept. */
export function keepContainer({ current }: ContainerFound): Json {
  if (!current) return null
  const { id, status, settings } = current
  const { restart, resources, networks } = settings
  return JSON.parse(
    JSON.stringify({
      id,
      running: status === 'running' || status === 'restarting',
      paused: status === 'paused',
      restart,
      resources,
      networks,
    }),
  )
}

/** Takes it away, or puts back what was there before. */
export async function removeContainer(
  name: string,
  previous: Json | undefined,
  containers: ContainerRuntime,
  { note }: Pick<Run<unknown>, 'note'>,
): Promise<void> {
  for (const suffix of [suffixes.candidate, suffixes.old]) {
    const found = await containers.container(name + suffix)
    if (found?.settings.labels[madeByHarmony] === name) await discard(name + suffix, containers)
  }
  const aside = await containers.container(name + suffixes.aside)
  const current = await containers.container(name)
  if (previous === undefined || previous === null) {
    if (current) await discard(name, containers)
    if (aside) note(`left ${aside.name} in place, which was there before`)
    return
  }
  const kept = keptSchema().safeParse(previous)
  if (!kept.success)
    throw new HarmonyError('ledger-corrupt', 'the ledger does not say what was there before', {
      hint: 'put it right by hand, and remove the Score with retain: true',
      cause: kept.error,
    })
  const was = kept.data
  if (aside?.id === was.id) {
    if (current) await discard(name, containers)
    await containers.rename(aside.name, name)
  } else if (current?.id !== was.id) {
    if (current) await discard(name, containers)
    note(`${name} cannot be put back: somebody else has removed what was there before`)
    return
  }
  const there = aside?.id === was.id ? aside : current
  const { restart, resources, networks } = there?.settings ?? was
  if (JSON.stringify([restart, resources]) !== JSON.stringify([was.restart, was.resources]))
    await containers.update(name, { restart: was.restart, resources: was.resources })
  const text = (use: unknown) => JSON.stringify(use)
  const [is, should] = [networks.map(text), was.networks.map(text)]
  for (const use of networks) if (!should.includes(text(use))) await containers.disconnect(name, use.name)
  for (const use of was.networks) if (!is.includes(text(use))) await containers.connect(name, use)
  const now = await containers.container(name)
  if (was.running && now?.status !== 'running') await bringBack(name, now, containers)
  else if (!was.running && !was.paused && now?.status === 'running') await containers.stop(name)
}

async function bringBack(
  name: string,
  now: ContainerState | undefined,
  containers: ContainerRuntime,
): Promise<void> {
  if (now?.status === 'paused') await containers.unpause(name)
  else if (now) await containers.start(name)
}

/** Has a running container start anew, or tells it to read its configuration again. */
export async function reactContainer(
  spec: WantedContainer,
  containers: ContainerRuntime,
  { progress }: Pick<Run<ContainerFound>, 'progress'>,
  how: 'restart' | 'reload',
): Promise<void> {
  const { name, reloadSignal = 'SIGHUP' } = spec
  progress(`${how}ing ${name}`)
  if (how === 'restart') await containers.restart(name)
  else await containers.signal(name, reloadSignal)
}
