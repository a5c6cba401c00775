/** The Docker Engine that a container runs in: reached through its socket, here or on another host. */
import { Agent } from 'node:http'
import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import Docker from 'dockerode'

/** Where an engine is. */
export interface EngineAt {
  /** The path of its socket. Default: what `DOCKER_HOST` says if `on` is not given, else the usual one. */
  readonly socket?: string | undefined
  /** The machine that it runs on. Default this one. */
  readonly on?: Host | undefined
}

/** Where an engine listens unless it is told otherwise. */
const engineSocket = '/var/run/docker.sock'

/** A client of an engine; connects to nothing yet. */
export function engineClient({ socket, on }: EngineAt): Docker {
  // Its types do not know that it takes an agent.
  const through = { agent: on && dialing(on, socket) }
  if (on) return new Docker({ protocol: 'http', host: 'engine', port: 80, ...through })
  return socket === undefined ? new Docker() : new Docker({ socketPath: socket })
}

/** Every connection is a new one: most become the streams of a program, and the others cost little on a socket. */
function dialing(host: Host, socket = engineSocket): Agent {
  const agent = new Agent({ keepAlive: false })
  // Node's types allow only a socket of its own; a stream does.
  Object.assign(agent, {
    createConnection(_: unknown, done: (error: unknown, stream?: unknown) => void) {
      host.dial(socket).then((stream) => done(null, stream), done)
    },
  })
  return agent
}

/** What an engine's refusal means, in our words. */
export function engineError(name: string, thrown: unknown): HarmonyError {
  const { code, statusCode, json, message } = thrown as {
    readonly code?: string
    readonly statusCode?: number
    readonly json?: { readonly message?: string }
    readonly message?: string
  }
  const said = json?.message ?? message ?? String(thrown)
  const [why, hint] = explain(code, statusCode, said)
  return new HarmonyError('unreachable', `${name} cannot be reached: ${why}`, { hint, cause: thrown })
}

function explain(code: string | undefined, status: number | undefined, said: string): [string, string] {
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return [
      'no Docker Engine answers',
      'start it (systemctl start docker), or say where its socket is: DOCKER_HOST',
    ]
  if (code === 'EACCES' || code === 'EPERM')
    return [
      "you may not use the Docker Engine's socket",
      'join the group that it belongs to, usually docker, and log in again; or work as root',
    ]
  if (status === 404 && /no such container/i.test(said))
    return ['there is no such container', 'list those that there are: docker ps --all']
  if (status === 409 && /paused/i.test(said)) return ['it is paused', 'let it go on: docker unpause']
  if (status === 409 && /not running|stopped/i.test(said))
    return ['it is not running', 'start it: docker start']
  return [said.trim(), 'see what the Docker Engine says of it: docker inspect']
}
