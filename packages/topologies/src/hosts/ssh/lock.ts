/**
 * The lock over a connection: flock(1) on a session of the very connection that does the work, so that it ends with
 * its holder. The shell there locks its own open file and then waits for the end of its input, which comes when we
 * release the lock, when the connection ends, or when we die.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { HostLock, LockOptions } from '@harmony-iac/core/host'
import type { SessionChannel, Sessions } from '../sessions.ts'

// $1 the file, $2 the seconds to wait, $3 who we are. Opened for appending, since whoever holds it has written there;
// whoever held it before us may have unlinked it meanwhile, and so may we. A shell that cannot open a file ends, which is
// why that is tried in another. BusyBox's flock cannot wait for a time: it is asked again and again. The last answer
// counts; `held` lines come before it. The file goes, if it is to, while the lock is still held: so nobody can have
// locked the one that goes.
const script = `umask 077
while :; do
  (: >>"$1") 2>/dev/null || { echo missing; exit 3; }
  exec 9>>"$1"
  flock -n -x 9 || {
    [ $? = 1 ] || exit 4
    echo "held $(cat "$1")"
    case $(flock --help 2>&1) in
    *-w*) flock -x -w "$2" 9 ;;
    *) left=$2
      until flock -n -x 9; do
        [ "$left" -gt 0 ] || break
        left=$((left - 1))
        sleep 1
      done
      flock -n -x 9 ;;
    esac || { echo "busy $(cat "$1")"; exit 1; }
  }
  [ "$1" -ef /proc/self/fd/9 ] && break
done
printf %s "$3" >"$1"
echo locked
said=$(cat)
[ "$1" -ef /proc/self/fd/9 ] || exit 0
if [ "$said" = remove ]; then rm -f "$1"; else : >"$1"; fi`

/** As `Host.lock`. */
export async function lockRemotely(access: Sessions, path: string, options: LockOptions): Promise<HostLock> {
  const { connection } = access
  const { holder, waitMs, signal } = options
  signal?.throwIfAborted()
  const seconds = String(Math.max(0, Math.ceil(waitMs / 1000)))
  const argv = ['/bin/sh', '-c', script, 'sh', path, seconds, holder] as const
  const lost = new AbortController()
  const { channel, closed, locked } = await access.session(
    argv,
    (opened) => ({
      channel: opened,
      closed: new Promise<void>((resolve) => opened.once('close', () => resolve())),
      locked: answerOf(connection, opened, path, options),
    }),
    { use: 'lasting' },
  )
  const onAbort = () => channel.end()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await locked
  } catch (error) {
    channel.end()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  const onLost = () => lost.abort(connection.failure())
  connection.lost.addEventListener('abort', onLost, { once: true })
  let released = false
  channel.once('close', () => {
    if (!released)
      lost.abort(
        connection.failure() ??
          new HarmonyError(
            'locked',
            `the lock ${path} was lost: the process that held it on the host has ended`,
          ),
      )
  })
  return {
    lost: lost.signal,
    async release({ removeFile = false } = {}) {
      if (released) return
      released = true
      connection.lost.removeEventListener('abort', onLost)
      channel.end(removeFile ? 'remove' : undefined)
      if (!connection.lost.aborted) await closed
    },
  }
}

/** What the shell there says of the lock: settled once it is ours, or will not be. */
function answerOf(
  connection: Sessions['connection'],
  channel: SessionChannel,
  path: string,
  { waitMs, signal, onWait }: LockOptions,
): Promise<void> {
  let complaint = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  channel.on('error', () => {})
  return new Promise<void>((resolve, reject) => {
    let text = ''
    let asked = false
    const onEnd = () => {
      if (connection.lost.aborted) reject(connection.failure())
      else if (signal?.aborted)
        reject(new HarmonyError('interrupted', 'interrupted while waiting for the lock'))
      else reject(cannotLock(path, complaint))
    }
    connection.lost.addEventListener('abort', onEnd, { once: true })
    channel.once('close', onEnd)
    channel.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end)
        text = text.slice(end + 1)
        const who = line.slice(5).trim() || 'somebody who has not said who'
        if (line === 'locked') {
          channel.off('close', onEnd)
          connection.lost.removeEventListener('abort', onEnd)
          resolve()
        } else if (line.startsWith('held ') && !asked) {
          asked = true
          if (waitMs > 0) onWait?.(who)
        } else if (line.startsWith('busy ')) reject(lockedBy(path, who, waitMs))
        else if (line === 'missing') reject(missing(path))
      }
    })
  })
}

function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: open '${path}'`), { code: 'ENOENT', syscall: 'open', path })
}

function lockedBy(path: string, holder: string, waitedMs: number): HarmonyError {
  return new HarmonyError(
    'locked',
    `${path} is held by ${holder}; waited ${Math.round(waitedMs / 100) / 10} s`,
    {
      hint: 'let it finish, or end it: the lock goes with it',
      data: { path, holder },
    },
  )
}

function cannotLock(path: string, complaint: string): HarmonyError {
  return new HarmonyError(
    'command-failed',
    `flock: cannot lock ${path}: ${complaint.trim() || 'the session ended'}`,
    {
      hint: 'flock of util-linux is needed on the host (apt install util-linux)',
    },
  )
}
