/**
 * What can be done over a connection, and as whom: as whoever has logged in, or as root by sudo. Everything of a host
 * stands on this.
 */
import type { Duplex } from 'node:stream'
import type { ClientChannel, SFTPWrapper } from 'ssh2'
import type { SessionOptions } from '../sessions.ts'
import type { Connection } from './connection.ts'
import { commandLine } from './quote.ts'

/** A way to work over a connection. */
export interface Access {
  readonly connection: Connection
  /** Runs a program, as {@link Connection.session} does. */
  session<T>(
    argv: readonly [string, ...string[]],
    use: (channel: ClientChannel) => T,
    options?: SessionOptions,
  ): Promise<T>
  /** Opened once, for all that is done with files. */
  sftp(): Promise<SFTPWrapper>
  /** Connects to a unix socket on the host. */
  dial(socketPath: string): Promise<Duplex>
}

/** As whoever has logged in. */
export function ownAccess(connection: Connection): Access {
  let sftp: Promise<SFTPWrapper> | undefined
  return {
    connection,
    session: (argv, use, options) => connection.session(commandLine(argv), use, options),
    sftp() {
      sftp ??= connection.sftp()
      return sftp
    },
    dial: (socketPath) => connection.forward(socketPath),
  }
}
