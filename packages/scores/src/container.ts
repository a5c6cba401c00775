/** Keeps a container as wanted: what it is made from, that it runs, and that it is healthy. */
import {
  claim,
  defineScore,
  type Needs,
  type Ref,
  type Resolved,
  type ScoreFactory,
  type Secret,
} from '@harmony-iac/core'
import { Containers } from '@harmony-iac/core/capabilities'
import type * as z from 'zod'
import { type ContainerFound, compareContainer, currentOf, explainContainer } from './container-compare.ts'
import {
  convergeContainer,
  keepContainer,
  observeContainer,
  reactContainer,
  removeContainer,
} from './container-converge.ts'
import {
  type ContainerCapabilities,
  type ContainerHealth,
  type ContainerLimits,
  type ContainerLog,
  type ContainerMountSpec,
  type ContainerNetworkUse,
  type ContainerPort,
  type ContainerRestart,
  containerSchema,
  portName,
} from './container-spec.ts'

/** What a {@link Container} is made from. What is left out is as the image says, or as the runtime does by itself. */
export interface ContainerSpec {
  /** Unique on its host. */
  readonly name: string
  /**
   * With a tag or a digest: `nginx:1.27`, `registry.lan/app@sha256:…`. Of a `ContainerImage` take its output,
   * `image: app.out.id`: then a newer image is known to be on its way when the plan is made.
   */
  readonly image: string | Ref<string>
  /**
   * When the image is fetched: while the host has none of that name, or whenever its registry has another one by now
   * (which is then asked in every pass, and not missed when it cannot be reached). Default `missing`.
   */
  readonly pull?: 'missing' | 'always' | undefined
  /** Arguments, or the program with its arguments. Default: the image's. */
  readonly command?: readonly string[] | undefined
  /** The program. Default: the image's. */
  readonly entrypoint?: readonly string[] | undefined
  /** Added to what the image sets. Whoever may ask the host's runtime can read it, secrets included. */
  readonly env?: Readonly<Record<string, string | Secret | Ref<string>>> | undefined
  /** Ports of the host that lead to it. */
  readonly ports?: readonly ContainerPort[] | undefined
  /**
   * What it sees beside its image. A file of a `bind` that is replaced is the old one for who has it mounted already:
   * have the container restarted by `restartOn`, or mount the folder.
   */
  readonly mounts?: readonly ContainerMountSpec[] | undefined
  /**
   * The networks that it is in, all of them, with further names for it there; or that of the `host`; or `none`.
   * Default: the one that every container is in.
   */
  readonly networks?: readonly ContainerNetworkUse[] | 'host' | 'none' | undefined
  /**
   * What happens when its main process ends, or the host starts. Default `unless-stopped`: it is started again. With
   * `no` it is a failure all the same that it ended: for what runs once there is `ShellJob`.
   */
  readonly restart?: ContainerRestart | undefined
  /** The most it may use: memory in bytes, a number of processors, a number of processes. Default: all there is. */
  readonly resources?: ContainerLimits | undefined
  /** Who it runs as there: a name or number, and a group after a colon. */
  readonly user?: string | undefined
  /** The folder it starts in. */
  readonly workingDir?: string | undefined
  /** What it takes its host's name to be. */
  readonly hostname?: string | undefined
  /** Capabilities of Linux that it is given, or has taken away: `NET_ADMIN`; `ALL`. */
  readonly capabilities?: ContainerCapabilities | undefined
  /** It may write to its mounts only. Default false. */
  readonly readOnly?: boolean | undefined
  /** Added to those of the image. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** How to find out whether it does its work; `none` turns off what the image says. */
  readonly health?: ContainerHealth | 'none' | undefined
  /** What asks it to end: `SIGINT`. */
  readonly stopSignal?: string | undefined
  /** How long it may take to end, in milliseconds, whole seconds; then it is killed. Default 10000. */
  readonly stopTimeoutMs?: number | undefined
  /** Where what it writes goes. Default: as the runtime is configured. */
  readonly logging?: ContainerLog | undefined
  /**
   * Which comes first when it has to be replaced: the start of the new one, or the stop of the old one. Default: the
   * start, unless the two would get in each other's way: a port of the host, the host's network, something that both
   * write to. In both cases the old one is there until the new one is healthy, and stays if it is not.
   */
  readonly replace?: 'start-first' | 'stop-first' | undefined
  /** What `reloadOn` sends to its main process. Default `SIGHUP`. */
  readonly reloadSignal?: string | undefined
  /** Without a health check: how long it must have been running to count as running, in milliseconds. Default 1000. */
  readonly stableForMs?: number | undefined
  /** How long it may take until it is healthy, in milliseconds. Default 120000. */
  readonly startTimeoutMs?: number | undefined
}

