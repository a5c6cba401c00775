/**
 * An engine of one test's own, to be killed and started again. It has a bridge of its own, too: told to have none, an
 * engine takes away the usual one, whoever uses it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hasCommand } from '../../../scripts/testing/has-command.ts'
import type { Part } from '../../../scripts/testing/require-part.ts'

/** What it needs, for `describeWith`. */
export const privateEngines: Part = {
  name: 'a Docker Engine that can be started, and busybox',
  get: 'apt-get install docker.io iproute2 util-linux busybox-static, and run the tests as root',
  present: process.geteuid?.() === 0 && ['dockerd', 'setpriv', 'ip', 'umount', 'busybox'].every(hasCommand),
}

/** A running engine; disposing of it ends it, and removes what it kept. */
export interface PrivateEngine extends AsyncDisposable {
  readonly socket: string
  /** As a power cut is for it: what it was doing is not finished. */
  kill(): Promise<void>
  /** Starts it again on the same data. */
  start(): Promise<void>
}

const run = promisify(execFile)
const startsWithinMs = 60_000

/** Starts one. */
export async function startPrivateEngine(): Promise<PrivateEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'harmony-private-engine-'))
  const socket = join(folder, 'docker.sock')
  const bridge = `hy${process.pid}`
  const net = process.pid % 250
  await run('ip', ['link', 'add', bridge, 'type', 'bridge'])
  await run('ip', ['address', 'add', `10.213.${net}.1/24`, 'dev', bridge])
  await run('ip', ['link', 'set', bridge, 'up'])
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    await rm(join(folder, 'docker.pid'), { force: true })
    const options = {
      host: `unix://${socket}`,
      'data-root': join(folder, 'data'),
      'exec-root': join(folder, 'run'),
      pidfile: join(folder, 'docker.pid'),
      bridge,
      // Rules for packets are the machine's.
      iptables: false,
      ip6tables: false,
      'ip-masq': false,
      'ip-forward': false,
      'userland-proxy': false,
    }
    const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
    // It ends with this process, also when that is killed; and with it the containerd that it starts.
    child = spawn('setpriv', ['--pdeathsig', 'TERM', 'dockerd', ...words], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    const until = Date.now() + startsWithinMs
    while (!(await answers(socket))) {
      if (child.exitCode !== null || Date.now() > until) throw new Error('the engine does not start')
      await pause(100)
    }
  }

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    // Its own containerd does not notice by itself; the next one would find another at its socket.
    if (signal === 'SIGKILL') await endContainerd(folder)
  }

  async function dispose(): Promise<void> {
    await end('SIGTERM')
    await unmount(folder)
    await run('ip', ['link', 'delete', bridge])
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }

  try {
    await start()
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    socket,
    kill: () => end('SIGKILL'),
    start,
    [Symbol.asyncDispose]: dispose,
  }
}

/** An engine that was killed has unmounted nothing. */
async function unmount(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4])
  const own = mounts.filter((path) => path?.startsWith(`${folder}/`)) as string[]
  // The last one mounted may be within an earlier one.
  for (const path of own.reverse()) await run('umount', ['--lazy', path]).catch(() => undefined)
}

async function endContainerd(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'run/containerd/containerd.pid'), 'utf8').catch(() => '')
  const pid = Number(text)
  if (!(pid > 0)) return
  try {
    process.kill(pid, 'SIGKILL')
    for (;;) {
      process.kill(pid, 0)
      await pause(50)
    }
  } catch {
    // Gone.
  }
}

async function answers(socket: string): Promise<boolean> {
  const asked = request({ socketPath: socket, path: '/_ping' })
  asked.end()
  try {
    const [response] = await once(asked, 'response')
    response.resume()
    return response.statusCode === 200
  } catch {
    return false
  }
}
