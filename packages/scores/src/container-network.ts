/** Keeps a network that containers find each other in. */
import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  type Json,
  missing,
  type Needs,
  type ScoreFactory,
} from '@harmony-iac/core'
import {
  type ContainerRuntime,
  Containers,
  madeByHarmony,
  type NetworkSettings,
  type NetworkState,
} from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { is, labelNames, objectName } from './container-fields.ts'
import { once } from './once.ts'

/** What a {@link ContainerNetwork} is made from. */
export interface ContainerNetworkSpec {
  /** Unique on its host. */
  readonly name: string
  /** How it is made. Default `bridge`: a network of this host. */
  readonly driver?: string | undefined
  /** Its addresses: `172.30.0.0/24`. Default: some that are free. */
  readonly subnet?: string | undefined
  /** The address of the host in it. Default: the first. */
  readonly gateway?: string | undefined
  /** Nothing in it reaches the outside. Default false. */
  readonly internal?: boolean | undefined
  /** With addresses of IPv6. Default false. */
  readonly ipv6?: boolean | undefined
  /** For people and programs. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Of its driver. */
  readonly options?: Readonly<Record<string, string>> | undefined
}

/** Details of a {@link ContainerNetwork} as it is. */
export interface ContainerNetworkStatus {
  readonly exists: boolean
  readonly subnet?: string | undefined
  readonly containers?: readonly string[] | undefined
}

/** What other Scores may take from a {@link ContainerNetwork}. */
export interface ContainerNetworkOutputs {
  readonly id: string
}

const text = () =>
  z.string().refine((each) => each.isWellFormed() && !each.includes('\0'), 'is not text that can be kept')

const fields = () =>
  ({
    name: objectName('network').refine(
      (name) => !['default', 'bridge', 'host', 'none'].includes(name),
      'comes with the runtime',
    ),
    driver: z
      .string()
      .regex(/^[a-z][a-z0-9_./:-]*$/, 'is no name of a driver')
      .optional(),
    subnet: z
      .string()
      .refine((text) => is(text, z.cidrv4(), z.cidrv6()), 'must be a network such as 172.30.0.0/24')
      .optional(),
    gateway: z
      .string()
      .refine((text) => is(text, z.ipv4(), z.ipv6()), 'must be an IP address in subnet')
      .optional(),
    internal: z.boolean().optional(),
    ipv6: z.boolean().optional(),
    labels: labelNames(text()).optional(),
    options: z
      .record(z.string().regex(/^[a-z][a-zA-Z0-9_.-]*$/), text())
      .readonly()
      .optional(),
  }) satisfies { readonly [K in keyof Required<ContainerNetworkSpec>]: z.ZodType }

const schema = () =>
  z.strictObject(fields()).superRefine(({ subnet, gateway, ipv6 }, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (gateway !== undefined && subnet === undefined) issue('gateway', 'needs subnet: which one is it in?')
    if (subnet?.includes(':') && !ipv6) issue('subnet', 'is one of IPv6, so it needs ipv6: true')
  })

type Wanted = z.output<ReturnType<typeof schema>>

const keptSchema = once(() =>
  z.object({
    driver: z.string(),
    subnet: z.string().optional(),
    gateway: z.string().optional(),
    internal: z.boolean(),
    ipv6: z.boolean(),
    labels: z.record(z.string(), z.string()),
    options: z.record(z.string(), z.string()),
  }),
)

/**
 * A network: `ContainerNetwork({ name: 'backend', internal: true })`. Containers that are in it find each other by name.
 *
 * A network cannot be changed: where it differs it is made anew, and its containers are taken along; for that moment they do
 * not reach each other. Containers of somebody else are not cut off: then it is refused. On removal it goes, or what
 * was there before is made again.
 *
 * Fails with `refused` (a subnet that overlaps with another one, containers that are in it still), `unreachable`.
 */
export const ContainerNetwork: ScoreFactory<
  'ContainerNetwork',
  ContainerNetworkSpec,
  Needs<[typeof Containers]>,
  ContainerNetworkStatus,
  ContainerNetworkOutputs
