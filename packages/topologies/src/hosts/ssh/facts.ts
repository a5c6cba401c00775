/** What is asked first of a host, in one session: the numbers and folders of whoever works there. */
import { randomBytes } from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core'
import type { HostFacts } from '@harmony-iac/core/host'
import type { SessionChannel } from '../sessions.ts'

/** Prints the facts after a mark, its first argument. */
export const factsScript = `printf '%s\\0' "$1" "$(id -u)" "$(id -g)" "$(id -un)" "$HOME" "$XDG_STATE_HOME" "$HARMONY_STATE_DIR" end`

/** Who works on a host. */
export interface Worker {
  readonly user: string
  readonly facts: HostFacts
}

/** What a session printed until its end, and how it ended. */
export interface Said {
  readonly out: string
  readonly err: string
  /** `null` when a signal ended it, `undefined` when nobody said. */
  readonly status: number | null | undefined
}

/** Stands before what is ours: login shells print things of their own. */
export const newMark = (): string => randomBytes(9).toString('base64url')

/** Collects what a session says; to be given to `session` as it is. */
export function listen(channel: SessionChannel): { readonly said: Promise<Said> } {
  let [out, err] = ['', '']
  let status: Said['status']
  channel.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  channel.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  channel.on('error', () => {}) // the end of the connection is told by `lost`
  channel.on('exit', (code: number | null) => {
    status = code
  })
  return { said: new Promise((resolve) => channel.once('close', () => resolve({ out, err, status }))) }
}

/** The facts in what was said; `undefined` when they are not there. */
export function readFacts(out: string, mark: string): Worker | undefined {
  const start = out.indexOf(mark)
  if (start < 0) return undefined
  const [, uid, gid, user, home, xdg, own, end] = out.slice(start).split('\0')
  if (end !== 'end' || user === undefined || home === undefined) return undefined
  const env = { XDG_STATE_HOME: xdg || undefined, HARMONY_STATE_DIR: own || undefined }
  return { user, facts: { uid: Number(uid), gid: Number(gid), home, env } }
}

/** The error when nothing of ours was run. */
export function ranNothing(name: string): HarmonyError {
  return new HarmonyError('unreachable', `${name}: the login shell ran nothing`, {
    hint: 'log in by hand and look for what its start-up files do',
  })
}
