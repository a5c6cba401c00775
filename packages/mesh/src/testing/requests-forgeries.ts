/** Rules about those who must not be heard, and answers that must not be believed. */
import type { Json } from '@harmony-iac/core'
import { kinds, message } from '../requests/messages.ts'
import { demand, demandFailure, demandSame } from './demand.ts'
import type { RequestRule, Scene } from './requests-conformance.ts'

async function* three(): AsyncGenerator<Json> {
  yield 'one'
  yield 'two'
  yield 'three'
}

/** The messages of an exchange that is a request's, as they come back. */
function onAnswers(change: (messages: Uint8Array[]) => readonly Uint8Array[]) {
  return {
    replies: async function* (messages: AsyncIterable<Uint8Array>) {
      const all: Uint8Array[] = []
      for await (const each of messages) all.push(each)
      yield* all[0]?.[0] === kinds.challenge ? all : change(all)
    },
  }
}

/** Only what the asker signs is changed, not its asking for a challenge. */
function onRequests(change: (message: Uint8Array) => Uint8Array) {
  return { request: (each: Uint8Array) => (each[0] === kinds.request ? change(each) : each) }
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

async function demandRefused(asking: () => Promise<unknown>, reason: string, what: string): Promise<void> {
  const { data } = await demandFailure(asking, 'request-refused', what)
  demandSame(data.reason, reason, `the reason of the refusal of ${what}`)
}

async function demandUnheard({ received }: Scene, count = 0): Promise<void> {
  demandSame(received.length, count, 'requests that the agent has worked on')
}

/** Each with the check. */
export const forgeryRules: readonly RequestRule[] = [
  [
    'a request that nobody trusted has signed is refused',
    async (scene) => {
      await scene.answer(three)
      const requests = scene.requests({}, scene.keys.stranger)
      await demandRefused(() => scene.ask({}, { requests }), 'unsigned', 'a stranger')
      await demandUnheard(scene)
    },
  ],
  [
    'a request that was changed on its way is refused, wherever it was changed',
    async (scene) => {
      await scene.answer(three)
      for (const at of [1, 40, 66, 120, 200]) {
        const requests = scene.requests(onRequests((each) => flipped(each, at)))
        await demandRefused(() => scene.ask({}, { requests }), 'unsigned', `a request changed at byte ${at}`)
      }
      await demandUnheard(scene)
    },
  ],
  [
    'what is no request is refused, and the agent goes on',
    async (scene) => {
      await scene.answer(three)
      const garbage: readonly (readonly [Uint8Array, string])[] = [
        [new Uint8Array(), 'garbled'],
        [message(0), 'garbled'],
        [message(0xff, new Uint8Array(1000)), 'garbled'],
        [message(kinds.sealed, new Uint8Array(10)), 'garbled'],
        [message(kinds.request), 'unsigned'],
        [message(kinds.request, new Uint8Array(300_000)), 'unsigned'],
      ]
      for (const [bytes, reason] of garbage) {
        const requests = scene.requests(onRequests(() => bytes))
        await demandRefused(() => scene.ask({}, { requests }), reason, `${bytes.byteLength} bytes`)
      }
      await demandUnheard(scene)
      demandSame((await scene.ask()).length, 3, 'the answer to a good one')
    },
  ],
  [
    'what is signed and is no request is refused',
    async (scene) => {
      await scene.answer(three)
      const { sign } = scene.keys.asker
      const bodies = [
        '',
        '{}',
        'null',
        '[]',
        '{"harmony":1}',
        '{"harmony":2,"agent":"kiosk-1"}',
        '{"__proto__":{}}',
      ]
      for (const body of bodies) {
        const envelope = await sign(new TextEncoder().encode(body))
        const requests = scene.requests(onRequests(() => message(kinds.request, envelope)))
        await demandRefused(() => scene.ask({}, { requests }), 'garbled', JSON.stringify(body))
      }
      await demandUnheard(scene)
    },
  ],
  [
    'a request for another agent is refused',
    async (scene) => {
      await scene.answer(three, 'kiosk-2')
      await demandRefused(() => scene.ask(), 'audience', 'a request for kiosk-1')
      await demandUnheard(scene)
    },
  ],
  [
    'a copy of a request is refused, also by the agent\u2019s next run',
    async (scene) => {
      const listening = await scene.answer(three)
      let copied: Uint8Array | undefined
      const copying = onRequests((each) => {
        copied ??= each
        return copied
      })
      await scene.ask({}, { requests: scene.requests(copying) })
      await demandRefused(() => scene.ask({}, { requests: scene.requests(copying) }), 'replayed', 'a copy')
      await listening.close()
      await scene.answer(three)
      await demandRefused(
        () => scene.ask({}, { requests: scene.requests(copying) }),
        'stale',
        'a copy of before',
      )
      await demandUnheard(scene, 1)
    },
  ],
  [
    'an answer that was changed, cut, repeated, reordered or made up is not believed',
    async (scene) => {
      await scene.answer(three)
      const changes: Readonly<Record<string, (all: Uint8Array[]) => readonly Uint8Array[]>> = {
        changed: ([one = message(0), ...rest]) => [flipped(one, one.byteLength - 1), ...rest],
        'without its first part': ([, ...rest]) => rest,
        'without its second part': ([one = message(0), , ...rest]) => [one, ...rest],
        'ended early': ([one = message(0), two = message(0), , end = message(0)]) => [one, two, end],
        repeated: ([one = message(0), ...rest]) => [one, one, ...rest],
        reordered: ([one = message(0), two = message(0), ...rest]) => [two, one, ...rest],
        'made up': () => [message(kinds.sealed, new Uint8Array(64))],
        'of another kind': () => [message(kinds.challenge, new Uint8Array(56))],
        empty: () => [new Uint8Array()],
      }
      for (const [what, change] of Object.entries(changes)) {
        const requests = scene.requests(onAnswers(change))
        const { data } = await demandFailure(
          () => scene.ask({}, { requests }),
          'no-answer',
          `an answer ${what}`,
        )
        demandSame(data.reason, 'forged', `the reason, when ${what}`)
      }
    },
  ],
  [
    'an answer without its end is not taken for a whole one',
    async (scene) => {
      await scene.answer(three)
      for (const count of [0, 1, 3]) {
        const requests = scene.requests(onAnswers((all) => all.slice(0, count)))
        const { data } = await demandFailure(() => scene.ask({}, { requests }), 'no-answer', `${count} parts`)
        demandSame(data.reason, 'ended', 'the reason')
      }
    },
  ],
  [
    'the answer to another request is not believed, not even when both are sealed to one key',
    async (scene) => {
      await scene.answer(three)
      const sealing = await scene.keys.asker.sealing('kiosk-1')
      const keys = { ...scene.keys.asker, sealing: () => sealing }
      let first: readonly Uint8Array[] | undefined
      const swapping = onAnswers((all) => {
        first ??= all
        return first
      })
      demandSame(
        (await scene.ask({}, { requests: scene.requests(swapping, keys) })).length,
        3,
        'the first answer',
      )
      const again = () => scene.ask({}, { requests: scene.requests(swapping, keys) })
      const { data } = await demandFailure(again, 'no-answer', 'the second answer')
      demandSame(data.reason, 'forged', 'the reason')
    },
  ],
  [
    'nothing of an answer can be read on the way, nor who is refused learn why a signature is none',
    async (scene) => {
      const carried: string[] = []
      const reading = onAnswers((all) => {
        carried.push(...all.map((each) => Buffer.from(each).toString('latin1')))
        return all
      })
      await scene.answer(async function* () {
        yield 'confidential'
        throw new TypeError('confidential')
      })
      await demandFailure(
        () => scene.ask({}, { requests: scene.requests(reading) }),
        'internal',
        'the answer',
      )
      demand(carried.length === 2, `${carried.length} messages were carried, not 2`)
      demand(!carried.some((text) => text.includes('confidential')), 'an answer was carried in clear')
    },
  ],
]
