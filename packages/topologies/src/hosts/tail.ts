/** The end of a long output, in bounded memory, with what was cut from its front counted to the byte. */

/** Keeps the last bytes of a stream. */
export interface Tail {
  add(chunk: Uint8Array): void
  bytes(): Uint8Array
  /** How many bytes were cut from the front. */
  cut(): number
}

/** Makes a tail of at most `limit` bytes. */
export function tail(limit: number): Tail {
  let chunks: Uint8Array[] = []
  let held = 0
  let total = 0

  /** One copy now and then instead of one for every chunk: up to twice the limit is held meanwhile. */
  function squeeze(): void {
    const joined = Buffer.concat(chunks)
    // A copy, so that the chunks' memory (slices of Node's read buffers) can go.
    const kept = new Uint8Array(joined.subarray(Math.max(0, joined.length - limit)))
    chunks = kept.length > 0 ? [kept] : []
    held = kept.length
  }

  return {
    add(chunk) {
      total += chunk.length
      chunks.push(chunk)
      held += chunk.length
      if (held > limit * 2) squeeze()
    },
    bytes() {
      squeeze()
      return chunks[0] ?? new Uint8Array()
    },
    cut() {
      return Math.max(0, total - limit)
    },
  }
}