/** Details of a {@link Container} as it is. */
export interface ContainerStatus {
  /** `running`, `exited`, `restarting`, …; `absent`. */
  readonly status: string
  /** `healthy`, `starting`, `unhealthy`, or `none` without a health check. */
  readonly health: string
  /** When it was last started, in milliseconds since 1970. */
  readonly since?: number | undefined
  /** How often it was started again without being asked to. */
  readonly restarts: number
  /** The id of its image. */
  readonly image?: string | undefined
}

/** What other Scores may take from a {@link Container}. */
export interface ContainerOutputs {
  /** Another one for every container that gets this name. */
  readonly id: string
  readonly imageId: string
}

/** What the verbs of a {@link Container} see. */
export type WantedContainer = Resolved<z.output<ReturnType<typeof containerSchema>>>

/**
 * A container that runs and is healthy:
 * `Container({ name: 'player', image: 'registry.lan/player:4', ports: [{ host: 80, container: 8080 }] })`.
 *
 * It is replaced only where it cannot be changed in place: restart policy, limits and networks are. The old one goes once the
 * new one is healthy, and is back if the new one is not. One that fails again and again is a failure that shows the last
 * lines of its log; stopped, paused, killed or changed by somebody else, it is put right. `restartOn` restarts it after
 * those Scores have changed, `reloadOn` sends it a signal. Networks, volumes, images and paths that it names come before
 * it. A container of that name that is not ours is taken over with `adopt: true`, put aside while it has to be another
 * one, and put back on removal. What the image was fetched for stays: declare a `ContainerImage` to have it removed.
 *
 * Fails with `refused` (a port that somebody else has, an image that is nowhere, a program that does not exist, a right
 * that is missing), `not-converged`, `plan-stale`, `unreachable`.
 */
export const Container: ScoreFactory<
  'Container',
  ContainerSpec,
  Needs<[typeof Containers]>,
  ContainerStatus,
  ContainerOutputs,
  'restartOn' | 'reloadOn'
> = defineScore({
  kind: 'Container',
  version: 1,
  spec: containerSchema,
  needs: [Containers],
  identity: (spec) => spec.name,
  claims: ({ name, ports = [] }) => [
    claim.name('container', name),
    ...ports.map((port) => claim.name(`${port.protocol ?? 'tcp'}-port`, portName(port))),
  ],
  uses: ({ image, networks, mounts = [] }) => [
    ...(typeof image === 'string' ? [claim.name('container-image', image)] : []),
    ...(typeof networks === 'object'
      ? networks.map(({ name }) => claim.name('container-network', name))
      : []),
    ...mounts.flatMap((each) =>
      each.type === 'bind'
        ? [claim.path(each.source)]
        : each.type === 'volume'
          ? [claim.name('container-volume', each.volume)]
          : [],
    ),
  ],
  interpret: {
    observe: (spec, { containers }, { signal }): Promise<ContainerFound> =>
      observeContainer(spec, containers, signal),
    compare: (spec, found) => compareContainer(spec, found),
    converge: (spec, { containers }, run) => convergeContainer(spec, containers, run),
    remove: ({ spec, previous }, { containers }, run) =>
      removeContainer(spec.name, previous, containers, run),
    keep: async (_, { containers: _on }, found) => keepContainer(found),
    explain: (spec, { containers }, found) => explainContainer(spec.name, found, containers),
    incarnation: (found) => {
      const current = currentOf(found)
      return current && `${current.id} ${current.since ?? 0}`
    },
    outputs: (found): ContainerOutputs => {
      const current = currentOf(found)
      return current ? { id: current.id, imageId: current.imageId } : ({} as ContainerOutputs)
    },
    status: (found): ContainerStatus => {
      const current = currentOf(found)
      if (!current) return { status: 'absent', health: 'none', restarts: 0 }
      const { status, health, since, restarts, imageId } = current
      return { status, health, since, restarts, image: imageId }
    },
  },
  reactions: {
    restartOn: (spec, { containers }, run) => reactContainer(spec, containers, run, 'restart'),
    reloadOn: (spec, { containers }, run) => reactContainer(spec, containers, run, 'reload'),
  },
})
