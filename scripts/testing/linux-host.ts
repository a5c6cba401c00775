/**
 * A Linux host of its own for a test: systemd, D-Bus, sshd and sudo in a container, reached over SSH on 127.0.0.1. It
 * can lose its power and its network. Nothing is left of it, also when the test throws; what a killed run left is
 * removed when the next host starts.
 *
 * No host is privileged: it gets the capabilities that systemd needs, by name. Hosts see each other on the engine's
 * default network.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type Docker from 'dockerode'
import { dockerEngine, engine, engineSocket } from './engine.ts'
import { hasCommand } from './has-command.ts'
import { hostImage } from './host-image.ts'
import type { Part } from './require-part.ts'
import { isOver, thisRun } from './this-run.ts'

/** The users there are: `pi` may sudo without a password, `admin` with one. */
export type HostUser = 'root' | 'pi' | 'admin'

/** How a host is started. */
export interface LinuxHostOptions {
  /** Who may log in with the key. Default all. */
  readonly users?: readonly HostUser[] | undefined
  /** Whether the engine's socket is at `/var/run/docker.sock` there, as on a host that runs Docker. Default false. */
  readonly withEngine?: boolean | undefined
  /** Folders of this machine that are at the same path there. */
  readonly shares?: readonly string[] | undefined
}

/** A running host; disposing of it removes it. */
export interface LinuxHost extends AsyncDisposable {
  /** Its hostname, and the container's name. */
  readonly name: string
  /** Of its sshd on 127.0.0.1; stays the same when the host starts again. */
  readonly port: number
  /** A line for known_hosts. */
  readonly hostKey: string
  /** A private key (ed25519, without a passphrase, mode 0600), made for this host, in a folder that goes with it. */
  readonly keyFile: string
  /** What `admin` gives to sudo. */
  readonly adminPassword: string
  readonly containerId: string
  /** Units that failed while it last started. */
  readonly failedUnits: readonly string[]
  /** Its address on the engine's network, where its sshd is at 22: for a host behind another one. Fails when it has none. */
  address(): Promise<string>
  /** Runs a program as root behind Harmony's back; resolves whatever the exit status is. */
  exec(argv: readonly [string, ...string[]]): Promise<HostExecResult>
  /** Freezes every process: connections stay open, and nobody answers. */
  pause(): Promise<void>
  unpause(): Promise<void>
  /** Pulls the power plug. What is on the disk stays; `/run` and `/tmp` are in memory. */
  kill(): Promise<void>
  /** Starts it after `kill`, or after it was shut down from within, and waits for systemd and sshd. */
  start(): Promise<void>
  /** Its network is gone. The engine may close connections to the published port; `relay.ts` can keep silent instead. */
  disconnectNetwork(): Promise<void>
  reconnectNetwork(): Promise<void>
}

/** How a program on a host ended. */
export interface HostExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** What hosts need, for `describeWith`. */
export const linuxHosts: Part = {
  name: 'a Docker Engine and what makes hosts in it',
  get: `${dockerEngine.get}; apt-get install mmdebstrap openssh-client util-linux`,
  present: dockerEngine.present && ['mmdebstrap', 'ssh', 'ssh-keygen', 'flock'].every(hasCommand),
}

const label = 'harmony.test-host'
const network = 'bridge'
/** systemd has to see the tree that its container's groups are in. The types of dockerode do not know the setting. */
const cgroups = { CgroupnsMode: 'host' }
const startsWithinMs = 60_000
const run = promisify(execFile)

/**
 * Starts a host and waits until systemd has started everything and sshd answers.
 * @throws Error with what the host says when it does not come up within a minute.
 */
