/** The capability `containers` of a Linux host. What speaks to its engine is loaded for the first question: most passes ask none. */
import type { ContainerRuntime } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'

/** The containers of a Linux host, and its end. */
export interface LinuxContainers extends ContainerRuntime {
  /** Closes the connections; another use opens them again. */
  close(): Promise<void>
}

/** How {@link linuxContainers} reaches the engine. */
export interface LinuxContainersOptions {
  /** Default `/var/run/docker.sock`. */
  readonly socket?: string | undefined
}

type Method = (...given: unknown[]) => Promise<unknown>

/** The containers of a Linux host with a container engine. Every method is a promise, so each can wait for what does it. */
export function linuxContainers(host: Host, options: LinuxContainersOptions = {}): LinuxContainers {
  let loaded: Promise<LinuxContainers> | undefined
  const load = () => {
    loaded ??= import('./engine-containers.ts').then(({ engineContainers }) =>
      engineContainers(host, options),
    )
    return loaded
  }
  const methods = new Map<PropertyKey, Method>([['close', async () => await (await loaded)?.close()]])
  return new Proxy({} as LinuxContainers, {
    get(_, name) {
      // A promise that resolves with this must not take it for another one.
      if (name === 'then' || typeof name === 'symbol') return undefined
      const known = methods.get(name)
      if (known) return known
      const method: Method = async (...given) => {
        const runtime = (await load()) as unknown as Readonly<Record<string, Method>>
        return await runtime[name]?.(...given)
      }
      methods.set(name, method)
      return method
    },
  })
}
