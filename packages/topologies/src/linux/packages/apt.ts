/** Runs the programs of dpkg and apt: never with a question, never by a shell, in the language that is read here. */
import type { ExecOptions, ExecResult, Host } from '@harmony-iac/core/host'

/** The package programs of one host. */
export interface Apt {
  readonly host: Host
  run(argv: readonly [string, ...string[]], options?: ExecOptions): Promise<ExecResult>
}

/** What is said to every program, so that none asks and all answer in the language that is read here. */
const quiet: Readonly<Record<string, string>> = {
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  APT_LISTCHANGES_FRONTEND: 'none',
  // A service that needs a restart is for its Score to restart.
  NEEDRESTART_SUSPEND: '1',
  NEEDRESTART_MODE: 'l',
}

/** Said to apt-get in any case. */
export const steady: readonly string[] = [
  '--quiet',
  '--yes',
  '--option=Dpkg::Use-Pty=0',
  '--option=DPkg::Lock::Timeout=0',
  '--option=Acquire::Retries=2',
  '--option=APT::Get::AutomaticRemove=false',
  '--option=APT::Get::Show-User-Simulation-Note=false',
  // What came along with us may go although something that is there merely suggests it.
  '--option=APT::AutoRemove::SuggestsImportant=false',
]

/** The programs of a host. */
export function aptOf(host: Host): Apt {
  return {
    host,
    run: (argv, { env, ...options } = {}) =>
      host.exec(argv, { stdin: '', ...options, env: { ...quiet, ...env } }),
  }
}

const decoder = new TextDecoder()

/** Output of a program as text. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** What a program has said, errors last. */
export function saidBy({ stdout, stderr }: ExecResult): string {
  return `${textOf(stdout)}\n${textOf(stderr)}`
}

/** Of what apt says about a transaction of hundreds of packages. */
export const mostSaid: number = 4 * 1024 * 1024
