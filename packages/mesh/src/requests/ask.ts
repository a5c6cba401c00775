/** The asker's end of every carrier. */
import { randomBytes } from 'node:crypto'
import type { Json } from '@harmony-iac/core'
import { type ErrorDetails, HarmonyError, isHarmonyError } from '@harmony-iac/core/errors'
import type { Carrier } from './carrier.ts'
import { agentUnreachable, noAnswer, type Refusal, requestRefused } from './errors.ts'
import {
  contextOf,
  decode,
  encode,
  kinds,
  message,
  type Part,
  type Payload,
  type SealedError,
} from './messages.ts'
import { type AskerKeys, type AskOptions, type Question, type Requests, requestLimits } from './requests.ts'

/**
 * Asks over a carrier.
 *
 * @example
 * const requests = requestsOver(socketCarrier('/run/harmony/agent.sock'), keys)
 * for await (const part of requests.ask('kiosk-1', { verb: 'plan', params: {} }, { withinMs: 30_000 })) show(part)
 */
export function requestsOver(carrier: Carrier, keys: AskerKeys): Requests {
  return {
    ask: (agent, question, options) => ({
      [Symbol.asyncIterator]: () => ask(carrier, keys, agent, question, options),
    }),
  }
}

async function* ask(
  carrier: Carrier,
  keys: AskerKeys,
  agent: string,
  { verb, params }: Question,
  { withinMs, signal }: AskOptions,
): AsyncGenerator<Json, void> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), withinMs)
  const until = signal ? AbortSignal.any([signal, late.signal]) : late.signal
  let isAsked = false
  try {
    const challenge = await challengeOf(carrier, agent, until)
    const sealing = await keys.sealing(agent)
    const id = randomBytes(16).toString('base64url')
    const payload = encode({
      harmony: 1,
      agent,
      challenge: Buffer.from(challenge).toString('base64url'),
      id,
      verb,
      params,
      withinMs,
      sealTo: Buffer.from(sealing.key).toString('base64url'),
    } satisfies Payload)
    if (payload.byteLength > requestLimits.question) throw requestRefused('too-large', agent)
    const request = message(kinds.request, await keys.sign(payload))
    if (until.aborted) throw agentUnreachable(agent)
    isAsked = true
    let index = 0
    for await (const come of carrier.exchange(agent, request, until)) {
      if (until.aborted) break
      if (come[0] === kinds.refused) throw requestRefused(refusalOf(come), agent)
      const part = await opened(come, contextOf(id, index++), sealing.open.bind(sealing), agent)
      if ('end' in part) return
      if ('error' in part) throw new HarmonyError(part.error.code, part.error.message, asDetails(part.error))
      yield part.part
    }
    throw noAnswer('ended', agent)
  } catch (error) {
    if (signal?.aborted) throw interrupted(agent, error)
    if (late.signal.aborted)
      throw isAsked ? noAnswer('deadline', agent, error) : agentUnreachable(agent, error)
    throw isHarmonyError(error)
      ? error
      : isAsked
        ? noAnswer('ended', agent, error)
        : agentUnreachable(agent, error)
  } finally {
    clearTimeout(timer)
  }
}

async function challengeOf(carrier: Carrier, agent: string, signal: AbortSignal): Promise<Uint8Array> {
  for await (const come of carrier.exchange(agent, message(kinds.hello), signal)) {
    if (come[0] === kinds.challenge) return come.subarray(1)
    if (come[0] === kinds.refused) throw requestRefused(refusalOf(come), agent)
    break
  }
  throw agentUnreachable(agent)
}

async function opened(
  come: Uint8Array,
  context: string,
  open: (sealed: Uint8Array, context: string) => Uint8Array | Promise<Uint8Array>,
  agent: string,
): Promise<Part> {
  try {
    if (come[0] !== kinds.sealed) throw new TypeError('not a sealed message')
    return decode(await open(come.subarray(1), context)) as Part
  } catch (error) {
    throw noAnswer('forged', agent, error)
  }
}

function refusalOf(come: Uint8Array): Refusal {
  const known: readonly Refusal[] = [
    'unsigned',
    'garbled',
    'audience',
    'replayed',
    'stale',
    'too-large',
    'busy',
  ]
  const text = new TextDecoder().decode(come.subarray(1, 64))
  return known.find((reason) => text === JSON.stringify(reason)) ?? 'garbled'
}

function interrupted(agent: string, cause: unknown): HarmonyError {
  return new HarmonyError('interrupted', `nobody waits for ${agent} any more`, { cause, data: { agent } })
}

function asDetails({ hint, address, data }: SealedError): ErrorDetails {
  return { hint, address, data: data as ErrorDetails['data'] }
}
