/** The agent's end of its unix socket. */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core/errors'
import { type Listening, messageLimit, type Reply, type Serve } from '../carrier.ts'
import { requestLimits } from '../requests.ts'
import { frame, framesOf } from './frames.ts'

/** How an agent listens. */
export interface ListenOptions {
  /** How many connections at a time; more are closed at once. Default: 64. */
  readonly connections?: number
  /** How long a connection may take to say what it wants, in milliseconds. Default: 5,000. */
  readonly patienceMs?: number
}

/** What a signature may add to a question. */
const requestMessageLimit = Math.min(messageLimit, 2 * requestLimits.question)

/** The kernel's, less the final zero. */
const longestPath = 107

/**
 * Listens at a path, mode 0600; its folder must be there. A socket that a killed agent left is replaced.
 *
 * @throws HarmonyError `locked` when somebody listens there, `refused` when something else than a socket is there,
 * `invalid-value` when the path is too long for a socket, `system` when it cannot be made.
 */
export async function listenOnSocket(
  path: string,
  serve: Serve,
  { connections = 64, patienceMs = 5_000 }: ListenOptions = {},
): Promise<Listening> {
  await demandFree(path)
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    void attend(socket, serve, patienceMs)
  })
  server.maxConnections = connections
  // A connection that cannot be accepted (no file descriptor is left, say) is one, not the agent.
  server.on('error', () => {})
  const inode = await bind(server, path)
  const close = () =>
    new Promise<void>((resolve) => {
      if (inodeAt(path) === inode) rmSync(path, { force: true })
      server.close(() => resolve())
      for (const socket of open) socket.destroy()
    })
  return { close, [Symbol.asyncDispose]: close }
}

/** One exchange. Whatever is wrong with it ends it, and nothing else. */
async function attend(socket: Socket, serve: Serve, patienceMs: number): Promise<void> {
  const gone = new AbortController()
  socket.on('error', () => {})
  socket.once('close', () => gone.abort())
  let impatience = setTimeout(() => socket.destroy(), patienceMs)
  try {
    const messages = framesOf(socket, requestMessageLimit)
    const first = await messages.next()
    clearTimeout(impatience)
    if (first.done) return
    // An asker says one thing. What comes after it is its end, or not ours to keep.
    void messages.next().then(
      () => socket.destroy(),
      () => socket.destroy(),
    )
    await serve(first.value, replyOn(socket, gone.signal))
    // Whoever does not hang up after the end is hung up on.
    impatience = setTimeout(() => socket.destroy(), patienceMs)
    await new Promise<void>((resolve) => {
      if (gone.signal.aborted) resolve()
      gone.signal.addEventListener('abort', () => resolve(), { once: true })
      socket.end()
    })
  } catch {
    // What it sent is no message: there is nobody to be told.
  } finally {
    clearTimeout(impatience)
    socket.destroy()
  }
}

function replyOn(socket: Socket, signal: AbortSignal): Reply {
  return {
    signal,
    send: (message) =>
      new Promise((resolve, reject) => {
        const over = () => reject(signal.reason)
        if (signal.aborted) {
          over()
          return
        }
        signal.addEventListener('abort', over, { once: true })
        const more = () => {
          signal.removeEventListener('abort', over)
          resolve()
        }
        // The kernel has room for some more; if not, the asker reads slowly, and the work waits for it.
        if (socket.write(frame(message))) more()
        else socket.once('drain', more)
      }),
  }
}

/**
 * In a folder of its own that nobody else may enter, then moved: at no moment is there a socket that others may open. A
 * umask would hold for all that the process makes meanwhile.
 */
async function bind(server: Server, path: string): Promise<number | undefined> {
  let folder = ''
  try {
    folder = mkdtempSync(join(dirname(path), '.h-'))
    const first = join(folder, 's')
    demandShort(first)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(first, () => {
        server.off('error', reject)
        resolve()
      })
    })
    chmodSync(first, 0o600)
    renameSync(first, path)
    return inodeAt(path)
  } catch (error) {
    throw toHarmonyError(error)
  } finally {
    if (folder) rmSync(folder, { recursive: true, force: true })
  }
}

async function demandFree(path: string): Promise<void> {
  demandShort(path)
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (!there) return
  if (!there.isSocket())
    throw new HarmonyError('refused', `${path} is there and is no socket`, { hint: 'name another path' })
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    // Full, not gone, is EAGAIN: somebody listens.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
  if (answers)
    throw new HarmonyError('locked', `somebody listens at ${path}`, { hint: 'end the agent that runs there' })
}

function demandShort(path: string): void {
  if (Buffer.byteLength(path) > longestPath)
    throw new HarmonyError('invalid-value', `${path} is too long for a socket`, {
      hint: `choose one of at most ${longestPath - 10} bytes`,
    })
}

function inodeAt(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}
