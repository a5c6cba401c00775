/** Plans on their way from `plan --out` to `apply --plan`: one JSON document, readable by its owner only, sealed. */
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { canonical, digest, type Plan } from '@harmony-iac/core'
import { HarmonyError } from '@harmony-iac/core/errors'

interface PlanFile {
  readonly harmony: 1
  readonly createdAt: string
  readonly plans: readonly Plan[]
}

const mostBytes = 256 * 1024 * 1024

/**
 * Writes plans into a file of mode 0600, at once. Returns its path.
 * @throws HarmonyError `system` when it cannot be written.
 */
export async function writePlanFile(cwd: string, path: string, plans: readonly Plan[]): Promise<string> {
  const file = resolve(cwd, path)
  const temporary = `${file}.${process.pid}.tmp`
  // What JSON does not write must not count for the digest either.
  const content: PlanFile = JSON.parse(
    JSON.stringify({ harmony: 1, createdAt: new Date().toISOString(), plans }),
  )
  try {
    await using handle = await open(temporary, 'wx', 0o600)
    await handle.writeFile(`${canonical({ ...content, digest: digest(content) })}\n`)
    await handle.sync()
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new HarmonyError(
      'system',
      `the plan cannot be saved as ${file} (${(error as NodeJS.ErrnoException).code})`,
      { cause: error },
    )
  }
  return file
}

/** @throws HarmonyError `invalid-project` when it is not a plan, or not as it was written. */
export async function readPlanFile(cwd: string, path: string): Promise<readonly Plan[]> {
  const file = resolve(cwd, path)
  const fail = (why: string, cause?: unknown) =>
    new HarmonyError('invalid-project', `${file} ${why}`, {
      hint: 'make a new one with harmony plan --out',
      cause,
    })
  let text: string
  try {
    const found = await stat(file)
    // A pipe would be waited for, and a device need not end.
    if (!found.isFile()) throw fail('is not a file')
    if (found.size > mostBytes) throw fail('is too big for a saved plan')
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof HarmonyError) throw error
    throw fail(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
  let value: Partial<PlanFile & { readonly digest: string }> | null
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw fail('is not a saved plan', error)
  }
  if (typeof value !== 'object' || value === null || !Array.isArray(value.plans))
    throw fail('is not a saved plan')
  if (value.harmony !== 1) throw fail('was saved by another version of Harmony')
  const { digest: sealed, ...content } = value
  if (sealed !== digest(content)) throw fail('has been changed since it was saved')
  return value.plans
}
