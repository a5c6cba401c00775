/**
 * The capability to keep the accounts of a host as wanted: its users, its groups, and the public keys that a user may
 * log in with. Named after the concept. Every change can be repeated: what is as wanted already is left alone, so a
 * pass that was killed between two of its steps is completed by the next one.
 */
import { type Capability, capability } from '../capability.ts'

/** A user as the host has it. */
export interface UserAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** The name of its primary group; `undefined` when that number has none. */
  readonly group: string | undefined
  /** The names of the other groups that it is a member of, sorted. */
  readonly groups: readonly string[]
  readonly home: string
  readonly shell: string
  /** As in the comment field: the full name, for a person. */
  readonly comment: string
  /** What stands for its password: a hash, or a mark that no password fits. `undefined` unless asked for. */
  readonly password: string | undefined
  /** Whether something stands at its home; `undefined` unless asked for. */
  readonly homeExists: boolean | undefined
}

/** What is to be found out about a user besides what everybody may know. */
export interface UserQuestion {
  /** Needs root. */
  readonly password?: boolean
  readonly home?: boolean
}

/** A group as the host has it. */
export interface GroupAccount {
  readonly name: string
  readonly gid: number
  /** Its members by name, sorted; without those whose primary group it is. */
  readonly members: readonly string[]
}

/** What a user should have; what is left out stays as it is (for a new one: the host's default). */
export interface UserAttributes {
  readonly uid?: number | undefined
  /** The primary group. Left out, a new user gets a group of its own name. */
  readonly group?: string | number | undefined
  /** All other groups. */
  readonly groups?: readonly string[] | undefined
  readonly home?: string | undefined
  /** Make the home, from the host's template, if nothing stands there. */
  readonly makeHome?: boolean | undefined
  readonly shell?: string | undefined
  readonly comment?: string | undefined
  /** What is to stand for its password: a hash as crypt(5) has it, or a mark that none fits. */
  readonly password?: string | undefined
  /** No password is to fit; the hash that is there stays behind a mark. */
  readonly locked?: boolean | undefined
  /** Numbers from the range for services, no home: for a new user. */
  readonly system?: boolean | undefined
}

/** What a group should have; what is left out stays as it is. */
export interface GroupAttributes {
  readonly gid?: number | undefined
  /** All members. */
  readonly members?: readonly string[] | undefined
  /** A number from the range for services: for a new group. */
  readonly system?: boolean | undefined
}

/** What goes with a user. */
export interface UserRemoval {
  /** Its home with all that is in it. */
  readonly home: boolean
  /** The group of its own name, if nobody else is in it. */
  readonly group: boolean
}

/** One line of a file of keys. */
export interface KeyLine {
  /** As it is written. */
  readonly text: string
  readonly options: readonly string[]
  /** `ssh-ed25519`. */
  readonly type: string
  /** The key itself, base64: it tells one key from another. */
  readonly blob: string
  readonly comment: string
}

/** The public keys that a user may log in with. */
export interface KeyRing {
  /** The file that they stand in, whether it exists or not. */
  readonly path: string
  readonly lines: readonly KeyLine[]
}

/** How a change is made. */
export interface AccountChange {
  readonly signal?: AbortSignal | undefined
}

/**
 * The accounts of one host. Looking at a thousand of them costs no more than looking at one. Errors are HarmonyErrors
 * that name the account and say what to do.
 */
export interface UserAccounts {
  /** A user by name; `undefined` when there is none. */
  user(name: string, question?: UserQuestion): Promise<UserAccount | undefined>
  /** A group by name; `undefined` when there is none. */
  group(name: string): Promise<GroupAccount | undefined>
  /** The name of the user who has this number. */
  userNumbered(uid: number): Promise<string | undefined>
  /** The name of the group that has this number. */
  groupNumbered(gid: number): Promise<string | undefined>
  /**
   * Makes a user, or changes what is not as wanted.
   * @throws HarmonyError `refused` for a number that belongs to somebody else, another number for root, a group of its
   * own name that was there before it, a shell that does not exist; `no-such-user` for a group that does not exist.
   */
  putUser(name: string, wanted: UserAttributes, change?: AccountChange): Promise<void>
  /**
   * Removes a user; one that does not exist is no error.
   * @throws HarmonyError `refused` for root, for a user whose programs are running, for a home that is not its own.
   */
  removeUser(name: string, what: UserRemoval, change?: AccountChange): Promise<void>
  /**
   * Makes a group, or changes what is not as wanted.
   * @throws HarmonyError `refused` for a number that belongs to another group; `no-such-user` for an unknown member.
   */
  putGroup(name: string, wanted: GroupAttributes, change?: AccountChange): Promise<void>
  /**
   * Removes a group; one that does not exist is no error.
   * @throws HarmonyError `refused` for that of root, and while it is the primary group of a user.
   */
  removeGroup(name: string, change?: AccountChange): Promise<void>
  /**
   * The keys of a user; `undefined` when the user does not exist.
   * @throws HarmonyError `refused` when its file of keys lies behind a link that leads out of its home.
   */
  keys(user: string): Promise<KeyRing | undefined>
  /**
   * Lets exactly these lines stand for one key, in the place of those that do now, or at the end; none removes it. The
   * rest of the file, its owner and its mode stay as they are. A new file is readable by its user only; one that is left empty goes, and so does
   * its folder if it is empty too, and as a new one would be made.
   */
  setKey(user: string, blob: string, lines: readonly string[]): Promise<void>
  /** Removes what a killed {@link setKey} may have left. */
  cleanUpKeys(user: string): Promise<void>
}

/** The capability token of {@link UserAccounts}. */
export const Users: Capability<'users', UserAccounts> = capability<UserAccounts>()('users')
