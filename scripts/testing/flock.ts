/**
 * Locks between the processes of tests, which end with their holder whatever happens to it. Node has no flock(2): a child
 * holds the lock until the pipe to it closes. `Host.lock` of the product is exclusive only, and is itself under test.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'

const patienceSeconds = 180

/**
 * Takes a lock on a file, which is made when it is not there; disposing of it releases it. The event loop does not wait
 * for it.
 * @throws Error after three minutes of waiting.
 */
export async function flock(path: string, kind: 'shared' | 'exclusive'): Promise<Disposable> {
  const child = spawn(
    'flock',
    [`--${kind}`, '--wait', `${patienceSeconds}`, path, 'sh', '-c', 'echo held; exec cat'],
    // Detached, so that an interrupt at a terminal does not take the lock from a process that is still cleaning up.
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  )
  const held = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    once(child, 'exit').then(() => false),
  ])
  if (!held) throw new Error(`${path} stayed locked by another process for ${patienceSeconds} s`)
  child.unref()
  // Pipes are sockets to Node, whatever the type says.
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as Socket).unref()
  return { [Symbol.dispose]: () => child.stdin.destroy() }
}
