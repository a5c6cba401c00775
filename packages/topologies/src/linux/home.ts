/**
 * Where a Linux host keeps Harmony's ledger: a folder, readable by its owner only, made when the first lock is taken
 * and taken away when nothing is left in it. Reading makes nothing.
 */
import { resolve } from 'node:path/posix'
import {
  HarmonyError,
  type HomeLock,
  isHarmonyError,
  type StateHome,
  toHarmonyError,
} from '@harmony-iac/core'
import type { Host, HostFacts, HostLock, PinnedFolder } from '@harmony-iac/core/host'
import { thisMachine } from '../hosts/this-machine.ts'
import { afresh, ensureFolder, isErrno, pinIfThere, removeIfEmpty, unlinkIfThere, using } from './folders.ts'
import { isTemporaryName, joinPath, splitPath, temporaryName } from './names.ts'

const lockFile = 'lock'

/** The folder below the home that holds copies of adopted things. */
export const keptFolder = 'kept'

/**
 * The path of a host's state: `HARMONY_STATE_DIR`, else `/var/lib/harmony` for root, else the user's state folder
 * (XDG Base Directory Specification: a relative `XDG_STATE_HOME` is to be ignored).
 */
export function stateFolder(facts: HostFacts): string {
  const { HARMONY_STATE_DIR: own, XDG_STATE_HOME: xdg } = facts.env
  if (own) return resolve(facts.home, own)
  if (facts.uid === 0) return '/var/lib/harmony'
  return resolve(xdg?.startsWith('/') ? xdg : joinPath(facts.home, '.local/state'), 'harmony')
}

/** The state home of a host, in {@link stateFolder}. */
export function hostHome(host: Host, facts: HostFacts): StateHome {
  const path = stateFolder(facts)
  let held: HostLock | undefined

  async function lock(options: Parameters<StateHome['lock']>[0]): Promise<HomeLock> {
    for (let attempt = 0; ; attempt++) {
      try {
        await using(await ensureFolder(host, path), async () => {})
        const taken = await host.lock(joinPath(path, lockFile), options)
        held = taken
        return {
          lost: taken.lost,
          async release() {
            if (held === taken) held = undefined
            await taken.release()
          },
        }
      } catch (error) {
        // The last owner's `dissolve` took the folder away between the two calls.
        if (!isErrno(error, 'ENOENT') || attempt >= 10) throw error
      }
    }
  }

  async function dissolve(): Promise<void> {
    const folder = await pinIfThere(host, path)
    if (!folder) return
    await using(folder, async () => {
      const kept = joinPath(path, keptFolder)
      if ((await host.files.lstat(kept))?.type === 'directory') {
        await using(await folder.pin(keptFolder), async (inner) =>
          removeTemporaries(inner, await host.files.readdir(kept)),
        )
        await removeIfEmpty(folder, keptFolder)
      }
      const names = await host.files.readdir(path)
      await removeTemporaries(folder, names)
      // From here on others may lock a new file: nothing is written any more.
      await unlinkIfThere(folder, lockFile)
      if (names.every((name) => name === lockFile || isTemporaryName(name))) await removeHome()
    })
  }

  /** Removes the folder itself, provided that it is like those that {@link ensureFolder} makes. */
  async function removeHome(): Promise<void> {
    const { folder: parentPath, name } = splitPath(path)
    try {
      await using(await host.files.pin(parentPath), async (parent) => {
        const stat = await parent.lstat(name)
        // A link, or a folder with another mode, is a person's arrangement: the next apply is to find it.
        if (stat?.type !== 'directory' || stat.mode !== 0o700) return
        if (await removeIfEmpty(parent, name)) await parent.sync()
      })
    } catch (error) {
      // A parent that may not even be looked into.
      if (!isErrno(error, 'EACCES', 'EPERM', 'ENOENT')) throw error
    }
  }

  return {
    id: `${host.name}:${path}`,
    description: host.name === thisMachine ? path : `${host.name}:${path}`,
    lock: (options) => explained(() => lock(options)),
    read: (file) =>
      explained(async () => (await host.files.read(joinPath(path, file), Number.MAX_SAFE_INTEGER))?.bytes),
    append: (file, bytes) =>
      explained(async () => using(await host.files.pin(path), (folder) => folder.append(file, bytes))),
    replace: (file, bytes) =>
      explained(async () =>
        using(await host.files.pin(path), async (folder) => {
          const candidate = temporaryName(file)
          await afresh(folder, candidate, () => folder.create(candidate, bytes, {}))
          await folder.rename(candidate, file)
          await folder.sync()
        }),
      ),
    remove: (file) =>
      explained(async () => {
        const folder = await pinIfThere(host, path)
        if (!folder) return
        await using(folder, async () => {
          await unlinkIfThere(folder, temporaryName(file))
          if (await unlinkIfThere(folder, file)) await folder.sync()
        })
      }),
    async dissolve() {
      await explained(async () => {
        if (held) return dissolve()
        if (!(await host.files.lstat(path))) return
        // Without its lock the folder may be taken away from somebody who has just begun to use it.
        const own = await lock({ holder: 'harmony, tidying up', waitMs: 0 }).catch((error: unknown) => {
          if (isHarmonyError(error) && error.code === 'locked') return undefined
          throw error
        })
        if (!own) return
        try {
          await dissolve()
        } finally {
          await own.release()
        }
      })
    },
  }
}

/** What a killed `replace` or `keep` has left. */
async function removeTemporaries(folder: PinnedFolder, names: readonly string[]): Promise<void> {
  for (const name of names) if (isTemporaryName(name)) await unlinkIfThere(folder, name)
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS'))
      throw new HarmonyError('system', toHarmonyError(error).message, {
        hint: 'Harmony keeps its ledger there: run as the user who owns it, or set HARMONY_STATE_DIR to another folder',
        cause: error,
        data: { errno: error.code, path: error.path },
      })
    throw toHarmonyError(error)
  }
}
