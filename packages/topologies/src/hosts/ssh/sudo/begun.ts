/**
 * The beginning of a session under sudo. Before the program runs, login shells, PAM and sudo itself print what they
 * like, to both streams; then comes a line of ours on each. What stands before it is kept from whoever uses the session,
 * so that bytes of SFTP stay bytes of SFTP.
 */
import type { Readable } from 'node:stream'
import type { ClientChannel } from 'ssh2'

const mostHeard = 16 * 1024

/** What was heard before a program began. */
export interface Begin {
  /** Whether its own output has begun. */
  begun(): boolean
  /** What sudo and others have said on standard error before. */
  complaint(): string
}

/**
 * Hides what comes before the marks. The stream's own `push` is replaced, rather than another stream put behind it: the
 * end of a session must not overtake its last words.
 */
export function hideUntil(mark: string, channel: ClientChannel, onComplaint: (all: string) => void): Begin {
  const out = skip(channel, mark, () => {})
  const err = skip(channel.stderr as unknown as Readable, mark, onComplaint)
  return { begun: () => out.found() && err.found(), complaint: () => err.before() }
}

function skip(stream: Readable, mark: string, onText: (before: string) => void) {
  const push = stream.push.bind(stream)
  const line = Buffer.from(`${mark}\n`)
  let before = Buffer.alloc(0)
  let found = false
  stream.push = (chunk: Buffer | null) => {
    if (found || chunk === null) return push(chunk)
    before = Buffer.concat([before, chunk])
    const at = before.indexOf(line)
    if (at < 0) {
      // Whoever says so much is not sudo; the mark may be cut in two.
      if (before.length > mostHeard) before = before.subarray(before.length - mostHeard)
      onText(before.toString())
      return true
    }
    found = true
    const rest = before.subarray(at + line.length)
    before = before.subarray(0, at)
    return rest.length === 0 || push(rest)
  }
  return { found: () => found, before: () => before.toString() }
}
