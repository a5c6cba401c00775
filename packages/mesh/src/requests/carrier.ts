/**
 * What carries requests: it moves messages and understands none. Nothing that it does, or that is done to it, is trusted.
 */

/** The largest message in bytes. NATS takes 1 MiB with its headers. */
export const messageLimit = 1_000_000

/** The asker's end. */
export interface Carrier {
  /**
   * Carries one message to an agent, and back what it says, until it ends. Aborting the signal, or leaving the loop, tells
   * the agent so where the carrier can. An end that was not meant looks as one that was.
   * @throws HarmonyError `unreachable` when it was not carried.
   */
  exchange(agent: string, message: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** The agent's end of one exchange. */
export interface Reply {
  /** Resolves when more may be sent; rejects when nobody listens any more. */
  send(message: Uint8Array): Promise<void>
  /** Aborted when nobody listens any more, as far as the carrier can know. */
  readonly signal: AbortSignal
}

/** What an agent does with a message; the exchange ends when it resolves. It does not reject. */
export type Serve = (message: Uint8Array, reply: Reply) => Promise<void>

/** An agent that listens. */
export interface Listening extends AsyncDisposable {
  /** Takes no more messages, and aborts what is under way. */
  close(): Promise<void>
}
