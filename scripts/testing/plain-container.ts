/**
 * Containers without what makes a machine: no systemd, no sshd, one program that waits. For what works in a container
 * as it is. They see the temporary folder of this machine, so that what is done there can be looked at.
 */
import { execFile } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type Docker from 'dockerode'
import { dockerEngine, engine, engineSocket } from './engine.ts'
import { flock } from './flock.ts'
import { hasCommand } from './has-command.ts'
import { hostImage } from './host-image.ts'
import { linuxHosts } from './linux-host.ts'
import type { Part } from './require-part.ts'
import { isOver, thisRun } from './this-run.ts'

/** What a container is made from: Debian with GNU's programs, or BusyBox alone. */
export type PlainSystem = 'debian' | 'busybox'

/** A running container; disposing of it removes it. */
export interface PlainContainer extends AsyncDisposable {
  readonly name: string
  /** Of the engine that it runs in. */
  readonly socket: string
  readonly container: Docker.Container
}

/** What a container of each system needs, for `describeWith`. */
export const plainContainers: Readonly<Record<PlainSystem, Part>> = {
  debian: linuxHosts,
  busybox: {
    name: 'a Docker Engine, and BusyBox with what it lacks',
    get: `${dockerEngine.get}; apt-get install busybox-static util-linux perl-base`,
    present: dockerEngine.present && ['busybox', 'flock', 'perl'].every(hasCommand),
  },
}

const label = 'harmony.test-container'
const run = promisify(execFile)

/** Starts a container that waits. */
export async function startPlainContainer(
  system: PlainSystem,
  options: { readonly command?: readonly string[]; readonly shared?: boolean } = {},
): Promise<PlainContainer> {
  const docker = await engine()
  await removeLeftovers(docker)
  const name = `plain-${randomBytes(4).toString('hex')}`
  const { command = ['sleep', 'infinity'], shared = true } = options
  const temporary = realpathSync(tmpdir())
  const container = await docker.createContainer({
    name,
    Image: system === 'debian' ? await hostImage() : await busyboxImage(docker),
    Cmd: [...command],
    Labels: { [label]: thisRun },
    NetworkDisabled: true,
    HostConfig: {
      Binds: [
        ...(shared ? [`${temporary}:${temporary}`] : []),
        // What BusyBox's own flock(1) would do where it has one, and what connects to sockets: this machine's.
        ...(system === 'busybox' ? borrowed.filter(existsSync).map((path) => `${path}:${path}:ro`) : []),
      ],
    },
  })
  const disposable = {
    name,
    socket: await engineSocket(),
    container,
    async [Symbol.asyncDispose]() {
      await remove(container)
    },
  }
  try {
    await container.start()
    return disposable
  } catch (error) {
    await remove(container)
    throw error
  }
}

const borrowed = ['/usr/bin/flock', '/usr/bin/perl', '/usr/lib', '/usr/lib64']

/** BusyBox under the names of all that it can do. */
async function busyboxImage(docker: Docker): Promise<string> {
  const busybox = realpathSync('/bin/busybox')
  const name = 'harmony-test-busybox'
  const reference = `${name}:${hash('sha256', readFileSync(busybox)).slice(0, 12)}`
  const folder = await mkdtemp(join(tmpdir(), 'harmony-busybox-'))
  using _ = await flock(join(tmpdir(), `${name}.lock`), 'exclusive')
  try {
    const images = await docker.listImages({ filters: { reference: [reference] } })
    if (images.length > 0) return reference
    for (const each of ['bin', 'usr/bin', 'usr/lib', 'usr/lib64', 'etc', 'root', 'tmp', 'proc', 'dev', 'sys'])
      await mkdir(join(folder, each), { recursive: true })
    await copyFile(busybox, join(folder, 'bin/busybox'))
    const { stdout } = await run(busybox, ['--list'])
    for (const applet of stdout
      .trim()
      .split('\n')
      .filter((each) => each !== 'busybox'))
      await symlink('busybox', join(folder, 'bin', applet))
    await symlink('/bin/busybox', join(folder, 'usr/bin/printf'))
    for (const each of ['lib', 'lib64']) await symlink(`usr/${each}`, join(folder, each))
    await writeFile(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    await writeFile(join(folder, 'etc/group'), 'root:x:0:\n')
    await run('tar', ['-C', folder, '-cf', `${folder}.tar`, '.'])
    const said = await text(
      await docker.importImage(`${folder}.tar`, { repo: name, tag: reference.split(':')[1] }),
    )
    if (!/sha256/.test(said)) throw new Error(`${reference} was not imported: ${said}`)
    return reference
  } finally {
    await rm(folder, { recursive: true, force: true })
    await rm(`${folder}.tar`, { force: true })
  }
}

async function remove(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true })
  } catch (error) {
    const { statusCode } = error as { readonly statusCode?: number }
    if (statusCode !== 404 && statusCode !== 409) throw error
  }
}

/** What was left by processes that were killed. */
async function removeLeftovers(docker: Docker): Promise<void> {
  const left = await docker.listContainers({ all: true, filters: { label: [label] } })
  for (const { Id, Labels } of left) if (isOver(Labels[label] ?? '')) await remove(docker.getContainer(Id))
}
