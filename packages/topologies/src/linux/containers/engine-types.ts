/** The answers of a container engine, as far as they are read. Any field may be missing in some version. */
import type { ContainerState } from '@harmony-iac/core/capabilities'

/** Names and texts. */
export type Texts = Readonly<Record<string, string>>
/** Engines say nothing in both ways. */
export type Maybe<T> = T | null | undefined

/** How an engine writes a health check. Times are in nanoseconds. */
export interface EngineHealth {
  readonly Test?: Maybe<readonly string[]>
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly Retries?: number
}

/** What of a container comes from its image, or could. */
export interface EngineConfig {
  readonly Hostname?: string
  readonly User?: string
  readonly Env?: Maybe<readonly string[]>
  readonly Cmd?: Maybe<readonly string[]>
  readonly Entrypoint?: Maybe<readonly string[]>
  readonly WorkingDir?: string
  readonly Labels?: Maybe<Texts>
  readonly Healthcheck?: EngineHealth
  readonly StopSignal?: string
  readonly StopTimeout?: Maybe<number>
  readonly Image?: string
  readonly Tty?: boolean
}

/** An answer to `GET /images/NAME/json`. */
export interface EngineImage {
  readonly Id: string
  readonly RepoDigests?: Maybe<readonly string[]>
  readonly Size?: number
  readonly Config?: Maybe<EngineConfig>
}

/** An answer to `GET /containers/NAME/json`. */
export interface EngineContainer {
  readonly Id: string
  readonly Name: string
  readonly Image: string
  readonly RestartCount?: number
  readonly State: {
    readonly Status: ContainerState['status']
    readonly ExitCode?: number
    readonly OOMKilled?: boolean
    readonly Error?: string
    readonly StartedAt?: string
    readonly Health?: {
      readonly Status?: string
      readonly Log?: Maybe<readonly { readonly Output?: string }[]>
    }
  }
  readonly Config: EngineConfig
  readonly HostConfig: {
    readonly NetworkMode?: string
    readonly PortBindings?: Maybe<
      Readonly<Record<string, Maybe<readonly { readonly HostIp?: string; readonly HostPort?: string }[]>>>
    >
    readonly RestartPolicy?: { readonly Name?: string; readonly MaximumRetryCount?: number }
    readonly Memory?: number
    readonly NanoCpus?: number
    readonly PidsLimit?: Maybe<number>
    readonly CapAdd?: Maybe<readonly string[]>
    readonly CapDrop?: Maybe<readonly string[]>
    readonly ReadonlyRootfs?: boolean
    readonly Mounts?: Maybe<
      readonly {
        readonly Type: string
        readonly Target: string
        readonly TmpfsOptions?: { readonly SizeBytes?: number }
      }[]
    >
    readonly Tmpfs?: Maybe<Texts>
    readonly LogConfig?: { readonly Type?: string; readonly Config?: Maybe<Texts> }
  }
  readonly Mounts?: Maybe<
    readonly {
      readonly Type: string
      readonly Name?: string
      readonly Source?: string
      readonly Destination: string
      readonly RW?: boolean
    }[]
  >
  readonly NetworkSettings?: {
    readonly Networks?: Maybe<Readonly<Record<string, { readonly Aliases?: Maybe<readonly string[]> }>>>
  }
}

/** One of an answer to `GET /networks`. */
export interface EngineNetwork {
  readonly Name: string
  readonly Id: string
  readonly Driver?: string
  readonly Internal?: boolean
  readonly EnableIPv6?: boolean
  readonly IPAM?: {
    readonly Config?: Maybe<readonly { readonly Subnet?: string; readonly Gateway?: string }[]>
  }
  readonly Options?: Maybe<Texts>
  readonly Labels?: Maybe<Texts>
}

/** One of an answer to `GET /containers/json`. */
export interface Listed {
  readonly Id: string
  readonly Names?: Maybe<readonly string[]>
  readonly Ports?: Maybe<readonly { readonly PublicPort?: number }[]>
  readonly NetworkSettings?: EngineContainer['NetworkSettings']
}

/** One of an answer to `GET /volumes`. */
export interface EngineVolume {
  readonly Name: string
  readonly Driver?: string
  readonly Options?: Maybe<Texts>
  readonly Labels?: Maybe<Texts>
}
