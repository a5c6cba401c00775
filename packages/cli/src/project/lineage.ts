/**
 * `harmony.lock`: which line of applies this project belongs to. Two projects of one name have different lineages, so
 * that neither deletes what the other made. It is made at the first apply and committed like any lock file. It names
 * its project, so that a copy of the folder does not take the original's things for its own.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { HarmonyError } from '@harmony-iac/core/errors'
import type { ProjectPlace } from './find.ts'

/** More than this is no lock file. */
const mostBytes = 64 * 1024

/** What stands in a lock file. */
export interface Lock {
  readonly lineage: string
  /** Absent in files of the first days. */
  readonly project?: string | undefined
}

/** `harmony.lock` for `harmony.ts`; of several project files in a folder each has its own: `NAME.harmony.lock`. */
export function lockFileOf({ file, folder }: ProjectPlace): string {
  const name = basename(file, extname(file))
  return join(folder, name === 'harmony' ? 'harmony.lock' : `${name}.harmony.lock`)
}

/** The lock of a project, if it has been applied before. @throws HarmonyError `invalid-project` when it is not valid. */
export function readLock(path: string): Lock | undefined {
  const hint = `restore ${basename(path)} from version control; without it Harmony does not know what belongs to this project`
  const invalid = (why: string, cause?: unknown) =>
    new HarmonyError('invalid-project', `${path} ${why}`, { hint, cause })
  let text: string
  try {
    const stat = statSync(path)
    // A pipe would be waited for, and a device need not end.
    if (!stat.isFile()) throw invalid('is not a file')
    if (stat.size > mostBytes) throw invalid('is too big for a lock file')
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof HarmonyError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new HarmonyError('invalid-project', `${path} cannot be read (${code})`, { cause: error })
  }
  let value: { readonly harmony?: unknown; readonly lineage?: unknown; readonly project?: unknown } | null
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(/^[<=>]{7}/m.test(text) ? 'has merge conflicts' : 'is not JSON')
  }
  if (value?.harmony !== 1) throw invalid('was not written by this version of Harmony')
  const { lineage, project } = value
  if (typeof lineage !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(lineage))
    throw invalid('has no valid lineage')
  if (project !== undefined && typeof project !== 'string') throw invalid('has no valid name of a project')
  return { lineage, project }
}

/** @throws HarmonyError `invalid-project` when the lock is one of another project. */
export function refuseOtherProject(path: string, lock: Lock | undefined, project: string): void {
  if (lock?.project === undefined || lock.project === project) return
  throw new HarmonyError(
    'invalid-project',
    `${path} belongs to the project ${lock.project}, and this one is ${project}`,
    { hint: 'for a copy delete it here; for a rename write the new name into it' },
  )
}

/** A lineage for a project that has none; it counts once {@link writeLock} has written it. */
export function newLineage(): string {
  return randomUUID()
}

/** What is written into a lock file, in one line. */
export function lockText({ lineage, project }: Lock): string {
  return JSON.stringify({ harmony: 1, lineage, project })
}

/**
 * Writes the lock of a first apply.
 * @throws HarmonyError `plan-stale` when another apply was first, `system` when it cannot be written.
 */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o644)
    await file.writeFile(`${JSON.stringify(JSON.parse(lockText(lock)), undefined, 2)}\n`)
    await file.sync()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      if (readLock(path)?.lineage === lock.lineage) return
      throw new HarmonyError('plan-stale', `another apply of this project was first and made ${path}`, {
        hint: 'run it again',
      })
    }
    // Half a lock file would stop every later command.
    await rm(path, { force: true }).catch(() => undefined)
    throw new HarmonyError('system', `${path} cannot be written (${code})`, {
      hint: 'the folder of the project must be writable at the first apply',
      cause: error,
    })
  }
}