export async function startLinuxHost(options: LinuxHostOptions = {}): Promise<LinuxHost> {
  const docker = await engine()
  await removeLeftovers(docker)
  await using undo = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), `harmony-host-${thisRun}-`))
  undo.defer(() => rm(folder, { recursive: true, force: true }))

  const name = `host-${randomBytes(4).toString('hex')}`
  const keyFile = join(folder, 'key')
  const adminPassword = randomBytes(12).toString('base64url')
  const [image] = await Promise.all([
    hostImage(),
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', keyFile]),
  ])
  const { container, port } = await createAndStart(docker, {
    image,
    name,
    withEngine: options.withEngine ?? false,
    shares: options.shares ?? [],
  })
  undo.defer(() => remove(container))

  let failedUnits: readonly string[] = []
  const exec = (argv: readonly string[]) => execIn(docker, container, argv)
  const start = async () => {
    await container.start()
    failedUnits = await untilSystemdIsUp(container, exec)
    await untilSshAnswers(port)
  }
  failedUnits = await untilSystemdIsUp(container, exec)
  const key = (await readFile(`${keyFile}.pub`, 'utf8')).trim()
  const users = options.users ?? ['root', 'pi', 'admin']
  const ready = await exec(['sh', '-euc', letIn, 'sh', key, adminPassword, ...users])
  if (ready.exitCode !== 0) throw new Error(`nobody can be let into ${name}: ${ready.stderr}`)
  await untilSshAnswers(port)

  const engineNetwork = docker.getNetwork(network)
  const all = undo.move()
  return {
    name,
    port,
    hostKey: `[127.0.0.1]:${port} ${ready.stdout.trim()}`,
    keyFile,
    adminPassword,
    containerId: container.id,
    get failedUnits() {
      return failedUnits
    },
    async address() {
      const { NetworkSettings } = await container.inspect()
      const address = NetworkSettings.Networks[network]?.IPAddress
      if (!address) throw new Error(`${name} has no network`)
      return address
    },
    exec,
    async pause() {
      await container.pause()
    },
    async unpause() {
      await container.unpause()
    },
    async kill() {
      await Promise.all([container.wait({ condition: 'not-running' }), container.kill({ signal: 'KILL' })])
    },
    start,
    async disconnectNetwork() {
      await engineNetwork.disconnect({ Container: container.id, Force: true })
    },
    async reconnectNetwork() {
      await engineNetwork.connect({ Container: container.id })
      await untilSshAnswers(port)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Arguments: the public key, the password of `admin`, users. Prints the host's key without its comment. */
const letIn = `
key=$1
printf 'admin:%s\\n' "$2" | chpasswd
shift 2
for user; do
  id "$user" >/dev/null
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 0700 -o "$user" -g "$user" "$home/.ssh"
  printf '%s\\n' "$key" >"$home/.ssh/authorized_keys"
  chown "$user:$user" "$home/.ssh/authorized_keys"
  chmod 0600 "$home/.ssh/authorized_keys"
done
cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub
`

interface Wanted {
  readonly image: string
  readonly name: string
  readonly withEngine: boolean
  readonly shares: readonly string[]
}

/** A container that runs, and the port of this machine that leads to its sshd. */
async function createAndStart(
  docker: Docker,
  wanted: Wanted,
): Promise<{ readonly container: Docker.Container; readonly port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    // A number of our own: one that the engine chose would change with the next start.
    const port = await freePort()
    const container = await create(docker, wanted, port)
    try {
      await container.start()
      return { container, port }
    } catch (error) {
      await remove(container)
      // Somebody else may have taken the port meanwhile.
      if (attempt === 5 || !/already (in use|allocated)/.test(String(error))) throw error
    }
  }
}

async function create(
  docker: Docker,
  { image, name, withEngine, shares }: Wanted,
  port: number,
): Promise<Docker.Container> {
  return docker.createContainer({
    name,
    Hostname: name,
    Image: image,
    Labels: { [label]: thisRun },
    Env: ['container=docker'],
    StopSignal: 'SIGRTMIN+3', // systemd's word for shutting down
    ExposedPorts: { '22/tcp': {} },
    HostConfig: {
      ...cgroups,
      CapAdd: ['SYS_ADMIN', 'NET_ADMIN'],
      SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
      Tmpfs: { '/run': 'rw,nosuid,nodev,mode=755', '/tmp': 'rw,nosuid,nodev,exec,mode=1777' },
      Binds: [
        '/sys/fs/cgroup:/sys/fs/cgroup:rw',
        ...(withEngine ? [`${await engineSocket()}:/run/docker.sock`] : []),
        ...shares.map((folder) => `${folder}:${folder}`),
      ],
      PortBindings: { '22/tcp': [{ HostIp: '127.0.0.1', HostPort: `${port}` }] },
    },
  })
}

/** Removes a container, unless somebody else does or did. */
async function remove(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true })
  } catch (error) {
    const { statusCode } = error as { readonly statusCode?: number }
    if (statusCode !== 404 && statusCode !== 409) throw error
  }
}

