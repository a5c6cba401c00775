/**
 * Changing the accounts of a Linux host, through the programs of the package `passwd`, which know about locks, shadow
 * files and caches. Each is given its arguments as they are, with `--option=value` and after `--`, so that no value can
 * be taken for an option; passwords go in on standard input. Every step looks first whether it is still needed: after a
 * kill all can be repeated.
 */
import { accountProblems, claim, HarmonyError } from '@harmony-iac/core'
import type {
  AccountChange,
  GroupAttributes,
  UserAccount,
  UserAttributes,
  UserRemoval,
} from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'
import { type AccountFiles, type Accounts, existsAt, inspectUser } from './accounts.ts'
import { isErrno } from './folders.ts'

// The programs wait for a lock of somebody else for 15 s; changing a number goes through all files of a home.
const timeoutMs = 600_000

/** What changes accounts. One at a time. */
export class AccountChanges {
  readonly #host: Host
  readonly #from: AccountFiles

  constructor(host: Host, from: AccountFiles) {
    this.#host = host
    this.#from = from
  }

  async putUser(name: string, wanted: UserAttributes, { signal }: AccountChange = {}): Promise<void> {
    const { password, locked = false, makeHome = false, shell } = wanted
    const look = async () => {
      this.#from.changed()
      return await inspectUser(this.#host, this.#from, name, {
        password: password !== undefined || locked,
        home: makeHome,
      })
    }
    const before = await look()
    await this.#refuse(name, wanted, before)
    if (shell !== undefined && shell !== before?.shell) await this.#demandShell(shell)
    if (!before) await this.#run(['useradd', ...optionsForNew(wanted), '--', name], { signal })
    else {
      const options = optionsFor(wanted, before)
      if (options.length > 0) await this.#run(['usermod', ...options, '--', name], { signal })
    }

