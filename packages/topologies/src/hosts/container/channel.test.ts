import { Duplex, PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { ExecChannel } from './channel.ts'

/** A piece of output as the engine sends it: 1 is the output, 2 the errors. */
function frame(stream: 1 | 2, content: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(content), 4)
  return Buffer.concat([header, Buffer.from(content)])
}

function started(endOf = async () => ({ code: 3, signal: null })) {
  const [from, to] = [new PassThrough(), new PassThrough()]
  // Node's types do not know this form.
  const raw = Duplex.from({ readable: from, writable: to } as never)
  const channel = new ExecChannel(raw, endOf)
  const events: unknown[] = []
  channel.on('exit', (code, signal) => events.push(['exit', code, signal]))
  const closed = new Promise<void>((resolve) =>
    channel.once('close', () => {
      events.push('close')
      resolve()
    }),
  )
  return { channel, from, to, events, closed }
}

test.each([1, 3, 7, 8, 9, 1000])(
  'output and errors are told apart when they come in pieces of %i bytes',
  async (size) => {
    const { channel, from, events, closed } = started()
    const told = Promise.all([text(channel), text(channel.stderr)])
    const bytes = Buffer.concat([frame(1, 'one '), frame(2, 'wrong'), frame(1, ''), frame(1, 'two')])
    for (let at = 0; at < bytes.length; at += size) from.write(bytes.subarray(at, at + size))
    from.end()
    expect(await told).toEqual(['one two', 'wrong'])
    await closed
    expect(events).toEqual([['exit', 3, null], 'close'])
  },
)

test('what is written goes to the program, and so does its end', async () => {
  const { channel, to } = started()
  channel.end('input')
  expect(await text(to)).toBe('input')
})

test('an end that nobody knows is no exit', async () => {
  const { channel, from, events, closed } = started(async () => {
    throw new Error('the engine is gone')
  })
  channel.resume()
  channel.stderr.resume()
  from.end()
  await closed
  expect(events).toEqual(['close'])
})