/** Which units failed, once systemd has started what it is going to start. */
async function untilSystemdIsUp(
  container: Docker.Container,
  exec: (argv: readonly string[]) => Promise<HostExecResult>,
): Promise<readonly string[]> {
  const deadline = Date.now() + startsWithinMs
  for (;;) {
    // Before its bus is there systemd refuses to wait, and before that nothing runs at all.
    const { stdout, stderr } = await exec(['systemctl', 'is-system-running', '--wait'])
    const state = stdout.trim()
    if (state === 'running') return []
    if (state === 'degraded') {
      const failed = await exec(['systemctl', 'list-units', '--state=failed', '--plain', '--no-legend'])
      return failed.stdout
        .split('\n')
        .map((line) => line.split(' ')[0] ?? '')
        .filter((unit) => unit !== '')
    }
    const { State } = await container.inspect()
    if (!State.Running)
      throw new Error(`the host ended with status ${State.ExitCode}: ${await logOf(container)}`)
    if (Date.now() > deadline)
      throw new Error(`systemd says ${state || stderr} after ${startsWithinMs} ms: ${await logOf(container)}`)
    await pause(100)
  }
}

async function logOf(container: Docker.Container): Promise<string> {
  return (await container.logs({ stdout: true, stderr: true, tail: 20 })).toString('utf8')
}

/** The engine's proxy takes connections before sshd does, so only the greeting tells. */
async function untilSshAnswers(port: number): Promise<void> {
  const deadline = Date.now() + startsWithinMs
  while (!(await greets(port))) {
    if (Date.now() > deadline)
      throw new Error(`sshd on port ${port} does not answer after ${startsWithinMs} ms`)
    await pause(50)
  }
}

async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    const [greeting] = await once(socket, 'data', { signal: AbortSignal.timeout(1000) })
    return String(greeting).startsWith('SSH-2.0-')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function execIn(
  docker: Docker,
  container: Docker.Container,
  argv: readonly string[],
): Promise<HostExecResult> {
  const exec = await container.exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true })
  const stream = await exec.start({ hijack: true, stdin: false })
  const [out, err] = [new PassThrough(), new PassThrough()]
  docker.modem.demuxStream(stream, out, err)
  stream.once('close', () => {
    out.end()
    err.end()
  })
  const [stdout, stderr] = await Promise.all([text(out), text(err)])
  const { ExitCode } = await exec.inspect()
  return { exitCode: ExitCode ?? -1, stdout, stderr }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** What was left by processes that were killed. */
async function removeLeftovers(docker: Docker): Promise<void> {
  const hosts = await docker.listContainers({ all: true, filters: { label: [label] } })
  for (const { Id, Labels } of hosts) if (isOver(Labels[label] ?? '')) await remove(docker.getContainer(Id))
  for (const folder of readdirSync(tmpdir())) {
    const [, run] = /^harmony-host-([\w.]+)-/.exec(folder) ?? []
    if (run !== undefined && isOver(run)) await rm(join(tmpdir(), folder), { recursive: true, force: true })
  }
}
