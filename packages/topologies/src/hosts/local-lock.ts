/**
 * An exclusive lock that ends with this process. Node has no flock(2), but the lock belongs to the open file, not to
 * a process: flock(1) is handed our descriptor, locks it and exits, and the lock is ours until we close it or die.
 * Unlike a child that holds the lock for as long as it lives, nothing stays behind that could be killed or outlive us.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { HarmonyError } from '@harmony-iac/core'
import type { HostLock, LockOptions } from '@harmony-iac/core/host'
import { isErrno } from './local-stat.ts'

const openLock = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW

/** As `Host.lock`. `searchPath` is where flock(1) is looked for. */
export async function lockLocally(
  path: string,
  options: LockOptions,
  searchPath = `${process.env.PATH ?? ''}:/usr/bin:/bin`,
): Promise<HostLock> {
  const until = performance.now() + options.waitMs
  const flock = (fd: number, how: readonly string[], patienceMs?: number) =>
    runFlock(fd, how, { path, searchPath, signal: options.signal, patienceMs })
  let asked = false
  for (;;) {
    const fd = openSync(path, openLock, 0o600)
    try {
      let held = await flock(fd, ['-n'])
      if (!held) {
        if (!asked) options.onWait?.(holderOf(path))
        asked = true
        const leftMs = until - performance.now()
        // Its own limit only matters if we are killed while it waits: nothing may be left behind for long.
        held = leftMs > 0 && (await flock(fd, ['-w', String(Math.ceil(leftMs / 1000))], leftMs))
      }
      if (!held) throw lockedBy(path, options.waitMs)
      // The holder before us may have unlinked the file, and somebody else may hold a new one by now.
      if (!isAt(path, fd)) {
        closeSync(fd)
        continue
      }
      ftruncateSync(fd)
      writeSync(fd, options.holder, 0)
      return holding(path, fd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }
}

function holding(path: string, fd: number): HostLock {
  let released = false
  return {
    // Only the end of this process ends the lock.
    lost: new AbortController().signal,
    async release({ removeFile = false } = {}) {
      if (released) return
      released = true
      try {
        if (removeFile && isAt(path, fd)) unlinkSync(path)
        else ftruncateSync(fd)
      } finally {
        closeSync(fd)
      }
    },
  }
}

interface FlockOptions {
  readonly path: string
  readonly searchPath: string
  readonly signal: AbortSignal | undefined
  readonly patienceMs: number | undefined
}

/**
 * Asks flock(1) to lock our open file. It ends with status 0, or with 1 when somebody else holds the lock for longer
 * than we have patience. What it complains about is read only where waiting takes long anyway: a pipe costs 2 ms.
 */
async function runFlock(
  fd: number,
  how: readonly string[],
  { path, searchPath, signal, patienceMs }: FlockOptions,
): Promise<boolean> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn('flock', ['-x', ...how, '3'], {
    stdio: ['ignore', 'ignore', patienceMs === undefined ? 'ignore' : 'pipe', fd],
    env: { PATH: searchPath },
    // Ctrl-C in the terminal is for us to act on.
    detached: true,
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  // Whoever stops waiting closes the descriptor: a lock that came at the last moment goes with it.
  const stopWaiting = () => child.kill('SIGKILL')
  const timer = patienceMs === undefined ? undefined : setTimeout(stopWaiting, patienceMs)
  signal?.addEventListener('abort', stopWaiting, { once: true })
  try {
    if (signal?.aborted) stopWaiting()
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (signal?.aborted) throw new HarmonyError('interrupted', 'interrupted while waiting for the lock')
    if (status === 0) return true
    if (complaint === '' && (status === 1 || status === null)) return false
    const reason = complaint.trim() || `it ended with status ${status}`
    throw new HarmonyError('command-failed', `flock: cannot lock ${path}: ${reason}`, {
      hint: 'the file system may have no locks, or this is not the flock of util-linux',
    })
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw new HarmonyError(
      'command-failed',
      'the program flock is missing, so nobody can be kept from working at the same time',
      {
        hint: 'install util-linux (apt install util-linux, apk add flock)',
        cause: error,
      },
    )
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stopWaiting)
  }
}

function isAt(path: string, fd: number): boolean {
  const [opened, there] = [
    fstatSync(fd, { bigint: true }),
    lstatSync(path, { bigint: true, throwIfNoEntry: false }),
  ]
  return there !== undefined && there.ino === opened.ino && there.dev === opened.dev
}

function holderOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim() || 'somebody who has not said who'
  } catch {
    return 'somebody unknown'
  }
}

function lockedBy(path: string, waitMs: number): HarmonyError {
  const holder = holderOf(path)
  return new HarmonyError(
    'locked',
    `${path} is held by ${holder}; waited ${Math.round(waitMs / 100) / 10} s`,
    {
      hint: 'let it finish, or end it: the lock goes with it',
      data: { path, holder },
    },
  )
}
