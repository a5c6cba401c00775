/** A program in a container as a channel: one stream from the engine, taken apart into output and errors. */
import { Duplex, Readable } from 'node:stream'
import type { SessionChannel } from '../sessions.ts'

// "Attach to a container" of the Docker Engine API: a byte for the stream, three that are zero, four for the length.
const headerLength = 8
const stderrStream = 2

/** Is pushed what comes, and says when it wants more. */
class Fed extends Readable {
  readonly #wanted: () => void
  constructor(wanted: () => void) {
    super()
    this.#wanted = wanted
  }
  override _read(): void {
    this.#wanted()
  }
}

/** How a program ended, or that nobody knows. */
export type ProgramEnd = { readonly code: number | null; readonly signal: string | null } | undefined

/** The channel of one program. `endOf` is asked once its streams have ended. */
export class ExecChannel extends Duplex implements SessionChannel {
  readonly stderr: Readable
  readonly #raw: Duplex
  /** Of a frame that has not come whole: its header, or how much of its content is still to come. */
  #header: Buffer = Buffer.alloc(0)
  #left = 0
  #to: Readable = this

  constructor(raw: Duplex, endOf: () => Promise<ProgramEnd>) {
    // Closed by us, when its end was told.
    super({ autoDestroy: false, emitClose: true })
    this.#raw = raw
    this.stderr = new Fed(() => raw.resume())
    const ended = Promise.all(
      [this as Readable, this.stderr].map((each) => new Promise<void>((done) => each.once('end', done))),
    )
    raw.on('data', (chunk: Buffer) => this.#take(chunk))
    raw.on('error', () => raw.destroy()) // the end that follows is what counts
    raw.once('close', () => void this.#finish(ended, endOf))
    raw.once('end', () => raw.destroy())
  }

  override _read(): void {
    this.#raw.resume()
  }

  override _write(chunk: Buffer, _encoding: unknown, done: (error?: Error | null) => void): void {
    this.#raw.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#raw.end(done)
  }

  /** Whoever lets go of it lets go of the program: the engine closes its input. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#raw.destroy()
    done(error)
  }

  /** The connection is lost: nothing will come any more. */
  abandon(): void {
    this.#raw.destroy()
  }

  #take(chunk: Buffer): void {
    let rest = chunk
    let full = false
    while (rest.length > 0) {
      if (this.#left === 0) {
        const start = rest.subarray(0, headerLength - this.#header.length)
        this.#header = Buffer.concat([this.#header, start])
        rest = rest.subarray(start.length)
        if (this.#header.length < headerLength) return
        this.#to = this.#header[0] === stderrStream ? this.stderr : this
        this.#left = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
        continue
      }
      const piece = rest.subarray(0, this.#left)
      this.#left -= piece.length
      rest = rest.subarray(piece.length)
      if (!this.#to.push(piece)) full = true
    }
    if (full) this.#raw.pause()
  }

  async #finish(ended: Promise<unknown>, endOf: () => Promise<ProgramEnd>): Promise<void> {
    if (this.destroyed) return
    this.push(null)
    this.stderr.push(null)
    const [end] = await Promise.all([endOf().catch(() => undefined), ended])
    if (end) this.emit('exit', end.code, end.signal)
    this.destroy()
  }
}
