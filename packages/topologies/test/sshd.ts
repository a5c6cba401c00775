/** A real sshd for tests: on loopback, with a configuration, host key and login key of its own, for whoever runs the tests. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Endpoint } from '../src/hosts/ssh/connect.ts'

const program = '/usr/sbin/sshd'

/** What a test that uses it needs. */
export const sshdPart = {
  name: 'sshd',
  get: 'apt-get install openssh-server',
  present: existsSync(program),
}

/** A running sshd. */
export interface Sshd {
  readonly port: number
  readonly endpoint: Endpoint
  /** The process of each connection is a child of the server: ends all of them, as a power cut would. */
  cut(): void
  stop(): Promise<void>
}

/** Starts one; `config` are lines more for its configuration. */
export async function startSshd(config: readonly string[] = []): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'harmony-sshd-'))
  const make = (name: string) =>
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)])
  make('host')
  make('login')
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const port = await freePort()
  writeFileSync(
    join(folder, 'config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${folder}/host`,
      `AuthorizedKeysFile ${folder}/login.pub`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'MaxStartups 100',
      'Subsystem sftp internal-sftp',
      // What the start-up files of whoever runs the tests do (and how long they take) is none of our business.
      `SetEnv HOME=${folder}`,
      ...config,
      '',
    ].join('\n'),
  )
  const child = spawn(program, ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr?.on('data', (chunk) => {
    log += chunk
  })
  await answering(port, child, () => log)
  const { username } = userInfo()
  const cut = () => {
    try {
      execFileSync('pkill', ['-KILL', '-P', String(child.pid)])
    } catch {
      // There was no connection.
    }
  }
  return {
    port,
    endpoint: {
      name: `${username}@127.0.0.1`,
      host: '127.0.0.1',
      port,
      user: username,
      checkHostKey() {},
      credentials: [async () => ({ type: 'key', key: readFileSync(join(folder, 'login')) })],
    },
    cut,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null && child.signalCode === null) {
        cut()
        child.kill('SIGKILL')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answering(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${log()}`)
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (there) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
