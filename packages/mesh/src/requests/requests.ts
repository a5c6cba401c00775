/**
 * The port by which a control plane asks an agent something now (a plan, an explanation, logs, to pause) instead of
 * writing down what it wants. What carries the messages, a socket or a broker, need not be trusted.
 */
import type { Json } from '@harmony-iac/core'

/** What is asked. */
export interface Question {
  readonly verb: string
  readonly params: Json
}

/** How long, and until when. */
export interface AskOptions {
  /** The deadline from now, in milliseconds; for the asker and for the agent, each by its own clock that only goes on. */
  readonly withinMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * The asker's end. What holds for every one:
 *
 * **Requests** are signed for one agent and one use: the agent has given a challenge first. A copy of a request, one for
 * another agent, a changed one, or one whose signer the agent does not trust is refused. No clock is compared, so a device
 * without one neither refuses nor accepts by accident, also after a restart.
 *
 * **Answers** come in parts, each as soon as it is there and sealed to a key of this request by the key of that agent. A part
 * that was changed, left out, repeated, moved, made up, or taken from another answer is noticed, and so is an end that
 * comes too early.
 *
 * **Who reads slowly** holds the agent up: between them only a bounded amount is under way.
 *
 * **The end** of either side is noticed by the other, at the latest at the deadline. Leaving the loop, aborting the signal and
 * the deadline abort the agent's work.
 *
 * Failures are `HarmonyError`s: `unreachable` when nobody was asked; `request-refused` when the agent says that it
 * has done nothing; `no-answer` when it may have done what was asked, or part of it; `interrupted` when the signal was
 * aborted; and whatever the agent's own work failed with. A refusal is not sealed, since who is refused may be
 * anybody: a broker that makes one up withholds the answer.
 */
export interface Requests {
  /** Asks when it is iterated, and each time anew. */
  ask(agent: string, question: Question, options: AskOptions): AsyncIterable<Json>
}

/** A question as it reaches the agent. */
export interface Received extends Question {
  /** Who has signed it, as {@link AgentKeys.verify} names them. What they may ask is for the {@link Answer} to judge. */
  readonly signer: string
}

/**
 * The agent's work on a question: the parts of the answer. An error that it throws is the asker's. The signal is aborted
 * when nobody waits for it any more.
 */
export type Answer = (question: Received, signal: AbortSignal) => AsyncIterable<Json>

/** What an asker needs to be believed, and to read answers. */
export interface AskerKeys {
  /** An envelope around the payload that proves who asks. */
  sign(payload: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** A new key for the answer to one request to that agent. */
  sealing(agent: string): Sealing | Promise<Sealing>
}

/** The asker's half of a seal. */
export interface Sealing {
  /** For the agent: what it seals to. */
  readonly key: Uint8Array
  /** @throws unless that very agent has sealed it to this key in this context. */
  open(sealed: Uint8Array, context: string): Uint8Array | Promise<Uint8Array>
}

/** What an agent needs to know who asks, and to be believed. */
export interface AgentKeys {
  /** @throws unless somebody whom the agent trusts has signed it. */
  verify(envelope: Uint8Array): Verified | Promise<Verified>
  /** Only who holds the other half of the key can read it, and sees that this agent has sealed it in this context. */
  seal(plain: Uint8Array, to: Uint8Array, context: string): Uint8Array | Promise<Uint8Array>
}

/** What was signed, and by whom. */
export interface Verified {
  readonly payload: Uint8Array
  readonly signer: string
}

/** In bytes; the same for every carrier. Signing and sealing may add up to a half. */
export const requestLimits: { readonly question: number; readonly part: number } = {
  question: 256 * 1024,
  part: 512 * 1024,
}
