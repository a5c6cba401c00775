/**
 * The capability `containers` in memory, with registries to fetch images from. A test says how a container behaves (slow to
 * get healthy, crashing); time is the virtual clock's. Every call that writes passes through the faults.
 */
import { hash } from 'node:crypto'
import { canonical } from '../canonical.ts'
import type {
  ContainerPatience,
  ContainerResources,
  ContainerRuntime,
  ContainerSettings,
  ContainerState,
  ImageDefaults,
  ImageState,
  NetworkSettings,
  NetworkState,
  NetworkUse,
  PullOptions,
  RegistryLogin,
  RestartPolicy,
  VolumeSettings,
  VolumeState,
} from '../capabilities/containers.ts'
import type { Clock } from '../engine/contract.ts'
import { HarmonyError } from '../errors.ts'
import type { Faults, Progress } from './faults.ts'
import {
  begin,
  type Container,
  type ContainerBehaviour,
  catchUp,
  type Image,
  idOf,
  imageOf,
  leave,
  lookAt,
  plain,
  settingsFrom,
} from './simulated-container.ts'
import type { Snapshot } from './simulated-disk.ts'

const keptImages = 'harmony-kept:'

/** {@link ContainerRuntime} in memory. */
export class SimulatedContainers implements ContainerRuntime {
  /** What registries have, by reference. */
  readonly #registry = new Map<string, Image>()
  /** What the host has, by reference. */
  readonly #images = new Map<string, Image>()
  readonly #containers = new Map<string, Container>()
  readonly #networks = new Map<string, { readonly id: string; readonly settings: NetworkSettings }>()
  readonly #volumes = new Map<string, VolumeSettings>()
  readonly #behaviours = new Map<string, ContainerBehaviour>()
  readonly #faults: Faults
  readonly #clock: Clock
  #made = 0

