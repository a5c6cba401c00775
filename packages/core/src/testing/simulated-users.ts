/**
 * The capability `users` over a simulated disk: same semantics and messages as on a Linux host. The disk knows users and
 * groups by name and number; what else there is to an account is kept here. Tests use `set`, `setGroup` and `delete` as
 * root would behind Harmony's back.
 */
import { accountProblems } from '../account-problems.ts'
import type {
  AccountChange,
  GroupAccount,
  GroupAttributes,
  KeyRing,
  UserAccount,
  UserAccounts,
  UserAttributes,
  UserQuestion,
  UserRemoval,
} from '../capabilities/users.ts'
import { type KeyRings, keyRings } from '../key-rings.ts'
import type { Faults, Progress } from './faults.ts'
import type { SimulatedDisk, Snapshot } from './simulated-disk.ts'
import { explained } from './simulated-entries.ts'
import type { SimulatedFiles } from './simulated-files.ts'

/** What a test may say of a user. */
export type SimulatedUser = Partial<Omit<UserAccount, 'name' | 'group' | 'groups' | 'homeExists'>> & {
  readonly groups?: readonly string[]
}

type Details = Pick<UserAccount, 'gid' | 'home' | 'shell' | 'comment'> & { readonly password: string }

const firstOfPeople = 1000
const firstOfServices = 100
// Nobody, in every Debian.
const nogroup = 65534

/** {@link UserAccounts} in memory. */
export class SimulatedUsers implements UserAccounts {
  readonly #disk: SimulatedDisk
  readonly #faults: Faults
  readonly #details = new Map<string, Details>()
  readonly #members = new Map<string, ReadonlySet<string>>()
  readonly #rings: KeyRings

  constructor(disk: SimulatedDisk, faults: Faults, files: SimulatedFiles) {
    this.#disk = disk
    this.#faults = faults
    this.#rings = keyRings({ files, user: (name) => this.user(name) })
  }

