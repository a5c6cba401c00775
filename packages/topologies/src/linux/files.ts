/** The capability `files` of a Linux host, over nothing but the port `Host`: the same here and over a connection. */
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { FileSystem } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { isErrno } from '#linux/folders'
import { type Keeping, keep, putBack } from '#linux/kept'
import { inspect, list, resolveLink } from '#linux/look'
import { splitPath, temporaryName } from '#linux/names'
import { linuxPrincipals } from '#linux/principals'
import { eachTurn } from '#linux/turn'
import { cleanUp, makeDirectory, makeSymlink, remove, setAttributes, writeFile } from '#linux/write'

/** Options of {@link linuxFiles}. */
export interface LinuxFilesOptions {
  /** The folder for copies of adopted things; made when first needed. */
  keepFolder(): Promise<string>
}

/** The files of a Linux host. */
export function linuxFiles(host: Host, options: LinuxFilesOptions): FileSystem {
  // `folder` of an entry only guards a later write, which looks again: an old answer can refuse, never mislead.
  const canonicalFolder = eachTurn(async (folder: string) => {
    try {
      const canonical = await host.files.realpath(folder)
      return (await host.files.lstat(canonical))?.type === 'directory' ? canonical : undefined
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  })
  const on: Keeping = {
    host,
    principals: linuxPrincipals(host),
    canonicalFolder,
    changed: canonicalFolder.forget,
    keepFolder: options.keepFolder,
  }
  return {
    inspect: (path, how) => about(path, () => inspect(on, path, how)),
    list: (path) => about(path, () => list(on, path)),
    resolve: (path) => about(path, () => resolveLink(on, path)),
    async checkPrincipals({ owner, group }) {
      if (owner !== undefined) await on.principals.numbered('passwd', owner)
      if (group !== undefined) await on.principals.numbered('group', group)
    },
    writeFile: (path, content, how) =>
      about(path, () => writeFile(on, path, content instanceof Uint8Array ? content : content.open(), how)),
    makeDirectory: (path, how) => about(path, () => makeDirectory(on, path, how)),
    makeSymlink: (path, target, how) => about(path, () => makeSymlink(on, path, target, how)),
    setAttributes: (path, how) => about(path, () => setAttributes(on, path, how)),
    remove: (path, how) => about(path, () => remove(on, path, how)),
    keep: (path) => about(path, () => keep(on, path)),
    putBack: (path, kept) => about(path, () => putBack(on, path, kept)),
    cleanUp: (path) => about(path, () => cleanUp(on, path)),
  }
}

/** Errors speak of the path that people know: not of a temporary name beside it. */
async function about<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSystemError(error)) throw toHarmonyError(error)
    const { folder, name } = splitPath(path)
    const temporary = error.path === `${folder === '/' ? '' : folder}/${temporaryName(name)}`
    const told = Object.assign(new Error(error.message, { cause: error }), {
      code: error.code,
      syscall: error.syscall,
      path: temporary || error.path === undefined ? path : error.path,
    })
    throw toHarmonyError(told)
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && !(error instanceof HarmonyError)
}
