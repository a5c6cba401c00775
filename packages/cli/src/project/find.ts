/** Finds the project file: the path given, or `harmony.ts` in the folder given. Parent folders are not searched. */
import { realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { HarmonyError } from '@harmony-iac/core/errors'

/** Names of project files, the first one found wins. */
const names = ['harmony.ts', 'harmony.mts', 'harmony.js', 'harmony.mjs'] as const

/** Where a project is. */
export interface ProjectPlace {
  /** Absolute. */
  readonly file: string
  /** The folder of the file: relative paths of the project start here. */
  readonly folder: string
}

/** @throws HarmonyError `project-unreadable` when there is no such file. */
export function findProject(cwd: string, given: string | undefined): ProjectPlace {
  const place = lookForProject(cwd, given)
  if (place) return place
  const path = resolve(cwd, given ?? '.')
  const there = statSync(path, { throwIfNoEntry: false })
  throw new HarmonyError(
    'project-unreadable',
    there ? `there is no harmony.ts in ${path}` : `${path} does not exist`,
    {
      hint: 'name the project with -p PATH, or write a new one with: harmony init my-site',
    },
  )
}

/** The same, `undefined` when there is none. */
export function lookForProject(cwd: string, given: string | undefined): ProjectPlace | undefined {
  const path = resolve(cwd, given ?? '.')
  const candidates = given !== undefined && isFile(path) ? [path] : names.map((name) => resolve(path, name))
  const found = candidates.find(isFile)
  if (found === undefined) return undefined
  // Node and the compiler go by the real path as well.
  const file = realpathSync(found)
  return { file, folder: dirname(file) }
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false // a part of the path is a file, or may not be entered
  }
}
