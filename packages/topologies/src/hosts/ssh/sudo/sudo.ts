/**
 * Working as root although somebody else has logged in: every session is one of sudo(8). Where sudo wants a password, it
 * gets it on standard input, each time anew (`-k`): a ticket that it would remember belongs to a terminal, which we do not
 * have, and would let others in. Nothing waits for the prompt, which would cost each program a round trip: the password
 * is sent at once, and after it a mark. Whatever of it sudo has not read is read away up to that mark, so that a program
 * never gets to see it.
 */
import type { ClientChannel } from 'ssh2'
import type { Access } from '../access.ts'
import type { Endpoint } from '../connect.ts'
import type { Connection } from '../connection.ts'
import { factsScript, listen, newMark, ranNothing, readFacts, type Said, type Worker } from '../facts.ts'
import { commandLine } from '../quote.ts'
import { hideUntil } from './begun.ts'
import { dialThrough } from './relay.ts'
import { openSftpServer } from './sftp-server.ts'
import { type Supplicant, sudoError, sudoRefusal } from './sudo-errors.ts'

/** Gives the password that sudo wants of whoever has logged in; `refused` is the one that was not accepted. Throws when there is none. */
export type AskPassword = (endpoint: Endpoint, refused: string | undefined) => Promise<string>

const attempts = 3

// sudo's messages are read by us, so it speaks English. The home is root's: the ledger and much else hang on it.
const sudo = ['env', 'LC_ALL=C', 'sudo', '-H'] as const

// $1 the mark, $2 what is to be run. Whoever is root already needs nobody's leave.
const probe = `[ "$(id -u)" = 0 ] && { echo "$1 root"; exec /bin/sh -c "$2" sh "$1"; }
command -v sudo >/dev/null 2>&1 || { echo 'sudo: command not found' >&2; exit 127; }
exec ${sudo.join(' ')} -n -- /bin/sh -c "$2" sh "$1"`

// $1 is the mark. `read` takes no more from a pipe than a line.
const begin = `mark=$1; shift; echo "$mark"; echo "$mark" >&2; exec "$@"`
const beginAfterPassword = `mark=$1; shift
while IFS= read -r line; do [ "$line" = "$mark" ] && break; done
echo "$mark"; echo "$mark" >&2; exec "$@"`

/**
 * Becomes root, and says who works there now; `undefined` when that is who has logged in.
 * @throws HarmonyError `auth-failed`, and whatever `ask` does.
 */
export async function becomeRoot(
  connection: Connection,
  ask: AskPassword,
): Promise<{ readonly worker: Worker; readonly access: Access | undefined }> {
  const { endpoint } = connection
  const mark = newMark()
  const line = commandLine(['/bin/sh', '-c', probe, 'sh', mark, factsScript])
  const { said } = await connection.session(line, (channel) => {
    channel.end()
    return listen(channel)
  })
  const first = await ended(connection, said)
  const worker = readFacts(first.out.replace(`${mark} root\n`, ''), mark)
  if (worker && first.out.includes(`${mark} root\n`)) return { worker, access: undefined }
  if (worker) return { worker, access: new SudoAccess(connection, undefined) }
  const refusal = sudoRefusal(first.err, first.status)
  if (refusal !== 'password-needed') {
    if (first.err === '' && first.status === 0) throw ranNothing(endpoint.name)
    throw sudoError(endpoint, refusal, first.err)
  }
  let refused: string | undefined
  for (let attempt = 1; ; attempt++) {
    const password = await ask(connection.endpoint, refused)
    const found = await tryPassword(connection, password)
    if ('facts' in found) return { worker: found, access: new SudoAccess(connection, password) }
    const why = sudoRefusal(found.err, found.status)
    if (why !== 'wrong-password' || attempt >= attempts)
      throw sudoError(endpoint, why === 'password-needed' ? 'broken' : why, found.err)
    refused = password
  }
}

async function tryPassword(connection: Connection, password: string): Promise<Worker | Said> {
  const mark = newMark()
  const prompt = newMark()
  const line = commandLine([
    ...sudo,
    ...['-S', '-k', '-p', prompt, '--'],
    ...['/bin/sh', '-c', factsScript, 'sh', mark],
  ])
  const { said } = await connection.session(line, (channel) => {
    // The end of the input lets sudo give up after the first wrong one.
    channel.end(`${password}\n`)
    return listen(channel)
  })
  const all = await ended(connection, said)
  return readFacts(all.out, mark) ?? { ...all, err: all.err.replaceAll(prompt, '') }
}

async function ended(connection: Connection, said: Promise<Said>): Promise<Said> {
  return await Promise.race([
    said,
    new Promise<never>((_, reject) => {
      if (connection.lost.aborted) reject(connection.failure())
      connection.lost.addEventListener('abort', () => reject(connection.failure()), { once: true })
    }),
  ])
}

/** Everything as root. */
class SudoAccess implements Access {
  readonly connection: Connection
  readonly #password: string | undefined
  #sftp: ReturnType<Access['sftp']> | undefined

  constructor(connection: Connection, password: string | undefined) {
    this.connection = connection
    this.#password = password
  }

  session: Access['session'] = (argv, use, options) => {
    const mark = newMark()
    const prompt = newMark()
    const password = this.#password
    const [how, script] =
      password === undefined ? [['-n'], begin] : [['-S', '-k', '-p', prompt], beginAfterPassword]
    const line = commandLine([...sudo, ...how, '--', '/bin/sh', '-c', script, 'sh', mark, ...argv])
    return this.connection.session(
      line,
      (channel) => {
        this.#watch(channel, mark, prompt)
        if (password !== undefined) channel.write(`${password}\n${mark}\n`)
        return use(channel)
      },
      options,
    )
  }

  sftp: Access['sftp'] = () => {
    this.#sftp ??= openSftpServer(this)
    return this.#sftp
  }

  dial: Access['dial'] = (socketPath) => dialThrough(this, socketPath)

  /**
   * What sudo allowed a moment ago it refuses now: the password was changed, or the rules were. The connection is no
   * longer what it was, and ends with sudo's words for everybody who works with it.
   */
  #watch(channel: ClientChannel, mark: string, prompt: string): void {
    const who: Supplicant = this.connection.endpoint
    const { begun, complaint } = hideUntil(mark, channel, (heard) => {
      // Asked a second time: the first answer was not accepted.
      if (heard.split(prompt).length > 2) {
        this.connection.close(sudoError(who, 'wrong-password', ''))
        channel.close()
      }
    })
    let status: number | null | undefined
    channel.on('exit', (code: number | null) => {
      status = code
    })
    channel.once('close', () => {
      // A signal may have ended it before it began: that is what somebody wanted.
      if (begun() || typeof status !== 'number') return
      const said = complaint().replaceAll(prompt, '')
      const why = sudoRefusal(said, status)
      this.connection.close(sudoError(who, why === 'password-needed' ? 'wrong-password' : why, said))
    })
  }
}