> = defineScore({
  kind: 'ContainerNetwork',
  version: 1,
  spec: schema,
  needs: [Containers],
  identity: (spec) => spec.name,
  claims: ({ name }) => [claim.name('container-network', name)],
  interpret: {
    observe: (
      { name },
      { containers },
      { signal },
    ): Promise<{ readonly network: NetworkState | undefined }> =>
      containers.network(name, signal).then((network) => ({ network })),

    compare(spec, { network }) {
      if (!network) return [missing('network')]
      return differencesOf(spec, network.settings)
    },

    async converge(spec, { containers }, { state, progress }) {
      const { name } = spec
      const settings = settingsOf(spec)
      if (!state.network) return await containers.makeNetwork(name, settings)
      progress(`making ${name} anew`)
      await remake(state.network, settings, containers)
    },

    async keep(_, __, { network }) {
      return network ? (JSON.parse(JSON.stringify(network.settings)) as Json) : null
    },

    async remove({ spec: { name }, previous }, { containers }) {
      const network = await containers.network(name)
      const was = keptSchema().safeParse(previous).data
      if (!was) {
        if (network) await containers.removeNetwork(name)
        return
      }
      if (!network) await containers.makeNetwork(name, was)
      else if (JSON.stringify(sorted(network.settings)) !== JSON.stringify(sorted(was)))
        await remake(network, was, containers)
    },

    outputs: ({ network }): ContainerNetworkOutputs =>
      network ? { id: network.id } : ({} as ContainerNetworkOutputs),

    status: ({ network }): ContainerNetworkStatus =>
      network
        ? {
            exists: true,
            subnet: network.settings.subnet,
            containers: network.containers,
          }
        : { exists: false },
  },
})

function settingsOf({ name, ...spec }: Wanted): NetworkSettings {
  const { driver = 'bridge', subnet, gateway, internal = false, ipv6 = false } = spec
  const labels = { ...spec.labels, [madeByHarmony]: name }
  return { driver, subnet, gateway, internal, ipv6, labels, options: spec.options ?? {} }
}

function differencesOf(spec: Wanted, found: NetworkSettings): readonly Difference[] {
  const wanted = settingsOf(spec)
  const list: Difference[] = []
  const differ = (path: string, from: Json | undefined, to: Json | undefined) => {
    if (from !== to) list.push({ path, from: from ?? null, to: to ?? null, replaces: true })
  }
  for (const field of ['driver', 'internal', 'ipv6'] as const) differ(field, found[field], wanted[field])
  // Which addresses a network gets that does not say is the runtime's to choose.
  for (const field of ['subnet', 'gateway'] as const)
    if (wanted[field] !== undefined) differ(field, found[field], wanted[field])
  for (const field of ['labels', 'options'] as const)
    for (const key of new Set([...Object.keys(found[field]), ...Object.keys(wanted[field])]))
      if (key !== madeByHarmony) differ(`${field}.${key}`, found[field][key], wanted[field][key])
  return list
}

/** Another network of the same name, with the same containers in it. */
async function remake(
  { name, containers: members }: NetworkState,
  settings: NetworkSettings,
  containers: ContainerRuntime,
): Promise<void> {
  const states = await Promise.all(members.map((member) => containers.container(member)))
  const others = states.flatMap((state) =>
    state && state.settings.labels[madeByHarmony] === undefined ? [state.name] : [],
  )
  if (others.length > 0)
    throw new HarmonyError('refused', `${name} cannot be made anew: ${others.join(', ')} would be cut off`, {
      hint: 'they are not managed here: take them out of that network, or declare them as Containers',
      data: { network: name, containers: others },
    })
  for (const member of members) await containers.disconnect(member, name)
  await containers.removeNetwork(name)
  await containers.makeNetwork(name, settings)
  for (const state of states) {
    const use = state?.settings.networks.find((each) => each.name === name)
    if (state && use) await containers.connect(state.name, use)
  }
}

function sorted(settings: NetworkSettings): unknown {
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
