/**
 * The keys that users may log in with, in the files where OpenSSH looks for them: `.ssh/authorized_keys` in the home of
 * each. Stands on the capability `files` alone. The folder belongs to the user, who may put links in the way: where
 * they lead out of the home nothing is read and nothing is written, since it would be done with the rights of root.
 */
import { accountProblems } from './account-problems.ts'
import { parseKeys, withKeyLines } from './authorized-keys.ts'
import type { Entry, FileSystem } from './capabilities/files.ts'
import type { KeyRing, UserAccount, UserAccounts } from './capabilities/users.ts'
import { folderOf } from './claims.ts'
import { HarmonyError, isHarmonyError } from './errors.ts'

/** What key rings stand on. */
export interface KeyRingsOn {
  readonly files: FileSystem
  /** Whose home it is; `undefined` for a user who does not exist. */
  user(name: string): Promise<UserAccount | undefined>
  /** Reads a file that is too large for {@link FileSystem.inspect} to hold. */
  readLarge?(path: string): Promise<Uint8Array | undefined>
}

/** The part of {@link UserAccounts} that is about keys. */
export type KeyRings = Pick<UserAccounts, 'keys' | 'setKey' | 'cleanUpKeys'>

/** Where the keys of a user are. */
interface Place {
  /** As people know it. */
  readonly path: string
  /** Where that leads to, every link followed. */
  readonly at: string
  /** The canonical home, `undefined` when it does not exist. */
  readonly home: string | undefined
  readonly folder: Entry
  /** What stands at `at`. */
  readonly file: Entry
}

interface Read extends Place {
  readonly text: string
  readonly ring: KeyRing
}

/** A change of one key that somebody waits for. */
interface Edit {
  readonly blob: string
  readonly lines: readonly string[]
  done(): void
  failed(error: unknown): void
}

// Somebody else may be writing too: then it is read again.
const attempts = 4

/** The keys of a host's users. */
export function keyRings(on: KeyRingsOn): KeyRings {
  const { files } = on
  const known = new Map<string, { readonly print: string; readonly text: string; readonly ring: KeyRing }>()
  const reading = new Map<string, Promise<Read | undefined>>()
  const edits = new Map<string, Edit[]>()

  /** A thousand who ask for the keys of one user at once are answered by one look. */
  function look(user: string): Promise<Read | undefined> {
    const begun = reading.get(user) ?? read(user).finally(() => reading.delete(user))
    reading.set(user, begun)
    return begun
  }

  async function read(user: string): Promise<Read | undefined> {
    for (let attempt = 1; ; attempt++)
      try {
        return await readOnce(user)
      } catch (error) {
        if (attempt >= attempts || !isChange(error)) throw error
      }
  }

  async function readOnce(user: string): Promise<Read | undefined> {
    const account = await on.user(user)
    if (!account) return undefined
    const place = await find(files, account)
    const { path, at, file } = place
    if (file.type === 'absent') return { ...place, text: '', ring: { path, lines: [] } }
    const before = known.get(at)
    if (before?.print === file.fingerprint) return { ...place, ...before }
    const text = await textOf(at, file.fingerprint)
    const fresh = { print: file.fingerprint, text, ring: { path, lines: parseKeys(text) } }
    known.set(at, fresh)
    return { ...place, ...fresh }
  }

  /** Of the very file that was found: its folder belongs to somebody who may put another one there meanwhile. */
  async function textOf(at: string, print: string): Promise<string> {
    const entry = await files.inspect(at, { content: true })
    const large = entry.type === 'file' && !entry.content.bytes
    const bytes = large ? await on.readLarge?.(at) : entry.type === 'file' ? entry.content.bytes : undefined
    const after = large ? await files.inspect(at) : entry
    for (const each of [entry, after])
      if (each.type === 'absent' || each.fingerprint !== print) throw changedMeanwhile(at)
    if (!bytes)
      throw new HarmonyError('refused', `${at}: it is ${large ? 'too large' : 'no file'}`, {
        hint: 'look at what is there: it should be a file of keys, one on each line',
        data: { path: at },
      })
    // What is no UTF-8 would not come back as it was.
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      throw new HarmonyError('refused', `${at}: it holds text that is no UTF-8`, {
        hint: 'correct the line by hand: Harmony would not write it back as it is',
        data: { path: at },
      })
    }
  }

  /** Carries out what is waiting for one user, all of it with one write. */
  async function carryOut(user: string, batch: readonly Edit[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const account = await on.user(user)
      const found = await read(user)
      if (!account || !found) {
        if (batch.every(({ lines }) => lines.length === 0)) return
        throw accountProblems.noSuchUser(user)
      }
      const wanted = batch.reduce((text, { blob, lines }) => withKeyLines(text, blob, lines), found.text)
      try {
        if (wanted !== '') {
          if (wanted !== found.text) await write(account, found, wanted)
          return
        }
        await removeFile(found)
        await removeFolder(account, found)
        return
      } catch (error) {
        if (attempt >= attempts || !isChange(error)) throw error
      }
    }
  }

  /** One write after the other; what comes meanwhile shares the next one. */
  async function work(user: string, waiting: Edit[]): Promise<void> {
    for (let batch = waiting.splice(0); batch.length > 0; batch = waiting.splice(0))
      try {
        await carryOut(user, batch)
        for (const { done } of batch) done()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    edits.delete(user)
  }

  async function write(
    account: UserAccount,
    { at, path, home, folder, file }: Read,
    text: string,
  ): Promise<void> {
    const owner = { owner: account.uid, group: account.gid }
    if (home === undefined)
      throw new HarmonyError('refused', `${account.name} has no home: there is no folder ${account.home}`, {
        hint: `make it: createHome: true on the User, or a Directory at ${account.home}`,
        data: { user: account.name, home: account.home },
      })
    const { type, owner: of } = { owner: undefined, ...(await files.inspect(home)) }
    if (type !== 'directory' || (of?.id !== 0 && of?.id !== account.uid))
      throw outside(account.name, home, `it belongs to ${of?.name ?? of?.id}, not to ${account.name}`)
    const isNew = file.type === 'absent'
    // Also one that a killed pass has made, and not yet given away.
    const makesFolder =
      folder.type === 'absent' || (isNew && folder.type === 'directory' && folder.owner.id !== account.uid)
    if (makesFolder) await files.makeDirectory(folderOf(path), { ...owner, mode: '0700', folder: home })
    await files.writeFile(at, Buffer.from(text), {
      // A file that is there keeps its owner and mode: who lets root alone change the keys has a reason.
      ...(isNew && { ...owner, mode: '0600' }),
      folder: folder.type === 'absent' ? `${home === '/' ? '' : home}/.ssh` : file.folder,
      fingerprint: isNew ? 'absent' : file.fingerprint,
    })
  }

  async function removeFile({ at, file }: Read): Promise<void> {
    if (file.type === 'absent') return
    const outcome = await files.remove(at, { fingerprint: file.fingerprint, folder: file.folder })
    if (outcome === 'changed') throw changedMeanwhile(at)
  }

  /** Only a folder as we make it, or have half made: another one is somebody's arrangement. One that holds anything stays. */
  async function removeFolder({ uid }: UserAccount, { path, folder, file }: Read): Promise<void> {
    if (folder.type !== 'directory') return
    const whole = folder.mode === '0700' && folder.owner.id === uid
    const half = file.type === 'absent' && folder.owner.id !== uid
    if (!whole && !half) return
    await files.remove(folderOf(path), { fingerprint: folder.fingerprint, folder: folder.folder })
  }

  return {
    keys: async (user) => (await look(user))?.ring,
    setKey: (user, blob, lines) =>
      new Promise((done, failed) => {
        const edit = { blob, lines, done, failed }
        const waiting = edits.get(user)
        if (waiting) {
          waiting.push(edit)
          return
        }
        const begun = [edit]
        edits.set(user, begun)
        // Never fails: whoever waits is told.
        void work(user, begun)
      }),
    async cleanUpKeys(user) {
      const account = await on.user(user)
      if (!account) return
      const { at, home } = await find(files, account)
      if (home !== undefined) await files.cleanUp(at)
    },
  }
}

