import { Duplex, PassThrough } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import { expect, test } from 'vitest'
import { hideUntil } from './begun.ts'

/** A channel as ssh2 makes them: what comes in is pushed. */
function channel() {
  const made = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const stderr = new PassThrough()
  const heard = { out: '', err: '', order: [] as string[] }
  made.on('data', (chunk) => {
    heard.out += chunk
    heard.order.push('out')
  })
  made.on('end', () => heard.order.push('end'))
  stderr.on('data', (chunk) => {
    heard.err += chunk
  })
  return {
    made: Object.assign(made, { stderr }) as unknown as ClientChannel & { push(chunk: unknown): boolean },
    heard,
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test.each([
  ['at once', ['noise\nMARK\nrest']],
  ['in pieces', ['noi', 'se\nMA', 'R', 'K', '\n', 'rest']],
  ['with a mark that is none before it', ['MARKER MARK no\nMARK\n', 'rest']],
])('what comes before the mark is hidden, and no byte after it: %s', async (_, pieces) => {
  const { made, heard } = channel()
  const begin = hideUntil('MARK', made, () => {})
  for (const piece of pieces) made.push(Buffer.from(piece))
  made.push(null)
  await turn()
  expect(heard).toMatchObject({ out: 'rest', order: expect.arrayContaining(['end']) })
  expect(heard.order.at(-1)).toBe('end')
  expect(begin.begun()).toBe(false) // the other stream has not
})

test('both streams have to begin, and what was said on standard error is kept', async () => {
  const { made, heard } = channel()
  const heardBefore: string[] = []
  const begin = hideUntil('MARK', made, (text) => heardBefore.push(text))
  const err = made.stderr as unknown as PassThrough
  err.push(Buffer.from('a lecture\nPROMPT'))
  err.push(Buffer.from('MARK\nerr'))
  made.push(Buffer.from('MARK\n'))
  await turn()
  expect(begin.begun()).toBe(true)
  expect(begin.complaint()).toBe('a lecture\nPROMPT')
  expect(heardBefore).toEqual(['a lecture\nPROMPT'])
  expect(heard).toMatchObject({ out: '', err: 'err' })
})

test('without end of noise there is no end of memory', () => {
  const { made } = channel()
  let longest = 0
  hideUntil('MARK', made, (text) => {
    longest = Math.max(longest, text.length)
  })
  for (let i = 0; i < 100; i++) (made.stderr as unknown as PassThrough).push(Buffer.alloc(4096, 'x'))
  expect(longest).toBeLessThanOrEqual(16 * 1024)
})
