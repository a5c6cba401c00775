/**
 * The Docker Engine that tests talk to: the machine's own where there is one, else one that the tests start. All
 * processes of a user share it, because starting takes seconds and an image must not be built twice. It ends a minute
 * after its last user (`engine.sh`), rather than with each file: files run side by side and one after the other. What it
 * keeps on disk, the images, stays in the temporary folder for the next run.
 */
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Docker from 'dockerode'
import { flock } from './flock.ts'
import { hasCommand } from './has-command.ts'
import type { Part } from './require-part.ts'

const machines = '/var/run/docker.sock'
const own = join(tmpdir(), `harmony-engine-${process.geteuid?.()}`)
const startsWithinMs = 60_000
/** How long it waits for the next user. */
const idleSeconds = 60

/** An engine that is there or can be started, for `describeWith`. */
export const dockerEngine: Part = {
  name: 'a Docker Engine',
  get: 'apt-get install docker.io iproute2, and run the tests as root, or where DOCKER_HOST or /var/run/docker.sock answers',
  present:
    process.env.DOCKER_HOST !== undefined ||
    existsSync(machines) ||
    (process.geteuid?.() === 0 && ['dockerd', 'flock', 'setpriv'].every(hasCommand)),
}

let found: Promise<{ readonly docker: Docker; readonly socket: string | undefined }> | undefined

/**
 * The engine, started if need be, and kept until this process ends.
 * @throws Error with the end of its log when it does not start.
 */
export async function engine(): Promise<Docker> {
  found ??= find()
  return (await found).docker
}

/**
 * The path of the engine's socket.
 * @throws Error when the engine is reached in another way.
 */
export async function engineSocket(): Promise<string> {
  found ??= find()
  const { socket } = await found
  if (socket === undefined) throw new Error(`${process.env.DOCKER_HOST} is no socket on this machine`)
  return socket
}

/** A folder of this user for what tests share between processes. */
export function sharedFolder(): string {
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(own)
  // The temporary folder is everybody's: whoever made this one first could reach into root's engine.
  if (uid !== process.geteuid?.() || (mode & 0o077) !== 0) throw new Error(`${own} is open to somebody else`)
  return own
}

async function find(): NonNullable<typeof found> {
  const { DOCKER_HOST } = process.env
  if (DOCKER_HOST !== undefined)
    return { docker: new Docker(), socket: /^unix:\/\/(\/.*)/.exec(DOCKER_HOST)?.[1] }
  const there = new Docker({ socketPath: machines })
  if (await answers(there)) return { docker: there, socket: machines }
  const folder = sharedFolder()
  await flock(join(folder, 'users'), 'shared')
  const socket = join(folder, 'docker.sock')
  const docker = new Docker({ socketPath: socket })
  const deadline = Date.now() + startsWithinMs
  let starter: ReturnType<typeof start> | undefined
  while (!(await answers(docker))) {
    starter ??= start(folder)
    if (starter.signalCode !== null || (starter.exitCode ?? 0) !== 0)
      throw failure(folder, `it ended with ${starter.signalCode ?? `status ${starter.exitCode}`}`)
    // Status 0: another process was quicker, and its engine is about to answer or to end.
    if (starter.exitCode === 0) starter = undefined
    if (Date.now() > deadline) throw failure(folder, `it does not answer after ${startsWithinMs} ms`)
    await pause(100)
  }
  return { docker, socket }
}

function start(folder: string) {
  const starter = spawn('sh', [join(import.meta.dirname, 'engine.sh'), folder, `${idleSeconds}`], {
    detached: true,
    stdio: 'ignore',
  })
  starter.unref()
  return starter
}

function failure(folder: string, reason: string): Error {
  const log = join(folder, 'engine.log')
  const tail = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-10).join('\n') : ''
  return new Error(`the Docker Engine did not start: ${reason}. The end of ${log}:\n${tail}`)
}

async function answers(docker: Docker): Promise<boolean> {
  return docker.ping().then(
    () => true,
    () => false,
  )
}
