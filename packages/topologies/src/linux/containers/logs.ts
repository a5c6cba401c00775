/** What a container has written, out of the frames that the engine puts it in. */
import { buffer } from 'node:stream/consumers'

const headerSize = 8

/** The lines, of both streams, in the order they came. */
export async function demux(
  stream: AsyncIterable<Uint8Array>,
  isTerminal: boolean,
): Promise<readonly string[]> {
  const bytes = await buffer(stream as never)
  return linesOf(isTerminal ? bytes : unframed(bytes))
}

/** Each frame: one byte that names the stream, three of nothing, four of the length (big-endian), then so many bytes. */
function unframed(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + headerSize <= bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4)
    parts.push(bytes.subarray(at + headerSize, at + headerSize + size))
    at += headerSize + size
  }
  return Buffer.concat(parts)
}

function linesOf(bytes: Buffer): readonly string[] {
  return bytes
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}