  constructor(faults: Faults, clock: Clock) {
    this.#faults = faults
    this.#clock = clock
    faults.onKill(() => {
      for (const container of this.#containers.values()) container.startedByUs = false
    })
  }

  /** Puts an image into its registry; one of another content replaces it there. */
  publish(
    reference: string,
    content = reference,
    { login, ...defaults }: Partial<ImageDefaults> & { readonly login?: RegistryLogin } = {},
  ): void {
    this.#registry.set(reference, imageOf(content, { ...plain, ...defaults }, login))
  }

  /** Puts an image onto the host, as somebody does who has fetched it. */
  addImage(reference: string, content = reference, defaults: Partial<ImageDefaults> = {}): void {
    this.#images.set(reference, imageOf(content, { ...plain, ...defaults }))
  }

  /** Takes a reference away from the host, whoever uses it. */
  deleteImage(reference: string): void {
    this.#images.delete(reference)
  }

  /** Says how containers of an image, by its content, behave from their next start on. */
  behave(content: string, behaviour: ContainerBehaviour): void {
    this.#behaviours.set(idOf(content), behaviour)
  }

  /** What somebody else changes of a container, in place or by making it anew. */
  alter(name: string, change: Partial<ContainerSettings>): void {
    const container = this.#container(name)
    container.settings = { ...container.settings, ...change }
  }

  /** What somebody else does to a container. */
  operate(name: string, deed: 'start' | 'stop' | 'pause' | 'kill' | 'remove'): void {
    const container = this.#container(name)
    if (deed === 'remove') this.#containers.delete(name)
    else if (deed === 'start') begin(container, this.#behaviours.get(container.imageId), this.#clock.now())
    else if (deed === 'pause') container.status = 'paused'
    else Object.assign(container, { status: 'exited', exitCode: deed === 'kill' ? 137 : 0 })
  }

  /** Makes a container behind Harmony's back, and starts it. */
  run(name: string, settings: Partial<ContainerSettings> & { readonly image: string }): void {
    const image = this.#imageBy(settings.image)
    if (!image) throw refused(settings.image, 'is not there')
    this.#make(name, { ...settingsFrom(image.defaults), ...settings }, image)
    this.operate(name, 'start')
  }

  /** Makes a network behind Harmony's back, or another one of that name. */
  setNetwork(name: string, settings: Partial<NetworkSettings> = {}): void {
    const known = this.#networks.get(name)?.settings
    const usual = { driver: 'bridge', internal: false, ipv6: false, labels: {}, options: {} }
    this.#networks.set(name, { id: this.#id(), settings: { ...usual, ...known, ...settings } })
  }

  /** Makes a volume behind Harmony's back, or another one of that name. */
  setVolume(name: string, settings: Partial<VolumeSettings> = {}): void {
    const known = this.#volumes.get(name)
    this.#volumes.set(name, { driver: 'local', options: {}, labels: {}, ...known, ...settings })
  }

  /** Takes a network away, and cuts off whoever is in it. */
  deleteNetwork(name: string): void {
    for (const container of this.#containers.values()) leave(container, name)
    this.#networks.delete(name)
  }

  deleteVolume(name: string): void {
    this.#volumes.delete(name)
  }

  /** Images that are kept to be put back. */
  get kept(): readonly string[] {
    return [...this.#images.keys()].filter((reference) => reference.startsWith(keptImages))
  }

  /** What there is, ids and times aside. */
  snapshot(): Snapshot {
    const lines: Record<string, string> = {}
    for (const name of this.#containers.keys()) {
      const { status, settings, imageId } = this.#container(name)
      lines[`container ${name}`] = canonical({ status, imageId, settings: withoutUndefined(settings) })
    }
    for (const [reference, { id }] of this.#images)
      if (!reference.startsWith(keptImages)) lines[`image ${reference}`] = id
    for (const [name, { settings }] of this.#networks)
      lines[`network ${name}`] = canonical(withoutUndefined(settings))
    for (const [name, settings] of this.#volumes) lines[`volume ${name}`] = canonical(settings as never)
    return lines
  }

  container(name: string): Promise<ContainerState | undefined> {
    return this.#read('container', name, () =>
      this.#containers.has(name) ? this.#state(name, this.#container(name)) : undefined,
    )
  }

  image(reference: string): Promise<ImageState | undefined> {
    return this.#read('image', reference, () => {
      const image = this.#imageBy(reference)
      return image && { id: image.id, digests: [image.digest], defaults: image.defaults, size: 4096 }
    })
  }

  network(name: string): Promise<NetworkState | undefined> {
    return this.#read('network', name, () => {
      const network = this.#networks.get(name)
      if (!network) return undefined
      const containers = [...this.#containers].flatMap(([member, { settings }]) =>
        settings.networks.some((use) => use.name === name) ? [member] : [],
      )
      return { name, ...network, containers }
    })
  }

  volume(name: string): Promise<VolumeState | undefined> {
    return this.#read('volume', name, () => {
      const settings = this.#volumes.get(name)
      return settings && { name, settings }
    })
  }

  registryDigest(reference: string, { login }: PullOptions = {}): Promise<string> {
    return this.#read('registryDigest', reference, () => this.#published(reference, login).digest)
  }

  logs(name: string, lines: number): Promise<readonly string[]> {
    return this.#read('logs', name, () => this.#containers.get(name)?.log.slice(-lines) ?? [])
  }

