/** What the simulated files say of a thing, and how they refuse: in the words of a Linux host. */
import { hash } from 'node:crypto'
import { type Entry, inlineLimit, type Principal } from '../capabilities/files.ts'
import { HarmonyError, toHarmonyError } from '../errors.ts'
import { Killed } from './faults.ts'
import { type Inode, nameOf } from './simulated-disk.ts'

/** The error for a thing that only a person may take away. */
export function inTheWay(path: string, what: string, wanted: string): HarmonyError {
  return new HarmonyError('refused', `${path}: ${what} is there, where ${wanted} is wanted`, {
    hint: 'look at what is there, then move it away or remove it yourself',
    data: { path },
  })
}

/** The error for a thing that changed while what is to replace it was made. */
export function changedMeanwhile(path: string): HarmonyError {
  return new HarmonyError('plan-stale', `${path}: it has changed while the new content was prepared`, {
    hint: 'see who writes there, then plan and apply again; nothing was overwritten',
    data: { path },
  })
}

/** The error for content that its validator refuses. */
export function invalid(
  path: string,
  validate: readonly string[],
  exitCode: number | null,
  output: string,
): HarmonyError {
  const message = `${path}: its validation ended with status ${exitCode} (${validate.join(' ')})`
  return new HarmonyError('refused', output ? `${message}: ${output}` : message, {
    hint: 'correct the content; what was there is unchanged',
    data: { path, validate, exitCode, output },
  })
}

/** The content of a file as an entry has it. */
export function contentOf(bytes: Uint8Array, wanted: boolean): Extract<Entry, { type: 'file' }>['content'] {
  const size = bytes.length
  if (!wanted) return { bytes: undefined, sha256: undefined, size }
  if (size <= inlineLimit) return { bytes: bytes.slice(), size }
  return { bytes: undefined, sha256: hash('sha256', bytes, 'hex'), size }
}

/** Tells a thing from whatever takes its place. A directory changes with its entries, which are not it. */
export function fingerprintOf(node: Inode): string {
  return node.type === 'directory' ? `directory:${node.ino}` : `${node.ino}:${node.version}`
}

/** A user or group by number. */
export function principal(names: ReadonlyMap<string, number>, id: number): Principal {
  const name = nameOf(names, id)
  return { id, name: name === String(id) ? undefined : name }
}

/** The number of a user or group. @throws HarmonyError `no-such-user`. */
export function idOf(
  names: ReadonlyMap<string, number>,
  what: 'user' | 'group',
  given: string | number | undefined,
): number | undefined {
  if (given === undefined || typeof given === 'number') return given
  const id = names.get(given)
  if (id === undefined)
    throw new HarmonyError('no-such-user', `there is no ${what} "${given}" on this host`, {
      hint: `create it first (${what}add ${given}), or correct the name`,
      data: { name: given },
    })
  return id
}

/** Whatever goes wrong as an error of ours. */
export async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    throw thrown instanceof Killed ? thrown : toHarmonyError(thrown)
  }
}
