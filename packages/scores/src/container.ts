/** Keeps a container as wanted: what it is made from, that it runs, and that it is healthy. */
import {
  claim,
  defineScore,
  type Needs,
  type Ref,
  type Resolved,
  ref,
  type ScoreFactory,
  type Secret,
  secretable,
} from '@harmony-iac/core'
import { Containers } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { word } from './argv.ts'
import { type ContainerFound, compareContainer, currentOf, explainContainer } from './container-compare.ts'
import {
  convergeContainer,
  keepContainer,
  observeContainer,
  reactContainer,
  removeContainer,
} from './container-converge.ts'
import {
  atLeast,
  capabilityName,
  containerName,
  healthCheck,
  imageReference,
  is,
  labelNames,
  leavesTagOpen,
  milliseconds,
  objectName,
  portNumber,
  signalName,
} from './container-fields.ts'
import { absolutePath } from './paths.ts'

/** A port of the host that leads to one of the container. */
export interface ContainerPort {
  /** The address of the host that it listens at: `127.0.0.1`. Default: all. */
  readonly hostIp?: string | undefined
  readonly host: number
  readonly container: number
  /** Default `tcp`. */
  readonly protocol?: 'tcp' | 'udp' | undefined
}

/** What the container sees at `target`: a path of the host, a volume, or memory. */
export type ContainerMountSpec =
  | {
      readonly type: 'bind'
      readonly source: string
      readonly target: string
      readonly readOnly?: boolean | undefined
    }
  | {
      readonly type: 'volume'
      readonly volume: string
      readonly target: string
      readonly readOnly?: boolean | undefined
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number | undefined }

/** How to find out whether it does its work. */
export interface ContainerHealth {
  /** A program with its arguments, or a line for the shell of the container. It ends with 0 when all is well. */
  readonly command: string | readonly string[]
  /** Default 30000. */
  readonly intervalMs?: number | undefined
  /** Default 30000. */
  readonly timeoutMs?: number | undefined
  /** After how many failures in a row it is unhealthy. Default 3. */
  readonly retries?: number | undefined
  /** For how long failures do not count after a start. Default 0. */
  readonly startPeriodMs?: number | undefined
}

/** A network that it is in. */
export interface ContainerNetworkUse {
  readonly name: string
  /** Further names that others in that network find it by. */
  readonly aliases?: readonly string[] | undefined
}

/** What happens when its main process ends; `onFailure` says how often at most. */
export type ContainerRestart =
  | 'no'
  | 'always'
  | 'unless-stopped'
  | 'on-failure'
  | { readonly onFailure: number }

/** The most it may use. */
export interface ContainerLimits {
  /** In bytes. */
  readonly memory?: number | undefined
  /** A number of processors: `0.5`. */
  readonly cpus?: number | undefined
  /** How many processes and threads. */
  readonly pids?: number | undefined
}

/** Capabilities of Linux, without `CAP_`. */
export interface ContainerCapabilities {
  readonly add?: readonly string[] | undefined
  readonly drop?: readonly string[] | undefined
}

/** Where what it writes goes. */
export interface ContainerLog {
  readonly driver: string
  readonly options?: Readonly<Record<string, string>> | undefined
}

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
   * (which is then asked in every pass). Default `missing`.
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

const text = () =>
  z
    .string()
    .refine((each) => !each.includes('\0'), 'contains a NUL character, which nothing there can hold')
    .refine((each) => each.isWellFormed(), 'contains half a surrogate pair, which UTF-8 cannot write')
const words = () => z.array(word, { error: 'must be a list of words' }).readonly()
const each = <T>(list: readonly T[], key: (one: T) => string) => new Set(list.map(key)).size === list.length

const mount = () =>
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('bind'),
      source: absolutePath,
      target: absolutePath,
      readOnly: z.boolean().optional(),
    }),
    z.strictObject({
      type: z.literal('volume'),
      volume: objectName('volume'),
      target: absolutePath,
      readOnly: z.boolean().optional(),
    }),
    z.strictObject({
      type: z.literal('tmpfs'),
      target: absolutePath,
      sizeBytes: atLeast(4096, 'a page, 4096 bytes').optional(),
    }),
  ])

