import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frame, framesOf } from './frames.ts'

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

async function read(stream: AsyncIterable<Uint8Array>, limit = 100): Promise<readonly string[]> {
  const messages: string[] = []
  for await (const message of framesOf(stream, limit)) messages.push(Buffer.from(message).toString('hex'))
  return messages
}

test('messages come out as they went in, whatever pieces the stream comes in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 6 }),
      fc.array(fc.nat(20), { maxLength: 30 }),
      async (messages, sizes) => {
        const bytes = Buffer.concat(messages.map(frame))
        expect(await read(inPieces(bytes, sizes))).toEqual(
          messages.map((message) => Buffer.from(message).toString('hex')),
        )
      },
    ),
    { numRuns: 200 },
  )
})

test('a message that was cut off is none', async () => {
  const bytes = frame(new Uint8Array(10))
  expect(await read(inPieces(bytes.subarray(0, 13), [3, 4]))).toEqual([])
})

test('a message over the limit is refused when it is announced', async () => {
  const announced = new Uint8Array([0, 0, 0, 101])
  await expect(read(inPieces(announced, []))).rejects.toMatchObject({
    code: 'request-refused',
    data: { reason: 'too-large', size: 101, limit: 100 },
  })
})
