/**
 * `harmony.lock`: which line of applies this project belongs to. Two projects of one name have different lineages, so
 * that neither deletes what the other made. It is made at the first apply and committed like any lock file.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HarmonyError } from '@harmony-iac/core/errors'

const name = 'harmony.lock'
const hint = `restore ${name} from version control; without it Harmony does not know what belongs to this project`

/** The lineage in the folder of a project, if it has been applied before. */
export function readLineage(folder: string): string | undefined {
  const path = join(folder, name)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new HarmonyError('invalid-project', `${path} cannot be read (${code})`, { cause: error })
  }
  const invalid = (why: string) => new HarmonyError('invalid-project', `${path} ${why}`, { hint })
  let value: { readonly harmony?: unknown; readonly lineage?: unknown } | null
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(/^[<=>]{7}/m.test(text) ? 'has merge conflicts' : 'is not JSON')
  }
  if (value?.harmony !== 1) throw invalid('was not written by this version of Harmony')
  if (typeof value.lineage !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value.lineage))
    throw invalid('has no valid lineage')
  return value.lineage
}

/** A lineage for a project that has none; it counts once {@link writeLineage} has written it. */
export function newLineage(): string {
  return randomUUID()
}

/**
 * Writes the lineage of a first apply.
 * @throws HarmonyError `plan-stale` when another apply was first, `system` when it cannot be written.
 */
export async function writeLineage(folder: string, lineage: string): Promise<void> {
  const path = join(folder, name)
  try {
    await using file = await open(path, 'wx', 0o644)
    await file.writeFile(`${JSON.stringify({ harmony: 1, lineage }, undefined, 2)}\n`)
    await file.sync()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      if (readLineage(folder) === lineage) return
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
