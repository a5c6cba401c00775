/** The capability `files` of a Linux host, over nothing but the port `Host`: the same here and over a connection. */
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import type { FileSystem } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import type { Keeping } from './kept.ts'
import { inspect, inspectNow, list, lookAround, resolveLink } from './look.ts'
import { joinPath, splitPath, temporaryName } from './names.ts'
import { linuxPrincipals } from './principals.ts'
import { eachTurn } from './turn.ts'

/** Options of {@link linuxFiles}. */
export interface LinuxFilesOptions {
  /** The folder for copies of adopted things; made when first needed. */
  keepFolder(): Promise<string>
}

/** The files of a Linux host. */
export function linuxFiles(host: Host, options: LinuxFilesOptions): FileSystem {
  const principals = linuxPrincipals(host)
  // `folder` of an entry only guards a later write, which looks again: an old answer can refuse, never mislead.
  const surroundings = eachTurn((folder: string) => lookAround(host, principals, folder))
  const on: Keeping = {
    host,
    principals,
    surroundings,
    changed: surroundings.forget,
    keepFolder: options.keepFolder,
  }
  return {
    inspect(path, how) {
      try {
        const entry = inspectNow(on, path, how)
        return entry ? Promise.resolve(entry) : about(path, () => inspect(on, path, how))
      } catch (error) {
        return Promise.reject(told(path, error))
      }
    },
    inspectNow(path) {
      try {
        return inspectNow(on, path, { content: true })
      } catch {
        return undefined // `inspect` says what is wrong
      }
    },
    list: (path) => about(path, () => list(on, path)),
    resolve: (path) => about(path, () => resolveLink(on, path)),
    async checkPrincipals({ owner, group }) {
      if (owner !== undefined) await on.principals.numbered('passwd', owner)
      if (group !== undefined) await on.principals.numbered('group', group)
    },
    writeFile: (path, content, how) =>
      about(path, async () => {
        const bytes = content instanceof Uint8Array ? content : content.open()
        await (await writing()).writeFile(on, path, bytes, how)
      }),
    makeDirectory: (path, how) => about(path, async () => (await writing()).makeDirectory(on, path, how)),
    makeSymlink: (path, to, how) => about(path, async () => (await writing()).makeSymlink(on, path, to, how)),
    setAttributes: (path, how) => about(path, async () => (await writing()).setAttributes(on, path, how)),
    remove: (path, how) => about(path, async () => (await writing()).remove(on, path, how)),
    keep: (path) => about(path, async () => (await keeping()).keep(on, path)),
    putBack: (path, kept) => about(path, async () => (await keeping()).putBack(on, path, kept)),
    cleanUp: (path) => about(path, async () => (await writing()).cleanUp(on, path)),
  }
}

// Most passes change nothing: what changes things is loaded for the first change.
const writing = once(() => import('./write.ts'))
const keeping = once(() => import('./kept.ts'))

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => {
    loaded ??= load()
    return loaded
  }
}

async function about<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw told(path, error)
  }
}

/** An error that speaks of the path that people know, not of a temporary name beside it. */
function told(path: string, error: unknown): HarmonyError {
  if (!isSystemError(error)) return toHarmonyError(error)
  const { folder, name } = splitPath(path)
  const temporary = error.path === joinPath(folder, temporaryName(name))
  const { code, syscall, hint } = error
  const at = temporary || error.path === undefined ? path : error.path
  return toHarmonyError(
    Object.assign(new Error(error.message, { cause: error }), { code, syscall, path: at, hint }),
  )
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly hint?: string } {
  return error instanceof Error && 'syscall' in error && !(error instanceof HarmonyError)
}