function isChange(error: unknown): boolean {
  return isHarmonyError(error) && error.code === 'plan-stale'
}

function changedMeanwhile(at: string): HarmonyError {
  return new HarmonyError('plan-stale', `${at} changed while it was being worked on`, {
    hint: 'see who writes there, and apply again',
    data: { path: at },
  })
}

/** @throws HarmonyError `refused` where a link leads out of the home. */
async function find(files: FileSystem, { name, home }: UserAccount): Promise<Place> {
  // An empty field means `/` to login(1), which is nobody's home.
  if (!home.startsWith('/')) throw outside(name, `${home || '(none)'}/.ssh`, `${name} has no home`)
  const root = home === '/' ? '' : home
  const folderPath = `${root}/.ssh`
  const path = `${folderPath}/authorized_keys`
  const folder = await files.inspect(folderPath)
  const canonicalHome = folder.folder
  const file = await files.inspect(path)
  const place = { path, home: canonicalHome, folder }
  if (canonicalHome === undefined || folder.type === 'absent') return { ...place, at: path, file }
  if (file.folder === undefined) throw outside(name, folderPath, 'it is no folder')
  demandWithin(name, file.folder, canonicalHome, folderPath)
  if (file.type !== 'symlink') return { ...place, at: path, file }
  const at = await files.resolve(path)
  demandWithin(name, at, canonicalHome, path)
  return { ...place, at, file: await files.inspect(at) }
}

function demandWithin(user: string, leadsTo: string, home: string, path: string): void {
  if (leadsTo.startsWith(home === '/' ? '/' : `${home}/`)) return
  throw outside(user, path, `it leads to ${leadsTo}, out of the home of ${user}`)
}

function outside(user: string, path: string, why: string): HarmonyError {
  return new HarmonyError('refused', `${path}: ${why}`, {
    hint: `look at who made it, and put a folder of ${user}'s own in its place`,
    data: { user, path },
  })
}
