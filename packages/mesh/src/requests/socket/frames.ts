/** Messages on a stream of bytes: each behind its length, four bytes, the highest first. */
import { HarmonyError } from '@harmony-iac/core/errors'

/** A message as it goes on the stream. */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + message.byteLength)
  new DataView(bytes.buffer).setUint32(0, message.byteLength)
  bytes.set(message, 4)
  return bytes
}

/**
 * The messages of a stream, whatever pieces it comes in. What follows the last whole message is left out: the stream was
 * cut off. Holds one message and one piece at most.
 * @throws HarmonyError `request-refused` when a message claims to be longer than the limit, before it is read.
 */
export async function* framesOf(
  stream: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void> {
  let pieces: Uint8Array[] = []
  let held = 0
  for await (const piece of stream) {
    pieces.push(piece)
    held += piece.byteLength
    while (held >= 4) {
      const head = gathered(pieces, 4)
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0)
      if (length > limit) throw tooLong(length, limit)
      if (held < 4 + length) break
      const all = gathered(pieces, held)
      yield all.subarray(4, 4 + length)
      held -= 4 + length
      pieces = held > 0 ? [all.subarray(4 + length)] : []
    }
  }
}

/** The first bytes in one piece; most often they are in one already. */
function gathered(pieces: readonly Uint8Array[], count: number): Uint8Array {
  const [first] = pieces
  return first && first.byteLength >= count ? first : Buffer.concat(pieces, count)
}

function tooLong(length: number, limit: number): HarmonyError {
  return new HarmonyError(
    'request-refused',
    `a message of ${length} bytes was announced, and ${limit} are taken`,
    {
      hint: 'see what speaks at the other end of the socket',
      data: { reason: 'too-large', size: length, limit },
    },
  )
}
