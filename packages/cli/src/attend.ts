/**
 * The terminal as whoever can be asked: for hosts that want a password, or show a key that nobody knows. One question at a
 * time, each with the name of its host, and nothing else moves meanwhile.
 */
import type { Secret } from '@harmony-iac/core'
import { attend } from '@harmony-iac/core/attendant'
import type { Sources } from '@harmony-iac/core/engine'
import type { Context } from './context.ts'
import { sanitize, sanitizeLine } from './render/sanitize.ts'

/** From now on hosts ask here. `secret` finds what they are given by reference. */
export function attendHere({ io, interrupts, reporter }: Context, secret: Sources['secret']): void {
  let last: Promise<unknown> = Promise.resolve()
  const valueOfSecret = async ({ $secret, ...from }: Secret): Promise<string> => {
    if (typeof $secret === 'string') return await secret({ ...from, $secret })
    let text = ''
    for (const piece of $secret) text += typeof piece === 'string' ? piece : await valueOfSecret(piece)
    return text
  }
  attend({
    get present() {
      return io.canAnswer
    },
    ask({ about, introduction, prompt, hidden }) {
      const mine = last.then(async () => {
        interrupts.throwIfInterrupted()
        const who = sanitizeLine(about)
        const before = introduction === undefined ? '' : `${who}: ${sanitize(introduction)}\n`
        const text = `${before}${who}: ${sanitizeLine(prompt)}: `
        const signal = AbortSignal.any([interrupts.reading, interrupts.stop])
        const answer = await reporter.aside(() => io.answer({ text, hidden }, signal))
        interrupts.throwIfInterrupted()
        return answer
      })
      last = mine.catch(() => {})
      return mine
    },
    secret: valueOfSecret,
  })
}
