/** What the agent does by itself, whatever its carrier tells it; the rest is in the conformance suite. */
import { expect, test } from 'vitest'
import { testKeys } from '../testing/test-keys.ts'
import { answering } from './answer.ts'
import type { Serve } from './carrier.ts'
import { encode, kinds, message, type Payload } from './messages.ts'

const keys = testKeys()

/** What an agent sends back over a carrier that never notices that nobody listens. */
async function exchange(serve: Serve, come: Uint8Array): Promise<readonly Uint8Array[]> {
  const replies: Uint8Array[] = []
  await serve(come, {
    signal: new AbortController().signal,
    send: async (reply) => {
      replies.push(reply)
    },
  })
  return replies
}

/** A good request, but for what is said. */
async function request(serve: Serve, changes: Partial<Payload> = {}): Promise<Uint8Array> {
  const [challenge] = await exchange(serve, message(kinds.hello))
  const sealing = await keys.asker.sealing('a')
  const payload: Payload = {
    harmony: 1,
    agent: 'a',
    challenge: Buffer.from(challenge?.subarray(1) ?? []).toString('base64url'),
    id: 'one',
    verb: 'v',
    params: null,
    withinMs: 20,
    sealTo: Buffer.from(sealing.key).toString('base64url'),
    ...changes,
  }
  return message(kinds.request, await keys.asker.sign(encode(payload)))
}

test.each([
  ['that the asker has set', 20, 3_600_000],
  ['that it grants at most', 3_600_000, 20],
])(
  'an agent ends its work at the deadline %s, although nobody tells it to',
  async (_, withinMs, longestMs) => {
    let aborted = false
    const serve = answering({
      agent: 'a',
      keys: keys.agent,
      longestMs,
      answer: async function* (_, signal) {
        yield 'first'
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        aborted = true
      },
    })
    const replies = await exchange(serve, await request(serve, { withinMs }))
    expect(replies.map(([kind]) => kind)).toEqual([kinds.sealed])
    expect(aborted).toBe(true)
  },
)

test('a request whose key nothing can be sealed to ends the exchange, and its work, and nothing else', async () => {
  let ended = 0
  const serve = answering({
    agent: 'a',
    keys: keys.agent,
    atOnce: 1,
    answer: async function* () {
      try {
        yield 'first'
        yield 'second'
      } finally {
        ended++
      }
    },
  })
  expect(await exchange(serve, await request(serve, { sealTo: 'none', withinMs: 10_000 }))).toEqual([])
  expect(ended).toBe(1)
  expect(await exchange(serve, await request(serve, { withinMs: 10_000 }))).toHaveLength(3)
})
