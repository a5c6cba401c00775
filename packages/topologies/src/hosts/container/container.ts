/**
 * `inContainer('kiosk')`: a running container as a host, through the API of the Docker Engine that it runs in. For tests of
 * what will be applied to a machine, and for containers that are kept as machines are.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { lateHost } from '../late.ts'

/** Options of {@link inContainer}. */
export interface ContainerHostOptions {
  /** Who works there, as for `docker exec --user`: a name or a number, with a group if need be. Default that of its image. */
  readonly user?: string | undefined
  /** The path of the engine's socket. Default: what `DOCKER_HOST` says, else `/var/run/docker.sock`. */
  readonly socket?: string | undefined
  /** The machine whose engine it is, such as `ssh('pi@kiosk.local')`. Default this one. It is closed with the container. */
  readonly on?: Host | undefined
}

/**
 * A container by its name or id. It must run, and have a POSIX shell with the usual programs (coreutils or BusyBox);
 * for the ledger's lock flock(1) as well, to connect to sockets one of socat, perl, python3 and netcat-openbsd.
 * @throws HarmonyError `invalid-value` when no container has such a name.
 * @example
 * new PiTopology({ host: inContainer('kiosk') })
 * new PiTopology({ host: inContainer('player', { on: ssh('pi@kiosk.local') }) })
 */
export function inContainer(container: string, options: ContainerHostOptions = {}): Host {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(container))
    throw new HarmonyError('invalid-value', `${JSON.stringify(container)} is not the name of a container`, {
      hint: 'list those that there are: docker ps',
    })
  const { user, socket, on } = options
  const name = `container:${container}${on ? ` on ${on.name}` : ''}`
  return lateHost(
    name,
    async () => {
      const [{ containerHost }, { ContainerConnection }, { engineClient }] = await Promise.all([
        import('./host.ts'),
        import('./connection.ts'),
        import('./engine.ts'),
      ])
      return containerHost(
        name,
        async () =>
          await ContainerConnection.open({ docker: engineClient({ socket, on }), container, name, user }),
      )
    },
    async () => await on?.close(),
  )
}
