/**
 * `ssh('pi@kiosk.local')`: a host by the name under which its user knows it. The user's own configuration, agent, keys
 * and known hosts decide how it is reached and whether it is trusted, as they do for `ssh`.
 */
import type { Host } from '@harmony-iac/core/host'
import { parseDestination } from './destination.ts'
import { sshHost } from './host.ts'

/** Options of {@link ssh}. */
export interface SshOptions {
  /** As `ssh -F`: read instead of `~/.ssh/config` and `/etc/ssh/ssh_config`. */
  readonly configFile?: string | undefined
}

/**
 * The machine at an SSH destination: `pi@kiosk.local`, `kiosk:2222`, an alias of `~/.ssh/config`. Connects when it is first
 * used. Nothing has to be installed there but sshd with SFTP and what every Linux has.
 *
 * Its key must be in known_hosts (or `StrictHostKeyChecking` be `accept-new`); a key that has changed is refused. Keys with
 * a passphrase are used through an agent. `ProxyJump` is followed.
 * @throws HarmonyError `invalid-value` when this is no destination.
 * @example
 * new PiTopology({ host: ssh('pi@kiosk.local') })
 */
export function ssh(destination: string, options: SshOptions = {}): Host {
  parseDestination(destination) // a slip of the pen is told now, not when it is used
  // Loaded for the first connection: ssh2 and what it needs would be most of the start of a short command.
  return sshHost(destination, async () => (await import('./endpoint.ts')).endpointFor(destination, options))
}
