/**
 * `ssh('pi@kiosk.local')`: a host by the name under which its user knows it. The user's own configuration, agent, keys
 * and known hosts decide how it is reached and whether it is trusted, as they do for `ssh`.
 */
import type { Secret } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import { lateHost } from '../late.ts'
import { parseDestination } from './destination.ts'

/** Options of {@link ssh}. */
export interface SshOptions {
  /** As `ssh -F`: read instead of `~/.ssh/config` and `/etc/ssh/ssh_config`. */
  readonly configFile?: string | undefined
  /**
   * Works as root, by sudo(8), whoever logs in: files, programs, sockets, the lock, and the ledger, which is root's then
   * (`/var/lib/harmony`). `true` asks for the password where sudo wants one. Has no effect on who is root already.
   * Default false: whoever logs in does the work, and changes what they may change.
   */
  readonly sudo?: boolean | SudoOptions | undefined
  /** The password to log in with where no key will do. Default: asked for, on a terminal. */
  readonly password?: Secret | undefined
}

/** How root is become. */
export interface SudoOptions {
  /** What sudo is to be told. Default: asked for, on a terminal; none is needed where sudo wants none. */
  readonly password?: Secret | undefined
}

/**
 * The machine at an SSH destination: `pi@kiosk.local`, `kiosk:2222`, an alias of `~/.ssh/config`. Connects when it is first
 * used. Nothing has to be installed there but sshd with SFTP and what every Linux has.
 *
 * Its key must be in known_hosts, or `StrictHostKeyChecking` be `accept-new`, or somebody at the terminal vouch for it; a
 * key that has changed is refused. Passphrases and passwords are asked for once. `ProxyJump` is followed.
 * @throws HarmonyError `invalid-value` when this is no destination.
 * @example
 * new PiTopology({ host: ssh('pi@kiosk.local', { sudo: true }) })
 */
export function ssh(destination: string, options: SshOptions = {}): Host {
  parseDestination(destination) // a slip of the pen is told now, not when it is used
  const { sudo = false } = options
  // ssh2 and what it needs would be most of the start of a short command.
  return lateHost(destination, async () => {
    const [{ sshHost }, { endpointFor, sudoPassword }] = await Promise.all([
      import('./host.ts'),
      import('./endpoint.ts'),
    ])
    return sshHost(
      destination,
      async () => endpointFor(destination, options),
      sudo === false ? undefined : sudoPassword(sudo === true ? undefined : sudo.password),
    )
  })
}
