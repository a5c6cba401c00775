/** What files, directories and links have in common besides attributes: kept copies, removal, making way. */
import { type Claim, claim, HarmonyError, type Json } from '@harmony-iac/core'
import type { Entry, FileSystem, KeptEntry } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import type { WantedAttributes } from './attributes.ts'
import { type Place, refuseElsewhere, refuseMoved } from './place.ts'

/** What stands on the host under the wanted type's name, for a difference of the thing itself. */
export type EntryType = Entry['type']

const keptSchema = z.strictObject({
  at: z.string(),
  entry: z.looseObject({ type: z.string() }),
})

/** Keeps aside what is at a path; the result is stored in the ledger. */
export async function keepAside(files: FileSystem, at: string): Promise<Json> {
  return { at, entry: await files.keep(at) }
}

/**
 * Puts back what {@link keepAside} kept, to where it was. A directory and what is none cannot replace each other at
 * once, so ours goes first then.
 */
export async function putBack(
  files: FileSystem,
  previous: Json,
  remembered: Place | undefined,
): Promise<void> {
  const parsed = keptSchema.safeParse(previous)
  if (!parsed.success)
    throw new HarmonyError('ledger-corrupt', 'the ledger does not say what was there before', {
      hint: 'restore it by hand, and remove the Score with retain: true',
      cause: parsed.error,
    })
  const { at, entry: kept } = parsed.data
  await refuseElsewhere(files, at, remembered)
  const now = await files.inspect(at)
  if (now.type === 'directory' && kept.type !== 'directory') await clearDirectory(files, at, now, kept.type)
  else if (now.type !== 'absent' && now.type !== 'directory' && kept.type === 'directory') {
    const outcome = await files.remove(at, { fingerprint: now.fingerprint, folder: now.folder })
    if (outcome === 'changed') throw changedMeanwhile(at)
  }
  await files.putBack(at, kept as KeptEntry)
}

/**
 * Removes what stands at a path if it is of a type that we may have put there; anything else is somebody's.
 * Tells what was left, so that a person learns of it.
 * @throws HarmonyError `refused` when the path leads into another folder than the `remembered` one.
 */
export async function removeIf(
  files: FileSystem,
  at: string,
  ours: readonly EntryType[],
  remembered: Place | undefined,
): Promise<'gone' | 'not-empty' | 'other'> {
  // It may change between the look and the removal: then it is looked at again, twice at most.
  for (let attempt = 0; attempt < 3; attempt++) {
    const entry = await files.inspect(at)
    if (entry.type === 'absent') return 'gone'
    refuseMoved(at, entry, remembered)
    if (!ours.includes(entry.type)) return 'other'
    const outcome = await files.remove(at, { fingerprint: entry.fingerprint, folder: entry.folder })
    if (outcome === 'removed' || outcome === 'absent') return 'gone'
    if (outcome === 'not-empty') return outcome
  }
  throw new HarmonyError('plan-stale', `${at} keeps changing while it is being removed`, {
    hint: 'see who writes there, and apply again',
    data: { path: at },
  })
}

/**
 * Removes an empty directory that stands where something else is wanted. A link or a special file needs no removal:
 * the new thing replaces it at once.
 * @throws HarmonyError `refused` for a directory that holds anything.
 */
export async function clearDirectory(
  files: FileSystem,
  at: string,
  entry: Entry,
  wanted: string,
): Promise<void> {
  if (entry.type !== 'directory') return
  const outcome = await files.remove(at, { fingerprint: entry.fingerprint, folder: entry.folder })
  if (outcome === 'not-empty')
    throw new HarmonyError(
      'refused',
      `${at} is a directory that is not empty, and a ${wanted} is wanted there`,
      {
        hint: `move what is in ${at} elsewhere, or choose another path for the ${wanted}`,
        data: { path: at },
      },
    )
  if (outcome === 'changed') throw changedMeanwhile(at)
}

/** What is to stand at a path when the new thing comes, after {@link clearDirectory}: for `writeFile` and `makeSymlink`. */
export function observed(entry: Entry): string {
  return entry.type === 'absent' || entry.type === 'directory' ? 'absent' : entry.fingerprint
}

/** The error for a thing that is not what was observed a moment ago. */
export function changedMeanwhile(at: string): HarmonyError {
  return new HarmonyError('plan-stale', `${at} changed while it was being worked on`, {
    hint: 'plan and apply again',
    data: { path: at },
  })
}

// Thousands of files stand on one folder: the list for each would be the same.
let lastFolder = ''
let lastUses: readonly Claim[] = []

/** What an entry stands on: the folder that holds it, and the user and group that are named. */
export function standsOn(at: string, { owner, group }: WantedAttributes): readonly Claim[] {
  const folder = claim.folderOf(at)
  if (folder !== lastFolder) {
    lastFolder = folder
    lastUses = Object.freeze([claim.path(folder)])
  }
  if (typeof owner !== 'string' && typeof group !== 'string') return lastUses
  const uses: Claim[] = [...lastUses]
  if (typeof owner === 'string') uses.push(claim.name('user', owner))
  if (typeof group === 'string') uses.push(claim.name('group', group))
  return uses
}
