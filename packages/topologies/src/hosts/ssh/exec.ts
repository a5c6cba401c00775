/**
 * Running programs at the far end. A short script of ours, the same for every program, sets the environment and the
 * folder, tells its process group, and becomes the program; what varies reaches it as arguments only. The group is what
 * a time limit or an abort ends, over another session of the same connection.
 */
import { randomBytes } from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core'
import type { ExecOptions, ExecResult } from '@harmony-iac/core/host'
import type { SessionChannel, Sessions } from '../sessions.ts'
import { tail } from '../tail.ts'

const defaultOutputLimit = 64 * 1024
const graceMs = 5000

// $1 marks our own line among whatever the login shell prints, $2 is the folder, $3 the program, $4 the search path; then
// come the environment and the program again. The fifth field of `stat` is the process group. Shells add to an
// environment, so the last word is env's.
const script = `mark=$1 program=$3 PATH=$4
cd "$2" 2>/dev/null || { echo "$mark cwd"; exit 126; }
command -v "$program" >/dev/null 2>&1 || { echo "$mark program"; exit 127; }
shift 4
read -r _ _ _ _ group _ </proc/$$/stat 2>/dev/null || group=$$
echo "$mark group $group"
exec env -i "$@"`

// The shell's own: kill(1) of procps takes the number of a small group for that of a signal.
const killScript = 'kill -s "$1" -- "-$2"'

/** What a remote program's environment is made of. */
export interface RemoteUser {
  readonly name: string
  readonly home: string
}

/** As `Host.exec`. */
export async function execRemotely(
  access: Sessions,
  user: RemoteUser,
  argv: readonly [string, ...string[]],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const {
    cwd = '/',
    env = {},
    stdin,
    timeoutMs,
    outputLimit = defaultOutputLimit,
    signal,
    onOutput,
  } = options
  if (signal?.aborted) throw interrupted(argv)
  // env would take it for an option, or for a variable.
  if (/^-|=/.test(argv[0]))
    throw new HarmonyError('command-failed', `${argv[0]}: cannot be started: no program has such a name`)
  const started = performance.now()
  const mark = `harmony-${randomBytes(9).toString('base64url')}`
  const environment = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: user.home,
    USER: user.name,
    LANG: 'C.UTF-8',
    ...env,
  }
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const output = { stdout: tail(outputLimit), stderr: tail(outputLimit) }
  const tell = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => {
    if (chunk.length === 0) return
    output[stream].add(chunk)
    onOutput?.(stream, chunk)
  }
  const line = [
    ...['/bin/sh', '-c', script, 'sh'],
    ...[mark, cwd, argv[0], environment.PATH],
    ...variables,
    ...argv,
  ] as [string, ...string[]]
  const { told, ending } = await access.session(line, (channel) => {
    const told = readMark(channel, mark, (rest) => tell('stdout', rest))
    channel.stderr.on('data', (chunk: Buffer) => tell('stderr', chunk))
    channel.on('error', () => {}) // the end of the connection is told by `lost`
    channel.stderr.on('error', () => {})
    channel.end(stdin === undefined ? undefined : Buffer.from(stdin))
    return { told, ending: new Ending(access, channel, told.group) }
  })
  const onAbort = () => void ending.kill('KILL')
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  let timedOut = false
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          void ending.endGently(graceMs)
        }, timeoutMs)
  try {
    const { exitCode, exitSignal } = await ending.ended
    const failure = told.failure()
    if (failure) throw cannotStart(argv, cwd, failure)
    if (signal?.aborted) throw interrupted(argv)
    return {
      exitCode,
      signal: exitSignal,
      timedOut,
      stdout: output.stdout.bytes(),
      stderr: output.stderr.bytes(),
      stdoutCut: output.stdout.cut(),
      stderrCut: output.stderr.cut(),
      durationMs: performance.now() - started,
    }
  } finally {
    clearTimeout(timer)
    ending.settle()
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Finds our own line, passes on what follows it, and drops what the login shell printed before it. */
function readMark(channel: SessionChannel, mark: string, passOn: (rest: Uint8Array) => void) {
  let before: Buffer | undefined = Buffer.alloc(0)
  let failure: string | undefined
  const { promise: group, resolve } = Promise.withResolvers<string | undefined>()
  channel.on('data', (chunk: Buffer) => {
    if (!before) {
      passOn(chunk)
      return
    }
    before = Buffer.concat([before, chunk])
    const start = before.indexOf(mark)
    const end = start < 0 ? -1 : before.indexOf(10, start)
    if (end < 0) return
    const [, word, number] = before.toString('utf8', start, end).split(' ')
    const rest = before.subarray(end + 1)
    before = undefined
    if (word !== 'group') failure = word
    resolve(number)
    passOn(rest)
  })
  channel.on('close', () => resolve(undefined))
  return { group, failure: () => failure ?? (before ? 'shell' : undefined) }
}

/** The end of a program, and how it is brought about. */
class Ending {
  readonly ended: Promise<{ exitCode: number | null; exitSignal: string | null }>
  readonly #access: Sessions
  readonly #group: Promise<string | undefined>
  #timer: NodeJS.Timeout | undefined

  constructor(access: Sessions, channel: SessionChannel, group: Promise<string | undefined>) {
    const { connection } = access
    this.#access = access
    this.#group = group
    this.ended = new Promise((resolve, reject) => {
      let exit: { exitCode: number | null; exitSignal: string | null } | undefined
      channel.on('exit', (code: number | null, name?: string) => {
        exit = { exitCode: code, exitSignal: name ? `SIG${name.replace(/^SIG/, '')}` : null }
      })
      const onLost = () => reject(connection.failure())
      connection.lost.addEventListener('abort', onLost, { once: true })
      channel.on('close', () => {
        connection.lost.removeEventListener('abort', onLost)
        if (exit) resolve(exit)
        else reject(connection.lost.aborted ? connection.failure() : endedSilently(connection))
      })
    })
    this.ended.catch(() => {}) // awaited later
  }

  async kill(signal: 'TERM' | 'KILL'): Promise<void> {
    const group = await this.#group
    if (group === undefined || !/^\d+$/.test(group)) return
    try {
      // As who started it: a signal to root's programs is root's to send.
      await this.#access.session(
        ['/bin/sh', '-c', killScript, 'sh', signal, group],
        (channel) => {
          channel.resume()
          channel.stderr.resume()
          channel.end()
        },
        { use: 'urgent' },
      )
    } catch {
      // The connection is gone, and with it whoever waited.
    }
  }

  async endGently(grace: number): Promise<void> {
    this.#timer = setTimeout(() => void this.kill('KILL'), grace)
    await this.kill('TERM')
  }

  settle(): void {
    clearTimeout(this.#timer)
  }
}

function endedSilently({ endpoint }: Sessions['connection']): HarmonyError {
  return new HarmonyError('command-failed', `${endpoint.name}: the program's end was not told`)
}

function cannotStart(argv: readonly string[], cwd: string, failure: string): HarmonyError {
  const [reason, hint] =
    failure === 'cwd'
      ? [
          `the working directory ${cwd} does not exist`,
          'create it first: declare a Directory for it, and `after`',
        ]
      : failure === 'program'
        ? ['there is no such program', 'install it, or give its absolute path']
        : ['the login shell did not run it', 'log in by hand and look for what its start-up files do']
  return new HarmonyError('command-failed', `${argv[0]}: cannot be started: ${reason}`, {
    hint,
    data: { program: argv[0] },
  })
}

function interrupted(argv: readonly string[]): HarmonyError {
  return new HarmonyError('interrupted', `${argv[0]}: ended because the command was interrupted`)
}
