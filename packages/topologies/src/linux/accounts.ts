/**
 * The accounts of a Linux host as its files have them: passwd(5), group(5), shadow(5). Each file is read again only when
 * it is another one, so that a thousand questions cost one read. Accounts from other sources (LDAP) are not in them, and
 * cannot be changed here.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { UserAccount, UserQuestion } from '@harmony-iac/core/capabilities'
import type { FileStat, Host } from '@harmony-iac/core/host'
import { isErrno } from './folders.ts'
import { eachTurn } from './turn.ts'

/** A line of passwd(5). */
export interface PasswdLine {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly comment: string
  readonly home: string
  readonly shell: string
}

/** A line of group(5). */
export interface GroupLine {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/** Users and groups; of several with one name or number the first counts, as in the C library. */
export interface Accounts {
  readonly users: ReadonlyMap<string, PasswdLine>
  readonly usersById: ReadonlyMap<number, PasswdLine>
  readonly groups: ReadonlyMap<string, GroupLine>
  readonly groupsById: ReadonlyMap<number, GroupLine>
  /** For each user the groups whose members it is among, sorted. */
  readonly memberships: ReadonlyMap<string, readonly string[]>
}

/** Reads accounts. */
export interface AccountFiles {
  accounts(): Promise<Accounts>
  /** What stands for each password. @throws HarmonyError `system` for who may not read that. */
  passwords(): Promise<ReadonlyMap<string, string>>
  /** Call it after a change: what was read is looked at again. */
  changed(): void
}

interface Cached<T> {
  readonly stat: FileStat | undefined
  readonly value: T
}

const largest = 64 * 1024 * 1024

/** Reads the accounts of a host. */
export function accountFiles(host: Host): AccountFiles {
  const cache = new Map<string, Cached<string>>()
  let made: { readonly passwd: string; readonly group: string; readonly accounts: Accounts } | undefined
  let shadow: { readonly text: string; readonly passwords: ReadonlyMap<string, string> } | undefined

  const textOf = eachTurn(async (path: string): Promise<string> => {
    // A symbolic link where the root file system is read-only.
    const at = (await host.files.lstat(path))?.type === 'symlink' ? await host.files.realpath(path) : path
    const stat = await host.files.lstat(at)
    const known = cache.get(path)
    if (known && sameFile(known.stat, stat)) return known.value
    const read = await host.files.read(at, largest)
    const value = Buffer.from(read?.bytes ?? []).toString('utf8')
    cache.set(path, { stat: read?.stat, value })
    return value
  })

  return {
    async accounts() {
      const [passwd, group] = await Promise.all([textOf('/etc/passwd'), textOf('/etc/group')])
      if (made?.passwd !== passwd || made.group !== group)
        made = { passwd, group, accounts: parseAccounts(passwd, group) }
      return made.accounts
    },
    async passwords() {
      try {
        const text = await textOf('/etc/shadow')
        if (shadow?.text !== text) shadow = { text, passwords: parseShadow(text) }
        return shadow.passwords
      } catch (error) {
        if (!isErrno(error, 'EACCES', 'EPERM')) throw error
        throw new HarmonyError(
          'system',
          'passwords cannot be looked at: /etc/shadow may be read by root only',
          {
            hint: 'run as root, or leave out password',
            cause: error,
            data: { errno: error.code, path: '/etc/shadow' },
          },
        )
      }
    },
    changed: textOf.forget,
  }
}

/** A user as its files have it; `undefined` when they have none. */
export async function inspectUser(
  host: Host,
  from: AccountFiles,
  name: string,
  question: UserQuestion,
): Promise<UserAccount | undefined> {
  const { users, groupsById, memberships } = await from.accounts()
  const line = users.get(name)
  if (!line) return undefined
  return {
    ...line,
    group: groupsById.get(line.gid)?.name,
    groups: memberships.get(name) ?? [],
    password: question.password ? ((await from.passwords()).get(name) ?? '') : undefined,
    homeExists: question.home ? await existsAt(host, line.home) : undefined,
  }
}

/** Whether something stands at a path; a link that leads nowhere is nothing. */
export async function existsAt({ files }: Host, path: string): Promise<boolean> {
  const stat = await files.lstat(path)
  if (stat?.type !== 'symlink') return stat !== undefined
  try {
    await files.realpath(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false
    throw error
  }
}

/** The accounts in the text of /etc/passwd and /etc/group. */
export function parseAccounts(passwd: string, group: string): Accounts {
  const users = new Map<string, PasswdLine>()
  const usersById = new Map<number, PasswdLine>()
  for (const [name, , uid, gid, comment = '', home = '', shell = ''] of linesOf(passwd)) {
    if (!isNumber(uid) || !isNumber(gid)) continue
    const line = { name, uid: Number(uid), gid: Number(gid), comment, home, shell }
    if (!users.has(name)) users.set(name, line)
    if (!usersById.has(line.uid)) usersById.set(line.uid, line)
  }
  const groups = new Map<string, GroupLine>()
  const groupsById = new Map<number, GroupLine>()
  const memberships = new Map<string, string[]>()
  for (const [name, , gid, list = ''] of linesOf(group)) {
    if (!isNumber(gid)) continue
    const line = { name, gid: Number(gid), members: namesIn(list) }
    if (!groups.has(name)) {
      groups.set(name, line)
      for (const member of line.members) {
        const known = memberships.get(member)
        if (known) known.push(name)
        else memberships.set(member, [name])
      }
    }
    if (!groupsById.has(line.gid)) groupsById.set(line.gid, line)
  }
  for (const names of memberships.values()) names.sort()
  return { users, usersById, groups, groupsById, memberships }
}

/** What stands for each password in the text of /etc/shadow. */
export function parseShadow(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, password = ''] of linesOf(text)) if (!found.has(name)) found.set(name, password)
  return found
}

// Lines that begin with + or - stand for other sources (nsswitch.conf, compat).
function* linesOf(text: string): Generator<readonly [string, ...(string | undefined)[]]> {
  for (const line of text.split('\n')) {
    const [name = '', ...fields] = line.split(':')
    if (/^[^#+-]/.test(name)) yield [name, ...fields]
  }
}

function namesIn(list: string): readonly string[] {
  return [...new Set(list.split(',').filter((name) => name !== ''))].sort()
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d+$/.test(text)
}

function sameFile(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return (
    a?.inode === b?.inode && a?.ctimeNs === b?.ctimeNs && a?.mtimeNs === b?.mtimeNs && a?.size === b?.size
  )
}
