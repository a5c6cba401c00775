/** The agent's end of every carrier: who is heard, and how answers leave. */

import type { Json } from '@harmony-iac/core'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import { messageLimit, type Reply, type Serve } from './carrier.ts'
import { Challenges } from './challenges.ts'
import type { Refusal } from './errors.ts'
import {
  contextOf,
  encode,
  kinds,
  message,
  type Part,
  type Payload,
  payloadOf,
  refusal,
  sealable,
} from './messages.ts'
import { type AgentKeys, type Answer, requestLimits } from './requests.ts'

/** What an agent answers with. */
export interface AnswerOptions {
  /** Its own name; requests for others are refused. */
  readonly agent: string
  readonly keys: AgentKeys
  readonly answer: Answer
  /** How many requests it works on at the same time. Default: 16. */
  readonly atOnce?: number
  /** The latest deadline that is granted, in milliseconds. Default: an hour. */
  readonly longestMs?: number
  /** Milliseconds of a clock that only goes on. */
  readonly now?: () => number
}

/** What is given to a carrier to be served. */
export function answering(options: AnswerOptions): Serve {
  const { agent, keys, answer, atOnce = 16, longestMs = 3_600_000, now } = options
  const challenges = new Challenges(now)
  let working = 0

  /** The request, if it is one that is heard. Cheap checks first; the challenge is used up last. */
  async function heard(body: Uint8Array): Promise<(Payload & { readonly signer: string }) | Refusal> {
    let verified: Awaited<ReturnType<AgentKeys['verify']>>
    try {
      verified = await keys.verify(body)
    } catch {
      // Who is not trusted is not told what was wrong.
      return 'unsigned'
    }
    if (verified.payload.byteLength > requestLimits.question) return 'too-large'
    const payload = payloadOf(verified.payload)
    if (!payload) return 'garbled'
    if (payload.agent !== agent) return 'audience'
    if (working >= atOnce) return 'busy'
    const taken = challenges.take(Buffer.from(payload.challenge, 'base64url'))
    return taken === 'taken' ? { ...payload, signer: verified.signer } : taken
  }

  async function work(request: Payload & { readonly signer: string }, reply: Reply): Promise<void> {
    const { id, verb, params, signer } = request
    const sealTo = Buffer.from(request.sealTo, 'base64url')
    const ended = new AbortController()
    const timer = setTimeout(() => ended.abort(), Math.min(request.withinMs, longestMs))
    const signal = AbortSignal.any([reply.signal, ended.signal])
    let index = 0
    const send = async (part: Part) => {
      const plain = encode(part)
      if (plain.byteLength > requestLimits.part) throw tooLarge(plain.byteLength)
      await reply.send(message(kinds.sealed, await keys.seal(plain, sealTo, contextOf(id, index++))))
    }
    try {
      for await (const part of untilAborted(answer({ verb, params, signer }, signal), signal))
        await send({ part })
      if (!signal.aborted) await send({ end: true })
    } catch (error) {
      if (!signal.aborted) await send({ error: sealable(toHarmonyError(error)) })
    } finally {
      clearTimeout(timer)
      // Whatever the work has started ends with it.
      ended.abort()
    }
  }

  return async (come, reply) => {
    try {
      if (come.byteLength > messageLimit) return await reply.send(refusal('too-large'))
      if (come[0] === kinds.hello) return await reply.send(message(kinds.challenge, challenges.give()))
      if (come[0] !== kinds.request) return await reply.send(refusal('garbled'))
      const request = await heard(come.subarray(1))
      if (typeof request === 'string') return await reply.send(refusal(request))
      working++
      try {
        await work(request, reply)
      } finally {
        working--
      }
    } catch {
      // Nobody is there to be told: the carrier has lost the asker, or its key cannot be sealed to.
    }
  }
}

/** Leaves work behind that does not heed the signal: it would hold up whatever waits for the end. */
async function* untilAborted(parts: AsyncIterable<Json>, signal: AbortSignal): AsyncGenerator<Json, void> {
  const iterator = parts[Symbol.asyncIterator]()
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  try {
    while (!signal.aborted) {
      const next = iterator.next()
      next.catch(() => {})
      const come = await Promise.race([next, aborted])
      if (come === undefined || come.done) return
      yield come.value
    }
  } finally {
    // Not waited for, and nobody is left who could be told how it ends.
    iterator.return?.()?.catch(() => {})
  }
}

function tooLarge(size: number): HarmonyError {
  return new HarmonyError(
    'refused',
    `a part of the answer has ${size} bytes, and ${requestLimits.part} can be sent`,
    {
      hint: 'ask for less at a time',
      data: { size, limit: requestLimits.part },
    },
  )
}