    const there = await look()
    if (!there) throw new HarmonyError('command-failed', `useradd ended well, but there is no user ${name}`)
    // A host that lost its power between the files of useradd, which gives both the same number.
    const isLost = wanted.group === undefined && there.group === undefined && there.gid === there.uid
    if (isLost && !(await this.#from.accounts()).groups.has(name))
      await this.#run(['groupadd', `--gid=${there.gid}`, '--', name], { signal })
    // Leaves alone what is there; the template is /etc/skel.
    if (makeHome && there.homeExists === false) await this.#run(['mkhomedir_helper', name], { signal })
    // Locked as usermod does it; chpasswd makes a line in shadow(5) too, if one was lost with the power.
    const lock = locked && !isLocked(there.password ?? '')
    const wantedField = password ?? (lock ? `!${there.password}` : there.password)
    if (wantedField !== there.password)
      await this.#run(['chpasswd', '--encrypted'], { signal, stdin: `${name}:${wantedField}\n` })
  }

  async removeUser(name: string, what: UserRemoval, { signal }: AccountChange = {}): Promise<void> {
    this.#from.changed()
    const { users, groups } = await this.#from.accounts()
    const user = users.get(name)
    if (!user) return
    if (user.uid === 0) throw accountProblems.rootStays('be removed')
    if (what.home) {
      // userdel would find out only after the home is gone.
      await this.#refuseBusy(user)
      const home = await this.#homeToRemove(user, [...users.values()])
      // `--one-file-system`: what is mounted in there is not the user's.
      if (home !== undefined)
        await this.#run(['rm', '--recursive', '--force', '--one-file-system', '--', home], { signal })
    }
    await this.#run(['userdel', '--', name], { signal })
    // userdel takes an empty group of the user's name along, whoever made it; but not where USERGROUPS_ENAB is off.
    const group = groups.get(name)
    if (!group || group.gid !== user.gid) return
    const after = await this.#from.accounts()
    const left = after.groups.get(name)
    if (!left && !what.group) await this.#run(['groupadd', `--gid=${group.gid}`, '--', name], { signal })
    const inUse = left?.members.length || [...after.users.values()].some(({ gid }) => gid === group.gid)
    if (left && what.group && !inUse) await this.#run(['groupdel', '--', name], { signal })
  }

  async putGroup(name: string, wanted: GroupAttributes, { signal }: AccountChange = {}): Promise<void> {
    this.#from.changed()
    const { users, groups, groupsById } = await this.#from.accounts()
    const { gid, members, system = false } = wanted
    const holder = gid === undefined ? undefined : groupsById.get(gid)
    const before = groups.get(name)
    if (gid !== undefined && gid !== before?.gid && holder && holder.name !== name)
      throw accountProblems.taken('group', name, gid, holder.name)
    const unknown = members?.find((member) => !users.has(member))
    if (unknown !== undefined) throw accountProblems.noSuchUser(unknown)
    if (before?.gid === 0 && gid !== undefined && gid !== 0)
      throw accountProblems.rootStays('be given another number')
    const number = gid === undefined ? [] : [`--gid=${gid}`]
    if (!before)
      await this.#run(['groupadd', ...(system ? ['--system'] : []), ...number, '--', name], { signal })
    else if (gid !== undefined && gid !== before.gid)
      await this.#run(['groupmod', ...number, '--', name], { signal })
    if (members && !sameNames(members, before?.members ?? []))
      await this.#run(['gpasswd', `--members=${members.join(',')}`, '--', name], { signal })
  }

  async removeGroup(name: string, { signal }: AccountChange = {}): Promise<void> {
    this.#from.changed()
    const { users, groups } = await this.#from.accounts()
    const group = groups.get(name)
    if (!group) return
    if (group.gid === 0) throw accountProblems.rootStays('be removed')
    const user = [...users.values()].find(({ gid }) => gid === group.gid)
    if (user) throw accountProblems.primaryOf(name, user.name)
    await this.#run(['groupdel', '--', name], { signal })
  }

  async #refuse(
    name: string,
    { uid, group, groups = [] }: UserAttributes,
    before: UserAccount | undefined,
  ): Promise<void> {
    const known = await this.#from.accounts()
    const holder = uid === undefined ? undefined : known.usersById.get(uid)
    if (uid !== undefined && uid !== before?.uid && holder && holder.name !== name)
      throw accountProblems.taken('user', name, uid, holder.name)
    if (before?.uid === 0 && uid !== undefined && uid !== 0)
      throw accountProblems.rootStays('be given another number')
    for (const each of [group, ...groups])
      if (typeof each === 'string' && !known.groups.has(each)) throw accountProblems.noSuchGroup(each)
    if (!before && group === undefined && known.groups.has(name)) throw accountProblems.groupInTheWay(name)
  }