const fields = () =>
  ({
    name: containerName(),
    image: ref(imageReference()),
    pull: z.enum(['missing', 'always']).optional(),
    command: words().optional(),
    entrypoint: words()
      .refine((list) => list.length > 0, 'is empty; leave it out for the image’s')
      .optional(),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'is no name of an environment variable'),
        secretable(ref(text())),
      )
      .readonly()
      .optional(),
    ports: z
      .array(
        z.strictObject({
          hostIp: z
            .string()
            .refine((text) => is(text, z.ipv4(), z.ipv6()), 'must be an IP address of the host')
            .optional(),
          host: portNumber(),
          container: portNumber(),
          protocol: z.enum(['tcp', 'udp']).optional(),
        }),
      )
      .refine((ports) => each(ports, portKey), 'names a port of the host twice')
      .readonly()
      .optional(),
    mounts: z
      .array(mount())
      .refine((mounts) => each(mounts, ({ target }) => target), 'has two mounts at one target')
      .readonly()
      .optional(),
    networks: z
      .union([
        z.enum(['host', 'none']),
        z
          .array(
            z.strictObject({
              name: objectName('network').refine(
                (name) => !['default', 'bridge', 'host', 'none'].includes(name),
                'comes with the runtime: leave networks out, or say networks: ‘host’ or ‘none’',
              ),
              aliases: z.array(objectName('alias')).readonly().optional(),
            }),
          )
          .min(1, 'is empty: say networks: ‘none’')
          .refine((list) => each(list, ({ name }) => name), 'names a network twice')
          .readonly(),
      ])
      .optional(),
    restart: z
      .union([
        z.enum(['no', 'always', 'unless-stopped', 'on-failure']),
        z.strictObject({ onFailure: atLeast(1, '1') }),
      ])
      .optional(),
    resources: z
      .strictObject({
        memory: atLeast(6 * 1024 ** 2, '6 MiB, written in bytes').optional(),
        cpus: z.number().min(0.01, 'must be at least 0.01').max(1024).optional(),
        pids: atLeast(1, '1').optional(),
      })
      .optional(),
    user: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/, 'must be USER or USER:GROUP')
      .optional(),
    workingDir: absolutePath.optional(),
    hostname: z
      .string()
      .max(63, 'is longer than 63 characters')
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'is no name of a host')
      .optional(),
    capabilities: z
      .strictObject({
        add: z.array(capabilityName()).readonly().optional(),
        drop: z.array(capabilityName()).readonly().optional(),
      })
      .optional(),
    readOnly: z.boolean().optional(),
    labels: labelNames(text()).optional(),
    health: z.union([z.literal('none'), healthCheck(text(), words())]).optional(),
    stopSignal: signalName().optional(),
    stopTimeoutMs: milliseconds()
      .refine((ms) => ms % 1000 === 0, 'must be whole seconds')
      .optional(),
    logging: z
      .strictObject({
        driver: z.string().regex(/^[a-z][a-z0-9_.-]*$/, 'is no name of a logging driver'),
        options: z
          .record(z.string().regex(/^[a-z][a-z0-9_.-]*$/), text())
          .readonly()
          .optional(),
      })
      .optional(),
    replace: z.enum(['start-first', 'stop-first']).optional(),
    reloadSignal: signalName().optional(),
    stableForMs: milliseconds().max(3_600_000, 'must be at most an hour').optional(),
    startTimeoutMs: milliseconds().max(86_400_000, 'must be at most a day').optional(),
  }) satisfies { readonly [K in keyof Required<ContainerSpec>]: z.ZodType }

const schema = () =>
  z.strictObject(fields()).superRefine(({ networks, ports = [], hostname, image }, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if ((networks === 'host' || networks === 'none') && ports.length > 0)
      issue('ports', `lead nowhere with networks: ‘${networks}’`)
    if (networks === 'host' && hostname !== undefined) issue('hostname', 'is that of the host already')
    if (typeof image === 'string' && leavesTagOpen(image))
      issue('image', `does not say which one: write ${image}:TAG, or ${image}@sha256:…`)
  })

/** What the verbs of a {@link Container} see. */
export type WantedContainer = Resolved<z.output<ReturnType<typeof schema>>>

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
  spec: schema,
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

/** As it is claimed. Of one address it is another port than of all. */
function portName({ hostIp, host }: ContainerPort): string {
  return hostIp === undefined ? String(host) : `${hostIp}:${host}`
}

function portKey(port: ContainerPort): string {
  return `${port.protocol ?? 'tcp'} ${portName(port)}`
}