  /** Makes a user or changes what is named. */
  set(name: string, { uid, groups, ...details }: SimulatedUser = {}): void {
    this.#disk.users.set(name, uid ?? this.#disk.users.get(name) ?? this.#free(this.#disk.users, false))
    const { password = '!', ...known } = { ...this.#account(name), ...details }
    const { gid, home, shell, comment } = known
    this.#details.set(name, {
      gid: gid ?? nogroup,
      home: home ?? '/',
      shell: shell ?? '',
      comment: comment ?? '',
      password,
    })
    if (groups) this.#join(name, groups)
  }

  /** Makes a group or changes what is named. */
  setGroup(name: string, { gid, members }: Partial<Omit<GroupAccount, 'name'>> = {}): void {
    this.#disk.groups.set(name, gid ?? this.#disk.groups.get(name) ?? this.#free(this.#disk.groups, false))
    if (members) this.#members.set(name, new Set(members))
  }

  /** Removes a user from wherever it stands. */
  delete(name: string): void {
    this.#disk.users.delete(name)
    this.#details.delete(name)
    for (const [group, members] of this.#members) this.#members.set(group, without(members, name))
  }

  /** Removes a group. */
  deleteGroup(name: string): void {
    this.#disk.groups.delete(name)
    this.#members.delete(name)
  }

  /** Every account in a line. */
  snapshot(): Snapshot {
    const lines: Record<string, string> = {}
    for (const name of this.#disk.users.keys()) {
      const { gid, home, shell, comment, password } = this.#detailsOf(name)
      lines[`user ${name}`] = JSON.stringify([
        this.#disk.users.get(name),
        gid,
        home,
        shell,
        comment,
        password,
      ])
    }
    for (const [name, gid] of this.#disk.groups)
      lines[`group ${name}`] = JSON.stringify([gid, ...this.#membersOf(name)])
    return lines
  }

  user(name: string, question: UserQuestion = {}): Promise<UserAccount | undefined> {
    return this.#read('user', name, () => {
      const account = this.#account(name)
      return (
        account && {
          ...account,
          password: question.password ? account.password : undefined,
          homeExists: question.home ? this.#disk.exists(account.home) : undefined,
        }
      )
    })
  }

  group(name: string): Promise<GroupAccount | undefined> {
    return this.#read('group', name, () => {
      const gid = this.#disk.groups.get(name)
      return gid === undefined ? undefined : { name, gid, members: this.#membersOf(name) }
    })
  }

  userNumbered(uid: number): Promise<string | undefined> {
    return this.#read('userNumbered', String(uid), () => named(this.#disk.users, uid))
  }

  groupNumbered(gid: number): Promise<string | undefined> {
    return this.#read('groupNumbered', String(gid), () => named(this.#disk.groups, gid))
  }

  putUser(name: string, wanted: UserAttributes, _: AccountChange = {}): Promise<void> {
    return this.#write('putUser', name, ({ within }) => {
      const { users, groups } = this.#disk
      const there = users.get(name)
      const holder = wanted.uid === undefined ? undefined : named(users, wanted.uid)
      if (holder !== undefined && holder !== name && wanted.uid !== there)
        throw accountProblems.taken('user', name, Number(wanted.uid), holder)
      if (name === 'root' && wanted.uid !== undefined && wanted.uid !== 0)
        throw accountProblems.rootStays('be given another number')
      const unknown = [wanted.group, ...(wanted.groups ?? [])].find(
        (each) => typeof each === 'string' && !groups.has(each),
      )
      if (unknown !== undefined) throw accountProblems.noSuchGroup(String(unknown))
      let gid = typeof wanted.group === 'string' ? groups.get(wanted.group) : wanted.group
      const own = wanted.group === undefined
      if (there === undefined && own) {
        if (groups.has(name)) throw accountProblems.groupInTheWay(name)
        gid = this.#free(groups, wanted.system === true)
      }
      users.set(name, wanted.uid ?? there ?? this.#free(users, wanted.system === true))
      const before = this.#detailsOf(name)
      this.#details.set(name, {
        gid: gid ?? before.gid,
        home: wanted.home ?? before.home,
        shell: wanted.shell ?? before.shell,
        comment: wanted.comment ?? before.comment,
        password: before.password,
      })
      const primary = this.#detailsOf(name).gid
      if (own && there === undefined) groups.set(name, primary)
      within()
      if (wanted.groups) this.#join(name, wanted.groups)
      within()
      const { home } = this.#detailsOf(name)
      if (wanted.makeHome && !this.#disk.exists(home))
        this.#disk.makeDirectory(home, { mode: '0755', owner: name, group: primary })
      within()
      const { password } = this.#detailsOf(name)
      const locked = wanted.locked && !/^[!*]/.test(password) ? `!${password}` : password
      this.#details.set(name, { ...this.#detailsOf(name), password: wanted.password ?? locked })
    })
  }

  removeUser(name: string, what: UserRemoval, _: AccountChange = {}): Promise<void> {
    return this.#write('removeUser', name, ({ within }) => {
      const account = this.#account(name)
      if (!account) return
      if (account.uid === 0) throw accountProblems.rootStays('be removed')
      if (what.home) this.#disk.remove(account.home)
      within()
      this.delete(name)
      const shared = [...this.#disk.users.keys()].some((each) => this.#detailsOf(each).gid === account.gid)
      if (what.group && account.group === name && !shared && this.#membersOf(name).length === 0)
        this.deleteGroup(name)
    })
  }

  putGroup(
    name: string,
    { gid, members, system = false }: GroupAttributes,
    _: AccountChange = {},
  ): Promise<void> {
    return this.#write('putGroup', name, ({ within }) => {
      const { groups, users } = this.#disk
      const holder = gid === undefined ? undefined : named(groups, gid)
      if (holder !== undefined && holder !== name && gid !== groups.get(name))
        throw accountProblems.taken('group', name, Number(gid), holder)
      const unknown = members?.find((each) => !users.has(each))
      if (unknown !== undefined) throw accountProblems.noSuchUser(unknown)
      const before = groups.get(name)
      groups.set(name, gid ?? before ?? this.#free(groups, system))
      // Those whose primary group it is stay in it.
      for (const each of users.keys()) {
        const details = this.#detailsOf(each)
        if (before !== undefined && details.gid === before)
          this.#details.set(each, { ...details, gid: gid ?? before })
      }
      within()
      if (members) this.#members.set(name, new Set(members))
    })
  }

  removeGroup(name: string, _: AccountChange = {}): Promise<void> {
    return this.#write('removeGroup', name, () => {
      const gid = this.#disk.groups.get(name)
      if (gid === undefined) return
      if (gid === 0) throw accountProblems.rootStays('be removed')
      const user = [...this.#disk.users.keys()].find((each) => this.#detailsOf(each).gid === gid)
      if (user !== undefined) throw accountProblems.primaryOf(name, user)
      this.deleteGroup(name)
    })
  }

  keys(user: string): Promise<KeyRing | undefined> {
    return this.#rings.keys(user)
  }

  setKey(...given: Parameters<UserAccounts['setKey']>): Promise<void> {
    return this.#rings.setKey(...given)
  }

  cleanUpKeys(user: string): Promise<void> {
    return this.#rings.cleanUpKeys(user)
  }

  #read<T>(method: string, subject: string, work: () => T): Promise<T> {
    return explained(this.#faults.read({ port: 'users', method, subject }, work))
  }

  #write(method: string, subject: string, work: (progress: Progress) => void): Promise<void> {
    return explained(this.#faults.write({ port: 'users', method, subject }, work))
  }

  #account(name: string): (UserAccount & { readonly password: string }) | undefined {
    const uid = this.#disk.users.get(name)
    if (uid === undefined) return undefined
    const details = this.#detailsOf(name)
    const groups = [...this.#disk.groups.keys()].filter((each) => this.#members.get(each)?.has(name)).sort()
    return {
      name,
      uid,
      ...details,
      group: named(this.#disk.groups, details.gid),
      groups,
      homeExists: undefined,
    }
  }

  /** Of one that a test has entered by number alone, what is usual. */
  #detailsOf(name: string): Details {
    const home = name === 'root' ? '/root' : `/home/${name}`
    const usual = {
      gid: this.#disk.groups.get(name) ?? nogroup,
      home,
      shell: '/bin/sh',
      comment: '',
      password: '!',
    }
    return this.#details.get(name) ?? usual
  }

  #membersOf(group: string): readonly string[] {
    return [...(this.#members.get(group) ?? [])].sort()
  }

  #join(name: string, groups: readonly string[]): void {
    for (const group of this.#disk.groups.keys()) {
      const members = this.#members.get(group) ?? new Set<string>()
      this.#members.set(group, groups.includes(group) ? new Set([...members, name]) : without(members, name))
    }
  }

  #free(among: ReadonlyMap<string, number>, system: boolean): number {
    const used = new Set(among.values())
    let id = system ? firstOfServices : firstOfPeople
    while (used.has(id)) id++
    return id
  }
}

function named(among: ReadonlyMap<string, number>, id: number): string | undefined {
  for (const [name, each] of among) if (each === id) return name
  return undefined
}

function without(members: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...members].filter((each) => each !== name))
}