  /** A shell that does not exist locks a user out. */
  async #demandShell(shell: string): Promise<void> {
    if (await existsAt(this.#host, shell)) return
    throw new HarmonyError(
      'refused',
      `there is no ${shell} on this host, so nobody who has it as a shell can log in`,
      {
        hint: 'correct the path, or install it first and say so: after: […]',
        data: { shell },
      },
    )
  }

  async #refuseBusy({ name, uid }: { readonly name: string; readonly uid: number }): Promise<void> {
    const pids = (await this.#processes()).filter((entry) => /^\d+$/.test(entry))
    const owners = await Promise.all(
      pids.map((pid) => this.#host.files.lstat(`/proc/${pid}`).catch(() => undefined)),
    )
    const busy = pids.filter((_, i) => owners[i]?.uid === uid)
    if (busy.length === 0) return
    throw new HarmonyError(
      'refused',
      `${name} cannot be removed: its programs are running (${busy.slice(0, 5).join(', ')})`,
      {
        hint: `end them (loginctl terminate-user ${name}, or stop its services), then apply again`,
        data: { user: name, pids: busy },
      },
    )
  }

  async #processes(): Promise<readonly string[]> {
    try {
      return await this.#host.files.readdir('/proc')
    } catch (error) {
      // Without /proc userdel does not know either.
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
  }

  /** The canonical home of a user, if it is its own to be removed; `undefined` when nothing is there. */
  async #homeToRemove(
    { name, uid, home }: { readonly name: string; readonly uid: number; readonly home: string },
    all: Accounts['users'] extends ReadonlyMap<string, infer L> ? readonly L[] : never,
  ): Promise<string | undefined> {
    const { files } = this.#host
    const stat = await files.lstat(home)
    if (!stat) return undefined
    const sharer = all.find((other) => other.name !== name && isWithin(other.home, home))
    const why =
      !home.startsWith('/') || home.includes('/..')
        ? 'its path is no proper one'
        : stat.type !== 'directory'
          ? `there is a ${stat.type}`
          : stat.uid !== uid
            ? 'it belongs to somebody else'
            : sharer
              ? `the home of ${sharer.name} is in it`
              : undefined
    if (why !== undefined) throw notRemoved(name, home, why)
    const at = await files.realpath(home)
    // Whoever owns a folder on the way could lead the removal elsewhere while it is under way.
    for (let folder = claim.folderOf(at); ; folder = claim.folderOf(folder)) {
      const owner = (await files.lstat(folder))?.uid
      if (owner !== 0 && owner !== uid) throw notRemoved(name, home, `${folder} belongs to somebody else`)
      if (folder === '/') return at
    }
  }

  async #run(
    argv: readonly [string, ...string[]],
    { signal, stdin }: { readonly signal?: AbortSignal | undefined; readonly stdin?: string },
  ): Promise<void> {
    try {
      const {
        exitCode,
        signal: ended,
        timedOut,
        stderr,
      } = await this.#host.exec(argv, { signal, stdin, timeoutMs, outputLimit: 4096 })
      if (exitCode === 0) return
      const said = Buffer.from(stderr).toString('utf8').trim()
      const how = timedOut
        ? `did not end within ${timeoutMs / 1000} s`
        : exitCode === null
          ? `was ended by ${ended}`
          : `failed with exit status ${exitCode}`
      throw new HarmonyError('command-failed', `${argv[0]} ${how}${said && `: ${said}`}`, {
        hint: hintFor(said),
        data: { argv, exitCode, stderr: said },
      })
    } finally {
      this.#from.changed()
    }
  }
}

function optionsForNew({
  uid,
  group,
  groups,
  home,
  shell,
  comment,
  system = false,
}: UserAttributes): readonly string[] {
  return [
    '--no-create-home',
    ...(system ? ['--system'] : []),
    ...option('uid', uid),
    ...(group === undefined ? ['--user-group'] : option('gid', group)),
    ...(groups && groups.length > 0 ? option('groups', groups.join(',')) : []),
    ...option('home-dir', home),
    ...option('shell', shell),
    ...option('comment', comment),
  ]
}

function optionsFor(
  { uid, group, groups, home, shell, comment }: UserAttributes,
  now: UserAccount,
): readonly string[] {
  const isInGroup = group === (typeof group === 'number' ? now.gid : now.group)
  return [
    ...option('uid', uid === now.uid ? undefined : uid),
    ...option('gid', isInGroup ? undefined : group),
    ...option('groups', !groups || sameNames(groups, now.groups) ? undefined : groups.join(',')),
    ...option('home', home === now.home ? undefined : home),
    ...option('shell', shell === now.shell ? undefined : shell),
    ...option('comment', comment === now.comment ? undefined : comment),
  ]
}

function option(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value}`]
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && [...a].sort().join() === [...b].sort().join()
}

function isLocked(password: string): boolean {
  return /^[!*]/.test(password)
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function notRemoved(name: string, home: string, why: string): HarmonyError {
  return new HarmonyError('refused', `${home}, the home of ${name}, is not removed: ${why}`, {
    hint: 'leave out removeHome and apply that, or correct the home by hand; then remove the user',
    data: { user: name, home },
  })
}

function hintFor(said: string): string {
  if (/permission denied/i.test(said)) return 'run as root: only root changes accounts'
  if (/cannot lock|try again later/i.test(said))
    return 'somebody else is changing accounts: wait for that to end, and apply again'
  if (/currently used by process/i.test(said))
    return 'end its programs (loginctl terminate-user, or stop its services), and apply again'
  if (/already exists/i.test(said))
    return 'it comes from another source of accounts (LDAP, systemd-homed), which is not changed here'
  return 'what was done before it stays; apply again once that is resolved'
}