  async settled(
    name: string,
    { stableForMs, patienceMs, signal }: ContainerPatience,
  ): Promise<ContainerState | undefined> {
    const until = this.#clock.now() + patienceMs
    for (;;) {
      const state = await this.container(name)
      const waits =
        state?.status === 'running' &&
        state.restartsSeen === 0 &&
        (state.health === 'starting' ||
          (state.health === 'none' && (state.startedMsAgo ?? stableForMs) < stableForMs))
      if (!waits || this.#clock.now() >= until) return state
      await this.#clock.sleep(50, signal)
    }
  }

  create(name: string, settings: ContainerSettings): Promise<void> {
    return this.#write('create', name, () => {
      const image = this.#imageBy(settings.image)
      if (!image) throw refused(settings.image, 'is not there')
      if (this.#containers.has(name)) throw refused(name, 'exists already')
      for (const network of settings.networks) this.#demandNetwork(network.name)
      for (const mount of settings.mounts)
        if (mount.type === 'volume' && !this.#volumes.has(mount.volume))
          throw refused(mount.volume, 'is no volume that there is')
      this.#make(name, settings, image)
    })
  }

  start(name: string): Promise<void> {
    return this.#write('start', name, () => this.#start(name))
  }

  stop(name: string): Promise<void> {
    return this.#write('stop', name, () => this.#stop(name))
  }

  restart(name: string): Promise<void> {
    return this.#write('restart', name, (progress) => {
      this.#stop(name)
      progress.within()
      this.#start(name)
    })
  }

  unpause(name: string): Promise<void> {
    return this.#write('unpause', name, () => {
      const container = this.#existing(name)
      if (container.status === 'paused') container.status = 'running'
    })
  }

  signal(name: string, signal: string): Promise<void> {
    return this.#write('signal', name, () => void this.#existing(name).log.push(`got ${signal}`))
  }

  update(
    name: string,
    { resources, restart }: { readonly resources: ContainerResources; readonly restart: RestartPolicy },
  ): Promise<void> {
    return this.#write('update', name, () => {
      const container = this.#existing(name)
      const { settings } = container
      const { memory = settings.resources.memory, cpus = settings.resources.cpus, pids } = resources
      container.settings = { ...settings, restart, resources: { memory, cpus, pids } }
    })
  }

  rename(name: string, to: string): Promise<void> {
    return this.#write('rename', name, () => {
      const container = this.#containers.get(name)
      if (!container && this.#containers.has(to)) return
      if (this.#containers.has(to)) throw refused(to, 'exists already')
      this.#containers.set(to, this.#existing(name))
      this.#containers.delete(name)
    })
  }

  connect(name: string, network: NetworkUse): Promise<void> {
    return this.#write('connect', name, () => {
      const container = this.#existing(name)
      this.#demandNetwork(network.name)
      leave(container, network.name)
      const networks = [...container.settings.networks, network].sort((a, b) => (a.name < b.name ? -1 : 1))
      container.settings = { ...container.settings, networks }
    })
  }

  disconnect(name: string, network: string): Promise<void> {
    return this.#write('disconnect', name, () => leave(this.#existing(name), network))
  }

  removeContainer(name: string): Promise<void> {
    return this.#write('removeContainer', name, () => void this.#containers.delete(name))
  }

  pull(reference: string, { login, onProgress }: PullOptions = {}): Promise<void> {
    return this.#write('pull', reference, (progress) => {
      const image = this.#published(reference, login)
      onProgress?.(`fetching ${reference}`, 2048, 4096)
      progress.within()
      this.#images.set(reference, image)
    })
  }

  /** An archive is its content: lines of a reference and of what the image is. */
  load(archive: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
    return this.#write('load', '', async (progress) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of archive) chunks.push(chunk)
      progress.alive()
      return Buffer.concat(chunks)
        .toString()
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [reference = '', content = ''] = line.split(' ')
          this.#images.set(reference, imageOf(content, plain))
          return reference
        })
    })
  }

  tag(image: string, reference: string): Promise<void> {
    return this.#write('tag', reference, () => {
      const found = this.#imageBy(image)
      if (!found) throw refused(image, 'is not there')
      this.#images.set(reference, found)
    })
  }

  removeImage(reference: string): Promise<void> {
    return this.#write('removeImage', reference, () => {
      const image = this.#images.get(reference)
      if (!image) return
      const isLast = [...this.#images.values()].filter(({ id }) => id === image.id).length === 1
      const user = [...this.#containers].find(([, { imageId }]) => imageId === image.id)
      if (isLast && user) throw refused(reference, `is still used by the container ${user[0]}`)
      this.#images.delete(reference)
    })
  }

  makeNetwork(name: string, settings: NetworkSettings): Promise<void> {
    return this.#write('makeNetwork', name, () => this.setNetwork(name, settings))
  }

  removeNetwork(name: string): Promise<void> {
    return this.#write('removeNetwork', name, () => {
      const member = [...this.#containers].find(([, { settings }]) =>
        settings.networks.some((use) => use.name === name),
      )
      if (member) throw refused(name, `still has ${member[0]} in it`)
      this.#networks.delete(name)
    })
  }

  makeVolume(name: string, settings: VolumeSettings): Promise<void> {
    return this.#write('makeVolume', name, () => {
      if (!this.#volumes.has(name)) this.#volumes.set(name, settings)
    })
  }

  removeVolume(name: string): Promise<void> {
    return this.#write('removeVolume', name, () => {
      const user = [...this.#containers].find(([, { settings }]) =>
        settings.mounts.some((mount) => mount.type === 'volume' && mount.volume === name),
      )
      if (user) throw refused(name, `is still used by the container ${user[0]}`)
      this.#volumes.delete(name)
    })
  }

  #read<T>(method: string, subject: string, work: () => T): Promise<T> {
    return this.#faults.read({ port: 'containers', method, subject }, work)
  }

  #write<T>(method: string, subject: string, work: (progress: Progress) => T | Promise<T>): Promise<T> {
    return this.#faults.write({ port: 'containers', method, subject }, work)
  }

  #id(): string {
    return hash('sha256', `made ${++this.#made}`, 'hex')
  }

  #make(name: string, settings: ContainerSettings, image: Image): void {
    this.#containers.set(name, {
      id: this.#id(),
      imageId: image.id,
      settings,
      status: 'created',
      startedAt: undefined,
      startedByUs: false,
      restarts: 0,
      exitCode: undefined,
      log: [],
    })
  }

  #imageBy(reference: string): Image | undefined {
    if (!reference.startsWith('sha256:')) return this.#images.get(reference)
    return [...this.#images.values(), ...this.#registry.values()].find(({ id }) => id === reference)
  }

  #published(reference: string, login: RegistryLogin | undefined): Image {
    const image = this.#registry.get(reference)
    if (!image) throw refused(reference, 'is in no registry')
    if (image.login && canonical({ ...image.login }) !== canonical({ ...login }))
      throw refused(reference, 'is not given to this login')
    return image
  }

  #demandNetwork(name: string): void {
    if (!['default', 'host', 'none'].includes(name) && !this.#networks.has(name))
      throw refused(name, 'is no network that there is')
  }

  #existing(name: string): Container {
    if (!this.#containers.has(name)) throw refused(name, 'does not exist')
    return this.#container(name)
  }

  /** A container as it is by now. */
  #container(name: string): Container {
    const container = this.#containers.get(name)
    if (!container) throw refused(name, 'does not exist')
    catchUp(container, this.#behaviours.get(container.imageId), this.#clock.now())
    return container
  }

  #start(name: string): void {
    const container = this.#existing(name)
    if (container.status === 'running') return
    const { refuses } = this.#behaviours.get(container.imageId) ?? {}
    if (refuses !== undefined) throw refused(name, refuses)
    for (const [other, { status, settings }] of this.#containers)
      if (other !== name && status !== 'created' && status !== 'exited')
        for (const { host, protocol } of settings.ports)
          if (container.settings.ports.some((port) => port.host === host && port.protocol === protocol))
            throw refused(name, `cannot have port ${host}: the container ${other} has it`)
    container.restarts = 0
    container.startedByUs = true
    begin(container, this.#behaviours.get(container.imageId), this.#clock.now())
  }

  #stop(name: string): void {
    const container = this.#existing(name)
    if (container.status === 'created' || container.status === 'exited') return
    Object.assign(container, { status: 'exited', exitCode: 0, startedByUs: false })
  }

  #state(name: string, container: Container): ContainerState {
    const { defaults = plain } = this.#imageBy(container.imageId) ?? {}
    const behaviour = this.#behaviours.get(container.imageId)
    return { name, defaults, ...lookAt(container, behaviour, this.#clock.now()) }
  }
}

function withoutUndefined(value: object): never {
  return JSON.parse(JSON.stringify(value)) as never
}

function refused(what: string, why: string): HarmonyError {
  return new HarmonyError('refused', `${what} ${why}`, {
    hint: 'see what else is on the host',
    data: { subject: what },
  })
}
