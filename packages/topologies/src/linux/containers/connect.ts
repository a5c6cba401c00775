/** Finds the container engine of a host, and says what is the matter when it cannot be asked. */
import { HarmonyError, isHarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import type { EngineApi } from './engine-api.ts'

/** The engine at the end of a connection. */
export type Engine = EngineApi

/** Makes what speaks to the engine; it dials when it is asked something. */
export async function connectEngine(host: Host, socket: string): Promise<Engine> {
  // Most passes ask for no container: what speaks HTTP is loaded when it is needed.
  const { engineApi } = await import('./engine-api.ts')
  return engineApi(async () => {
    try {
      return await host.dial(socket)
    } catch (error) {
      throw await problemOf(host, socket, error)
    }
  })
}

/** What is at the socket's path says more than an error that may come from the far end of an SSH connection. */
async function problemOf(host: Host, socket: string, cause: unknown): Promise<HarmonyError> {
  const of = (code: 'unreachable' | 'refused', message: string, hint: string) =>
    new HarmonyError(code, `${host.name}: ${message}`, { hint, cause, data: { host: host.name, socket } })
  try {
    const [found, { uid }] = await Promise.all([
      host.files.lstat(await canonical(host, socket)),
      host.facts(),
    ])
    if (!found)
      return of(
        'unreachable',
        `no container engine is there: nothing is at ${socket}`,
        'install one (apt-get install docker.io), or start it (systemctl start docker)',
      )
    if (uid !== 0 && found.uid !== uid && (found.mode & 0o002) === 0 && (await mayNot(host, found.gid)))
      return of(
        'refused',
        `the container engine at ${socket} may not be asked by this user`,
        'say sudo: true, or log in as a member of the group that the socket belongs to (usermod -aG docker USER; that is as good as root)',
      )
    return of(
      'unreachable',
      `a container engine was there and does not answer at ${socket}`,
      'start it (systemctl start docker), and see why it ended (journalctl -u docker)',
    )
  } catch {
    if (isHarmonyError(cause)) return cause
    return of('unreachable', `no container engine answers at ${socket}`, 'install one, or start it')
  }
}

/** `/var/run` is a link on every Linux of our days. */
async function canonical(host: Host, socket: string): Promise<string> {
  const cut = socket.lastIndexOf('/')
  try {
    return `${await host.files.realpath(socket.slice(0, cut) || '/')}${socket.slice(cut)}`
  } catch {
    return socket
  }
}

async function mayNot(host: Host, gid: number): Promise<boolean> {
  const { stdout } = await host.exec(['id', '-G'], { timeoutMs: 10_000 })
  return !Buffer.from(stdout).toString().trim().split(' ').includes(String(gid))
}
