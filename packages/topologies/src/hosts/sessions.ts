/**
 * What running programs and holding a lock at a distance stand on: a connection that runs command lines, whatever
 * carries it. SSH has it by nature; for a container the engine's `exec` is made to look like it.
 */
import type { Duplex, Readable } from 'node:stream'

/** A program that runs at the far end: its standard input and output. Emits `exit` (code, signal) before `close`. */
export interface SessionChannel extends Duplex {
  readonly stderr: Readable
}

/**
 * What a program is run for: to end by itself, to last as long as the connection, to hand on what a socket says, or to end
 * another one, which waits for nobody.
 */
export type SessionUse = 'program' | 'lasting' | 'socket' | 'urgent'

/** How a session is asked for. */
export interface SessionOptions {
  /** Default `program`. */
  readonly use?: SessionUse
}

/** A connection that programs are run over. */
export interface Sessions {
  readonly connection: {
    readonly endpoint: { readonly name: string }
    /** Aborted when the connection has ended, with the reason. */
    readonly lost: AbortSignal
    /** What a request ends with when the connection does. */
    failure(): unknown
  }
  /** Runs a program; `use` gets the channel as soon as there is one. */
  session<T>(
    argv: readonly [string, ...string[]],
    use: (channel: SessionChannel) => T,
    options?: SessionOptions,
  ): Promise<T>
}
