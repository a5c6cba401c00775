/**
 * The container of a Linux host as a `Host`, by the engine instead of SSH: for tests of what stands on that port, as root
 * and without a login.
 */
import { Duplex, PassThrough } from 'node:stream'
import type { Host } from '@harmony-iac/core/host'
import { inContainer } from '@harmony-iac/topologies'
import { engine, engineSocket } from './engine.ts'

/** How a {@link containerHost} reaches sockets. */
export interface ContainerHostOptions {
  /** The system bus by `systemd-stdio-bridge`, as through sudo; otherwise the socket itself. Default false. */
  readonly bridge?: boolean
  /** Who works there. Default root. */
  readonly user?: string | undefined
}

/** The container of this id. */
export async function containerHost(
  container: string,
  { bridge = false, user }: ContainerHostOptions = {},
): Promise<Host> {
  const host = inContainer(container, { socket: await engineSocket(), user })
  return bridge ? { ...host, dial: () => bridgeIn(container, user) } : host
}

async function bridgeIn(container: string, user: string | undefined): Promise<Duplex> {
  const docker = await engine()
  const exec = await docker.getContainer(container).exec({
    Cmd: ['systemd-stdio-bridge'],
    AttachStdin: true,
    AttachStdout: true,
    ...(user === undefined ? {} : { User: user }),
  })
  const raw = await exec.start({ hijack: true, stdin: true })
  const output = new PassThrough()
  docker.modem.demuxStream(raw, output, new PassThrough())
  raw.once('close', () => output.end())
  // Node's types do not know this form.
  const stream = Duplex.from({ readable: output, writable: raw } as never)
  stream.once('close', () => raw.destroy())
  return stream
}
