/** A carrier that cannot be trusted: it changes what it carries, as it is told to. */
import type { Carrier } from '../requests/carrier.ts'

/** What is done to the messages of an exchange, by their order. */
export interface Tampering {
  /** What is carried instead of the asker's message. */
  request?(message: Uint8Array): Uint8Array
  /** What is carried back instead of the agent's messages. */
  replies?(messages: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

/** Carries by way of `tampering`. */
export function tamperedCarrier(carrier: Carrier, tampering: Tampering): Carrier {
  return {
    exchange: (agent, message, signal) => {
      const carried = carrier.exchange(agent, tampering.request?.(message) ?? message, signal)
      return tampering.replies?.(carried) ?? carried
    },
  }
}
