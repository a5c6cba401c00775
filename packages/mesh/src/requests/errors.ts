/** How asking fails. */
import { HarmonyError } from '@harmony-iac/core/errors'

/** Why an agent has refused. */
export type Refusal =
  /** Nobody whom it trusts has signed it. */
  | 'unsigned'
  /** It is not a request. */
  | 'garbled'
  /** It is for another agent. */
  | 'audience'
  /** It was asked before. */
  | 'replayed'
  /** Its challenge is too old, or of an earlier run of the agent. */
  | 'stale'
  | 'too-large'
  /** It is at work on as many as it takes. */
  | 'busy'

/** Why there is no answer, or no end of it. */
export type Silence =
  | 'deadline'
  /** The connection ended, or the agent did. */
  | 'ended'
  /** What came is not from that agent, or not all of it, or not in order. */
  | 'forged'

const hints: Readonly<Record<Refusal, string>> = {
  unsigned: 'let the agent trust this key, or sign with one that it trusts',
  garbled: 'use versions of Harmony that know each other',
  audience: 'ask by the name that the agent has in its own configuration',
  replayed: 'ask again; if nobody else has asked this, somebody copies requests',
  stale: 'ask again',
  'too-large': 'ask for less at a time',
  busy: 'ask again later',
}

/** The agent has done nothing. */
export function requestRefused(reason: Refusal, agent: string): HarmonyError {
  return new HarmonyError('request-refused', `${agent} refuses the request: ${reason}`, {
    hint: hints[reason],
    data: { reason, agent },
  })
}

/** The agent may have done what was asked. */
export function noAnswer(reason: Silence, agent: string, cause?: unknown): HarmonyError {
  const what = {
    deadline: `${agent} has not answered in time`,
    ended: `${agent} has not answered to the end`,
    forged: `what came back is not what ${agent} has answered`,
  }[reason]
  const hint =
    reason === 'forged'
      ? 'look at what lies between: somebody changes messages, or the pinned key is not the agent\u2019s'
      : 'look at its status before asking again'
  return new HarmonyError('no-answer', what, { hint, cause, data: { reason, agent } })
}

/** Nobody was asked. */
export function agentUnreachable(agent: string, cause?: unknown): HarmonyError {
  return new HarmonyError('unreachable', `${agent} does not answer`, {
    hint: 'see whether the agent runs, and whether this user may reach it',
    cause,
    data: { agent },
  })
}
