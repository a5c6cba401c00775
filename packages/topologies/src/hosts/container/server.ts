/** The script that serves files, run in the container: requests are written ahead, and answered in turn. */
import { randomBytes } from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core'
import type { SessionChannel, Sessions } from '../sessions.ts'
import { fileScript } from './script.ts'

/** What came of a request; those of several parts have several. */
export interface Answer {
  readonly status: number
  readonly bytes: Buffer
}

/** A word, its arguments, and raw content to follow. */
export interface Request {
  readonly verb: string
  readonly words: readonly (string | number)[]
  readonly content?: Uint8Array | undefined
  /** Default 1. */
  readonly parts?: number
}

const lineFeed = 10

interface Waiting {
  readonly parts: number
  readonly got: Answer[]
  resolve(answers: readonly Answer[]): void
  reject(error: unknown): void
}

/** One running script. */
export class FileServer {
  readonly #sessions: Sessions
  readonly #channel: SessionChannel
  readonly #mark: Buffer
  readonly #waiting: Waiting[] = []
  /** What came since the last mark; in the tail a mark may have begun. */
  #before: Buffer[] = []
  #tail: Buffer = Buffer.alloc(0)
  ended = false

  private constructor(sessions: Sessions, channel: SessionChannel, mark: string) {
    this.#sessions = sessions
    this.#channel = channel
    this.#mark = Buffer.from(`\n${mark} `)
    channel.on('data', (chunk: Buffer) => this.#hear(chunk))
    channel.stderr.resume()
    channel.on('error', () => {})
    channel.stderr.on('error', () => {})
    channel.once('close', () => this.#end())
    sessions.connection.lost.addEventListener('abort', () => this.#end(), { once: true })
  }

  static async start(sessions: Sessions): Promise<FileServer> {
    const mark = randomBytes(18).toString('base64url')
    const line = ['/bin/sh', '-c', fileScript, 'sh', mark] as const
    return await sessions.session(line, (channel) => new FileServer(sessions, channel, mark))
  }

  /** How many requests wait for their answer. */
  get load(): number {
    return this.#waiting.length
  }

  async ask({ verb, words, content, parts = 1 }: Request): Promise<readonly Answer[]> {
    this.#sessions.connection.lost.throwIfAborted()
    // What cannot be encoded is not waited for.
    const lines = `${[verb, ...words.map((word) => encode(String(word)))].join('\n')}\n`
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ parts, got: [], resolve, reject })
      this.#channel.write(lines)
      if (content && content.length > 0) this.#channel.write(content)
    })
  }

  #hear(chunk: Buffer): void {
    let rest = Buffer.concat([this.#tail, chunk])
    for (;;) {
      const start = rest.indexOf(this.#mark)
      const end = start < 0 ? -1 : rest.indexOf(lineFeed, start + this.#mark.length)
      if (end < 0) {
        // A mark may have begun at the end.
        const kept = start < 0 ? Math.max(0, rest.length - this.#mark.length + 1) : start
        this.#before.push(rest.subarray(0, kept))
        this.#tail = rest.subarray(kept)
        return
      }
      const bytes = Buffer.concat([...this.#before, rest.subarray(0, start)])
      const status = Number(rest.toString('latin1', start + this.#mark.length, end))
      this.#before = []
      rest = rest.subarray(end + 1)
      this.#answer({ bytes, status })
    }
  }

  #answer(answer: Answer): void {
    const [first] = this.#waiting
    if (!first) return
    first.got.push(answer)
    if (first.got.length < first.parts) return
    this.#waiting.shift()
    first.resolve(first.got)
  }

  #end(): void {
    this.ended = true
    const { lost, endpoint } = this.#sessions.connection
    const reason = lost.aborted
      ? this.#sessions.connection.failure()
      : new HarmonyError('unreachable', `${endpoint.name}: the shell that serves its files has ended`, {
          hint: 'see whether something ended it (out of memory, say), and try again',
        })
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }
}

/** What is plain stands for itself; every other byte is written as printf's `%b` reads it. */
function encode(word: string): string {
  if (word.includes('\0'))
    throw new HarmonyError('invalid-value', `${JSON.stringify(word)}: a path has no NUL character`)
  if (/^[A-Za-z0-9_@%+=:,./-]*$/.test(word)) return word
  return [...Buffer.from(word)]
    .map((byte) => {
      const text = String.fromCharCode(byte)
      return /[A-Za-z0-9_@%+=:,./-]/.test(text) ? text : `\\0${byte.toString(8).padStart(3, '0')}`
    })
    .join('')
}
