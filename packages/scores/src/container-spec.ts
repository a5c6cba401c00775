/** How a container is described: the parts of its spec, and what they may be. */
import { ref, secretable } from '@harmony-iac/core'
import * as z from 'zod'
import { word } from './argv.ts'
import type { ContainerSpec } from './container.ts'
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

/** The schema of a container. */
export const containerSchema = () =>
  z.strictObject(fields()).superRefine(({ networks, ports = [], hostname, image }, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if ((networks === 'host' || networks === 'none') && ports.length > 0)
      issue('ports', `lead nowhere with networks: ‘${networks}’`)
    if (networks === 'host' && hostname !== undefined) issue('hostname', 'is that of the host already')
    if (typeof image === 'string' && leavesTagOpen(image))
      issue('image', `does not say which one: write ${image}:TAG, or ${image}@sha256:…`)
  })

/** As it is claimed. Of one address it is another port than of all. */
export function portName({ hostIp, host }: ContainerPort): string {
  return hostIp === undefined ? String(host) : `${hostIp}:${host}`
}

function portKey(port: ContainerPort): string {
  return `${port.protocol ?? 'tcp'} ${portName(port)}`
}
