/**
 * The capability `containers` of a Linux host: the API of its container engine, at the engine's socket, here or over SSH.
 * What many Scores ask for at the same time is one list, and one question for each container that is there.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { HarmonyError } from '@harmony-iac/core'
import type {
  ContainerState,
  ImageDefaults,
  ImageState,
  NetworkState,
  PullOptions,
  VolumeState,
} from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { connectEngine, type Engine } from './connect.ts'
import type { LinuxContainers, LinuxContainersOptions } from './containers.ts'
import { EngineError, isGone, isReset, says, told } from './engine-error.ts'
import type { EngineContainer, EngineImage, EngineNetwork, EngineVolume, Listed } from './engine-types.ts'
import { demux } from './logs.ts'
import { portProblem } from './port-problem.ts'
import { followPull, loadedImages } from './progress.ts'
import { lookUpName, pullQuery, registryAuth, tagQuery } from './references.ts'
import { each, together } from './together.ts'
import {
  containerBody,
  defaultsOf,
  engineNetwork,
  isBuiltIn,
  networkSettingsOf,
  stateOf,
  updateBody,
} from './translate.ts'

// As long after a start of ours a restart counts as a crash loop.
const watchedMs = 60_000
const longest = { timeoutMs: 0 }

/** The containers of a Linux host with a container engine. */
export function engineContainers(
  host: Host,
  { socket = '/var/run/docker.sock' }: LinuxContainersOptions = {},
): LinuxContainers {
  let opened: Promise<Engine> | undefined
  /** When containers were started by this process, by id. */
  const started = new Map<string, number>()
  /** An id never stands for another content. */
  const brought = new Map<string, Promise<ImageDefaults>>()

  const engine = async () => {
    opened ??= connectEngine(host, socket)
    return await opened
  }

  /** A question that is asked again once, when the connection that it went to has died meanwhile. */
  async function ask<T>(path: string, query?: Parameters<Engine['json']>[2]): Promise<T> {
    const api = await engine()
    try {
      return await api.json<T>('GET', path, query)
    } catch (error) {
      if (!isReset(error) || query?.signal?.aborted) throw asked(error)
    }
    return await api.json<T>('GET', path, query).catch((error: unknown) => {
      throw asked(error)
    })
  }

  /** A refusal is for whoever asked to judge. */
  const asked = (error: unknown): Error => (error instanceof EngineError ? error : told(host.name, error))

  async function post(what: string, path: string, options?: Parameters<Engine['json']>[2]): Promise<void> {
    try {
      await (await engine()).json('POST', path, options)
    } catch (error) {
      throw told(what, error)
    }
  }

  const orUndefined = async <T>(asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  async function inspect(nameOrId: string): Promise<ContainerState | undefined> {
    const found = await orUndefined(ask<EngineContainer>(`/containers/${encodeURIComponent(nameOrId)}/json`))
    if (!found) return undefined
    const state = stateOf(found)
    const at = started.get(found.Id)
    const age = at === undefined ? undefined : performance.now() - at
    const isWatched = age !== undefined && age <= watchedMs
    return {
      ...state,
      defaults: await defaultsBy(found.Image),
      restartsSeen: isWatched ? state.restarts : 0,
      startedMsAgo: state.status === 'running' ? age : undefined,
    }
  }

  async function defaultsBy(id: string): Promise<ImageDefaults> {
    let known = brought.get(id)
    if (!known) {
      // An image can be removed by force while a container stands on it: then nothing is known of what it brought.
      known = orUndefined(ask<EngineImage>(`/images/${id}/json`)).then((image) =>
        defaultsOf(image ?? { Id: id }),
      )
      brought.set(id, known)
      known.catch(() => brought.delete(id))
    }
    return await known
  }

  const list = () => ask<readonly Listed[]>('/containers/json', { query: { all: true } })
  const container = together(async (names) => {
    // By name, the engine would also take the beginning of an id.
    const ids = new Map((await list()).flatMap(({ Id, Names }) => (Names ?? []).map((name) => [name, Id])))
    return await each(names, async (name) => {
      const id = ids.get(`/${name}`)
      return id === undefined ? undefined : await inspect(id)
    })
  })
  const image = together((references) =>
    each(references, async (reference): Promise<ImageState | undefined> => {
      const found = await orUndefined(ask<EngineImage>(`/images/${lookUpName(reference)}/json`))
      if (!found) return undefined
      const defaults = defaultsOf(found)
      brought.set(found.Id, Promise.resolve(defaults))
      const digests = (found.RepoDigests ?? []).map((each) => each.slice(each.indexOf('@') + 1))
      return { id: found.Id, digests, defaults, size: found.Size ?? 0 }
    }),
  )
  const network = together<NetworkState>(async (names) => {
    const [all, containers] = await Promise.all([ask<readonly EngineNetwork[]>('/networks'), list()])
    return await each(names, async (name) => {
      const found = all.find(({ Name }) => Name === name)
      if (!found) return undefined
      const members = containers.filter(({ NetworkSettings: at }) => at?.Networks?.[name] !== undefined)
      const called = members.map(({ Names }) => Names?.[0]?.slice(1) ?? '').sort()
      return { name, id: found.Id, settings: networkSettingsOf(found), containers: called }
    })
  })
  const volume = together<VolumeState>(async (names) => {
    const { Volumes } = await ask<{ readonly Volumes?: readonly EngineVolume[] | null }>('/volumes')
    const byName = new Map((Volumes ?? []).map((each) => [each.Name, each]))
    return await each(names, async (name) => {
      const found = byName.get(name)
      if (!found) return undefined
      const { Driver: driver = '', Options: options, Labels: labels } = found
      return { name, settings: { driver, options: options ?? {}, labels: labels ?? {} } }
    })
  })

  const at = (name: string, verb = '') => `/containers/${encodeURIComponent(name)}${verb}`

  async function stopsWithinMs(name: string): Promise<number> {
    const { stopTimeoutMs = 10_000 } = (await inspect(name))?.settings ?? {}
    return stopTimeoutMs + 60_000
  }

  async function begin(name: string, verb: '/start' | '/restart', timeoutMs: number): Promise<void> {
    try {
      await (await engine()).json('POST', at(name, verb), { timeoutMs })
    } catch (error) {
      throw await portProblem(told(name, error), name, list)
    }
    const id = (await ask<EngineContainer>(at(name, '/json'))).Id
    started.set(id, performance.now())
  }

  return {
    container,
    image,
    network,
    volume,
    async registryDigest(reference, { login, signal }: PullOptions = {}) {
      try {
        const { Descriptor } = await ask<{ readonly Descriptor: { readonly digest: string } }>(
          `/distribution/${lookUpName(reference)}/json`,
          { headers: registryAuth(reference, login), signal },
        )
        return Descriptor.digest
      } catch (error) {
        throw told(reference, error)
      }
    },
    async logs(name, lines) {
      try {
        const api = await engine()
        const tty = (await ask<EngineContainer>(at(name, '/json'))).Config.Tty ?? false
        const query = { stdout: true, stderr: true, tail: lines }
        return await demux(await api.stream('GET', at(name, '/logs'), { query }), tty)
      } catch {
        return [] // It is only there to explain something else, and some logging drivers keep nothing.
      }
    },
    async settled(name, { stableForMs, patienceMs, signal }) {
      const until = performance.now() + patienceMs
      for (let wait = 50; ; wait = Math.min(wait * 2, 500)) {
        signal?.throwIfAborted()
        let state: ContainerState | undefined
        try {
          state = await inspect(name)
        } catch (error) {
          throw told(name, error)
        }
        const waits =
          state?.status === 'running' &&
          state.restartsSeen === 0 &&
          (state.health === 'starting' ||
            (state.health === 'none' && (state.startedMsAgo ?? stableForMs) < stableForMs))
        if (!waits || performance.now() >= until) return state
        await pause(wait, undefined, { signal })
      }
    },

    async create(name, settings) {
      // The engine would make a volume that nobody has declared, and leave it behind.
      for (const mount of settings.mounts)
        if (mount.type === 'volume' && !(await volume(mount.volume)))
          throw new HarmonyError('refused', `${name}: there is no volume ${mount.volume}`, {
            hint: `declare it: ContainerVolume({ name: '${mount.volume}' })`,
            data: { subject: name, volume: mount.volume },
          })
      await post(name, '/containers/create', { query: { name }, body: containerBody(settings), timeoutMs: 0 })
      for (const use of settings.networks.slice(1)) await connect(name, use)
    },
    start: (name) => begin(name, '/start', 120_000),
    async stop(name) {
      await post(name, at(name, '/stop'), { timeoutMs: await stopsWithinMs(name) })
    },
    restart: async (name) => await begin(name, '/restart', (await stopsWithinMs(name)) + 60_000),
    async unpause(name) {
      await post(name, at(name, '/unpause')).catch((error: HarmonyError) => {
        if (!/is not paused/.test(error.message)) throw error
      })
    },
    async signal(name, signal) {
      await post(name, at(name, '/kill'), { query: { signal } })
    },
    async update(name, change) {
      await post(name, at(name, '/update'), { body: updateBody(change) })
    },
    async rename(name, to) {
      try {
        await (await engine()).json('POST', at(name, '/rename'), { query: { name: to } })
      } catch (error) {
        if (isGone(error) && (await container(to))) return
        throw told(name, error)
      }
    },
    connect,
    async disconnect(name, from) {
      try {
        const body = { Container: name, Force: true }
        await (await engine()).json('POST', `/networks/${engineNetwork(from)}/disconnect`, { body })
      } catch (error) {
        if (!isGone(error) && !says(error, /is not connected to/)) throw told(name, error)
      }
    },
    async removeContainer(name) {
      await remove(name, at(name), { force: true, v: true })
    },

    async pull(reference, { login, signal, onProgress } = {}) {
      try {
        const stream = await (await engine()).stream('POST', '/images/create', {
          query: pullQuery(reference),
          headers: registryAuth(reference, login),
          signal,
          ...longest,
        })
        await followPull(stream, onProgress)
      } catch (error) {
        throw told(reference, error)
      }
    },
    async load(archive, { signal } = {}) {
      try {
        const query = { quiet: true }
        const stream = await (await engine()).stream('POST', '/images/load', {
          query,
          archive,
          signal,
          ...longest,
        })
        return await loadedImages(stream)
      } catch (error) {
        throw told('the archive', error)
      }
    },
    async tag(id, reference) {
      await post(reference, `/images/${lookUpName(id)}/tag`, { query: tagQuery(reference) })
    },
    async removeImage(reference) {
      await remove(reference, `/images/${lookUpName(reference)}`)
    },
    async makeNetwork(name, settings) {
      const { driver, subnet, gateway, internal, ipv6, labels, options } = settings
      const config = subnet === undefined ? [] : [{ Subnet: subnet, Gateway: gateway }]
      await post(name, '/networks/create', {
        body: {
          Name: name,
          CheckDuplicate: true,
          Driver: driver,
          Internal: internal,
          EnableIPv6: ipv6,
          IPAM: { Driver: 'default', Config: config },
          Options: options,
          Labels: labels,
        },
      })
    },
    async removeNetwork(name) {
      await remove(name, `/networks/${encodeURIComponent(name)}`)
    },
    async makeVolume(name, { driver, options, labels }) {
      await post(name, '/volumes/create', {
        body: { Name: name, Driver: driver, DriverOpts: options, Labels: labels },
      })
    },
    async removeVolume(name) {
      await remove(name, `/volumes/${encodeURIComponent(name)}`)
    },
    async close() {
      const api = await opened?.catch(() => undefined)
      opened = undefined
      api?.close()
    },
  }

  async function connect(
    name: string,
    { name: to, aliases }: { readonly name: string; readonly aliases: readonly string[] },
  ): Promise<void> {
    const endpoint = isBuiltIn(to) ? {} : { EndpointConfig: { Aliases: aliases } }
    try {
      const body = { Container: name, ...endpoint }
      await (await engine()).json('POST', `/networks/${engineNetwork(to)}/connect`, { body })
    } catch (error) {
      if (!says(error, /already exists in network|is already attached to network/)) throw told(name, error)
    }
  }

  async function remove(
    what: string,
    path: string,
    query: Readonly<Record<string, boolean>> = {},
  ): Promise<void> {
    try {
      await (await engine()).json('DELETE', path, { query, timeoutMs: 120_000 })
    } catch (error) {
      if (isGone(error)) return
      // Somebody else is removing it.
      if (says(error, /removal of container .* is already in progress/)) return
      throw told(what, error)
    }
  }
}
