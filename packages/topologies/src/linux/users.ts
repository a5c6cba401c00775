/**
 * The capability `users` of a Linux host, over nothing but the port `Host`: the same here and over a connection. Looks
 * into the files; what changes things is loaded for the first change, since most passes make none.
 */
import { keyRings, toHarmonyError } from '@harmony-iac/core'
import type { FileSystem, UserAccounts, UserQuestion } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { accountFiles, inspectUser } from './accounts.ts'
import type { AccountChanges } from './change-accounts.ts'

const largestKeyFile = 16 * 1024 * 1024

/** The users of a Linux host. Keys are written through `files`. */
export function linuxUsers(host: Host, files: FileSystem): UserAccounts {
  const from = accountFiles(host)
  let turn: Promise<unknown> = Promise.resolve()

  /** One change after the other: the programs lock the same files, and a change must see what the one before has made. */
  async function inTurn(work: (changes: AccountChanges) => Promise<void>): Promise<void> {
    const mine = turn.then(async () => {
      const { AccountChanges } = await import('./change-accounts.ts')
      await work(new AccountChanges(host, from))
    })
    turn = mine.catch(() => undefined)
    await explained(() => mine)
  }

  const user = (name: string, question: UserQuestion = {}) =>
    explained(() => inspectUser(host, from, name, question))
  return {
    user,
    group: (name) => explained(async () => (await from.accounts()).groups.get(name)),
    userNumbered: (uid) => explained(async () => (await from.accounts()).usersById.get(uid)?.name),
    groupNumbered: (gid) => explained(async () => (await from.accounts()).groupsById.get(gid)?.name),
    putUser: (name, wanted, how) => inTurn((changes) => changes.putUser(name, wanted, how)),
    removeUser: (name, what, how) => inTurn((changes) => changes.removeUser(name, what, how)),
    putGroup: (name, wanted, how) => inTurn((changes) => changes.putGroup(name, wanted, how)),
    removeGroup: (name, how) => inTurn((changes) => changes.removeGroup(name, how)),
    ...keyRings({
      files,
      user,
      readLarge: async (path) => (await host.files.read(path, largestKeyFile))?.bytes,
    }),
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toHarmonyError(error)
  }
}
