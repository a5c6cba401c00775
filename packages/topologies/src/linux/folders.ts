/** Folders that are Harmony's own: made when first needed, owner-only, parents included. */
import type { Host, PinnedFolder } from '@harmony-iac/core/host'
import { splitPath } from './names.ts'

/** Pins a folder, making it and its parents (mode 0700) when they are missing. */
export async function ensureFolder(host: Host, path: string): Promise<PinnedFolder> {
  const there = await pinIfThere(host, path)
  if (there) return there
  const { folder, name } = splitPath(path)
  const parent = await ensureFolder(host, folder)
  try {
    try {
      await parent.mkdir(name, { mode: 0o700 })
      await parent.sync()
    } catch (error) {
      // Somebody else made it meanwhile.
      if (!isErrno(error, 'EEXIST')) throw error
    }
    return await parent.pin(name)
  } finally {
    await parent.close()
  }
}

/** Pins a folder; `undefined` when it is missing. */
export async function pinIfThere(host: Host, path: string): Promise<PinnedFolder | undefined> {
  try {
    return await host.files.pin(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Does something in a folder and lets go of it. */
export async function using<T>(folder: PinnedFolder, work: (folder: PinnedFolder) => Promise<T>): Promise<T> {
  try {
    return await work(folder)
  } finally {
    await folder.close()
  }
}

/** Makes an entry under a temporary name, in the place of what a killed pass may have left there. */
export async function afresh(
  folder: PinnedFolder,
  candidate: string,
  make: () => Promise<void>,
): Promise<void> {
  try {
    await make()
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    await folder.unlink(candidate)
    await make()
  }
}

/** Unlinks a name; tells whether it was there. */
export async function unlinkIfThere(folder: PinnedFolder, name: string): Promise<boolean> {
  // Looking first is far cheaper than an error, and mostly nothing is there.
  if (!(await folder.lstat(name))) return false
  try {
    await folder.unlink(name)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Removes a folder that is empty; tells whether it is gone. One that may not be removed stays, which is no failure:
 * where it is a mount point or its parent is not ours to change, it was not Harmony who made it.
 */
export async function removeIfEmpty(parent: PinnedFolder, name: string): Promise<boolean> {
  try {
    await parent.rmdir(name)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** Whether an error is one of these of the system: `ENOENT`. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}
