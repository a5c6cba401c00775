/** Rules about answers: streams, sizes, ends. */
import type { Json } from '@harmony-iac/core'
import { HarmonyError } from '@harmony-iac/core/errors'
import { requestLimits } from '../requests/requests.ts'
import { demand, demandFailure, demandSame, within } from './demand.ts'
import type { RequestRule } from './requests-conformance.ts'

/** Resolves when told to. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** An answer that never ends; `ended` resolves when it is told that nobody waits. */
function endless() {
  const ended = gate()
  const answer = async function* (_: unknown, signal: AbortSignal): AsyncGenerator<Json> {
    yield 'first'
    await aborted(signal)
    ended.open()
  }
  return { answer, ended: within(ended.passed, 'the end of the work') }
}

/** Each with the check. */
export const answerRules: readonly RequestRule[] = [
  [
    'a question arrives as it was asked, with its signer, and the answer in order',
    async (scene) => {
      await scene.answer(async function* ({ params }) {
        yield params
        for (let i = 0; i < 100; i++) yield i
      })
      const params = { text: 'ä\0"', list: [1, null, { deep: true }] }
      demandSame(
        await scene.ask({ verb: 'plan', params }),
        [params, ...Array.from({ length: 100 }, (_, i) => i)],
        'the answer',
      )
      demandSame(scene.received, [{ verb: 'plan', params, signer: 'operator' }], 'what the agent received')
    },
  ],
  [
    'an answer may be empty',
    async (scene) => {
      await scene.answer(async function* () {})
      demandSame(await scene.ask(), [], 'the answer')
    },
  ],
  [
    'a part is there before the next is made',
    async (scene) => {
      const seen = gate()
      await scene.answer(async function* () {
        yield 'first'
        await within(seen.passed, 'the first part at the asker')
        yield 'second'
      })
      const parts: Json[] = []
      const asked = scene.requests().ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 10_000 })
      for await (const part of asked) {
        parts.push(part)
        seen.open()
      }
      demandSame(parts, ['first', 'second'], 'the answer')
    },
  ],
  [
    'questions and parts are as large as the limits, and not larger',
    async (scene) => {
      await scene.answer(async function* ({ params }) {
        yield 'x'.repeat(requestLimits.part - 100)
        if (params === 'too much') yield 'x'.repeat(requestLimits.part)
      })
      const large = 'y'.repeat(requestLimits.question - 1000)
      demandSame((await scene.ask({ params: large })).length, 1, 'parts')
      demandSame(scene.received[0]?.params, large, 'the params')
      const { data } = await demandFailure(
        () => scene.ask({ params: `${large}${large}` }),
        'request-refused',
        'asking',
      )
      demandSame(data.reason, 'too-large', 'the reason')
      await demandFailure(() => scene.ask({ params: 'too much' }), 'refused', 'a part that is too large')
    },
  ],
  [
    'many ask at once, and each gets its own answer',
    async (scene) => {
      await scene.answer(async function* ({ params }) {
        for (let i = 0; i < 20; i++) yield [params, i]
      })
      const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => scene.ask({ params: i })))
      for (const [i, parts] of answers.entries())
        demandSame(
          parts,
          Array.from({ length: 20 }, (_, j) => [i, j]),
          `the answer to ${i}`,
        )
    },
  ],
  [
    'who asks for too much at once is told that the agent is busy',
    async (scene) => {
      const { answer } = endless()
      await scene.answer(answer)
      const asked = Array.from({ length: 16 }, () => {
        const iterator = scene.requests().ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 30_000 })
        return iterator[Symbol.asyncIterator]()
      })
      await Promise.all(asked.map((iterator) => iterator.next()))
      const { data } = await demandFailure(() => scene.ask(), 'request-refused', 'one too many')
      demandSame(data.reason, 'busy', 'the reason')
      for (const iterator of asked) await iterator.return?.()
    },
  ],
  [
    'an error of the work is the asker\u2019s, after the parts before it',
    async (scene) => {
      await scene.answer(async function* ({ params }) {
        yield 'first'
        if (params) throw new TypeError('a fault')
        throw new HarmonyError('plan-stale', 'it moved', {
          hint: 'plan again',
          address: 'File:/a',
          data: { n: 1 },
        })
      })
      const parts: Json[] = []
      const failed = await demandFailure(
        async () => {
          const asked = scene.requests().ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 10_000 })
          for await (const part of asked) parts.push(part)
        },
        'plan-stale',
        'the answer',
      )
      demandSame(parts, ['first'], 'the parts')
      const { message, hint, address, data } = failed
      demandSame([message, hint, address, data], ['it moved', 'plan again', 'File:/a', { n: 1 }], 'the error')
      await demandFailure(() => scene.ask({ params: true }), 'internal', 'a fault')
    },
  ],
  [
    'leaving the loop ends the work',
    async (scene) => {
      const { answer, ended } = endless()
      await scene.answer(answer)
      for await (const part of scene
        .requests()
        .ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 60_000 }))
        if (part === 'first') break
      await ended
    },
  ],
  [
    'aborting ends the work and the wait',
    async (scene) => {
      const { answer, ended } = endless()
      await scene.answer(answer)
      const cancel = new AbortController()
      const asked = scene
        .requests()
        .ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 60_000, signal: cancel.signal })
      await demandFailure(
        async () => {
          for await (const part of asked) if (part === 'first') cancel.abort()
        },
        'interrupted',
        'the answer',
      )
      await ended
      await demandFailure(
        () => scene.ask({}, { signal: AbortSignal.abort() }),
        'interrupted',
        'asking after it',
      )
      demandSame(scene.received.length, 1, 'requests')
    },
  ],
  [
    'the deadline ends the work and the wait, also of work that does not heed it',
    async (scene) => {
      const { answer, ended } = endless()
      await scene.answer(answer)
      const { data } = await demandFailure(() => scene.ask({}, { withinMs: 1000 }), 'no-answer', 'the answer')
      demandSame(data.reason, 'deadline', 'the reason')
      await ended
      const deaf = await scene.answer(async function* () {
        await new Promise(() => {})
        yield null
      })
      await demandFailure(() => scene.ask({}, { withinMs: 1000 }), 'no-answer', 'the answer of the deaf')
      await within(deaf.close(), 'closing')
    },
  ],
  [
    'an agent that goes away in the middle is noticed',
    async (scene) => {
      const { answer, ended } = endless()
      const listening = await scene.answer(answer)
      const parts: Json[] = []
      const { data } = await demandFailure(
        async () => {
          const asked = scene.requests().ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 60_000 })
          for await (const part of asked) {
            parts.push(part)
            await listening.close()
          }
        },
        'no-answer',
        'the answer',
      )
      demandSame([parts, data.reason], [['first'], 'ended'], 'parts and reason')
      await ended
    },
  ],
  [
    'where nobody listens, nobody was asked',
    async (scene) => {
      await demandFailure(() => scene.ask(), 'unreachable', 'asking nobody')
      await (await scene.answer(async function* () {})).close()
      await demandFailure(() => scene.ask(), 'unreachable', 'asking somebody who has left')
    },
  ],
  [
    'who reads slowly holds the work up',
    async (scene) => {
      let made = 0
      const total = 400
      await scene.answer(async function* () {
        for (; made < total; made++) yield 'x'.repeat(100_000)
      })
      let read = 0
      let ahead = 0
      const asked = scene.requests().ask('kiosk-1', { verb: 'v', params: null }, { withinMs: 60_000 })
      for await (const _ of asked) {
        read++
        // Turns of the event loop in which the agent could go on.
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
        ahead = Math.max(ahead, made - read)
      }
      demandSame(read, total, 'parts')
      demand(ahead < 40, `${ahead} parts of 100 KB were under way`)
    },
  ],
]
