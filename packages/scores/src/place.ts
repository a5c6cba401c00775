/**
 * Where a thing was put: the canonical folder, remembered when it is written. A path may lead elsewhere by the time the
 * thing is to be removed (its folder swapped for a link); what stands there then is not what we have put anywhere.
 */
import { claim, HarmonyError, type Json, type Run } from '@harmony-iac/core'
import type { Entry, FileSystem } from '@harmony-iac/core/capabilities'
import * as z from 'zod'

/** What a place is remembered as. */
export interface Place {
  /** Where the thing is: its path, or with `follow` where the link there led to. */
  readonly at: string
  /** The canonical path of the folder that holds it. Unknown to ledgers of earlier versions. */
  readonly folder?: string | undefined
}

// Nearly every thing is where its path says, and a ledger holds thousands.
const here = 'here'

const memorySchema = z.object({
  /** The path that was declared: after a rename the memory of the old one says nothing of the new one. */
  path: z.string().optional(),
  at: z.string(),
  folder: z.string().optional(),
})

/** Remembers where a thing is put, unless that is known already. */
export function rememberPlace(
  run: Pick<Run<unknown>, 'memory' | 'remember'>,
  path: string,
  at: string,
  { folder }: Entry,
): void {
  // What follows fails for want of the folder.
  if (folder === undefined) return
  const known = rememberedPlace(run.memory, path)
  if (known?.at === at && known.folder === folder) return
  run.remember(at === path && folder === claim.folderOf(path) ? here : { path, at, folder })
}

/** Where a thing was put; `undefined` for what was found as wanted and never written. */
export function rememberedPlace(memory: Json | undefined, path: string): Place | undefined {
  if (memory === here) return { at: path, folder: claim.folderOf(path) }
  const parsed = memorySchema.safeParse(memory)
  if (!parsed.success || (parsed.data.path ?? path) !== path) return undefined
  return parsed.data
}

/**
 * Refuses to remove what stands at a path that leads into another folder than the one that was written in.
 * @throws HarmonyError `refused`.
 */
export async function refuseElsewhere(
  files: FileSystem,
  at: string,
  remembered: Place | undefined,
): Promise<void> {
  if (remembered?.folder === undefined || remembered.at !== at) return
  const entry = await files.inspect(at)
  if (entry.type !== 'absent') refuseMoved(at, entry, remembered)
}

/** As {@link refuseElsewhere}, of what was inspected already. */
export function refuseMoved(at: string, { folder }: Entry, remembered: Place | undefined): void {
  if (remembered?.folder === undefined || remembered.at !== at || remembered.folder === folder) return
  const was = remembered.folder
  throw new HarmonyError(
    'refused',
    `${at} is not removed: it was put into ${was}, and its path leads into ${folder} now`,
    {
      hint:
        `if somebody put a link in the way, put the folder back and try again; if it was moved on purpose, look at ` +
        `what is in ${was} and in ${folder}, remove by hand what is to go, and try again`,
      data: { path: at, folder: was, found: folder },
    },
  )
}
