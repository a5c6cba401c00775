/** Keeps a user as wanted: number, groups, home, shell, password. */

import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  missing,
  type Needs,
  type Resolved,
  type ScoreFactory,
  type Secret,
  secretable,
} from '@harmony-iac/core'
import { type UserAccount, type UserAccounts, Users } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import {
  accountName,
  accountNames,
  accountNumber,
  fitsField,
  othersMadeIt,
  ours,
  sameNames,
  standsIn,
  usualHome,
} from './accounts.ts'
import { once } from './once.ts'
import { isHash, isLocked, locked, password, showPassword } from './passwords.ts'
import { absolutePath, anyPath } from './paths.ts'

/** What a {@link User} is made from. */
export interface UserSpec {
  /** Letters, digits, `_`, `.` and `-`; at most 32. */
  readonly name: string
  /**
   * Its number. Default: what is there stays; a new user gets the next free one. Changed, the files in its home go
   * along, others keep the number they have.
   */
  readonly uid?: number | undefined
  /**
   * Its primary group, by name or number. Default: what is there stays; a new user brings along a group of its own
   * name, which goes when the user goes.
   */
  readonly group?: string | number | undefined
  /**
   * The other groups that it is a member of, all of them: from those that are not listed it is taken out. Default: they
   * stay as they are. Say who is in which group in one place: here, or with `members` on each `Group`.
   */
  readonly groups?: readonly string[] | undefined
  /** Leave it in groups that `groups` does not list. What leaves the list then stays as well. Default false. */
  readonly keepGroups?: boolean | undefined
  /**
   * Its home: absolute and normalized. Default: what is there stays; a new user gets `/home/NAME`. Changed, the new home
   * is made, and what is in the old one stays there.
   */
  readonly home?: string | undefined
  /** Make the home, from the host's template, while nothing stands there. Default: for people, not for services. */
  readonly createHome?: boolean | undefined
  /** The program that a login starts; it has to exist. Default: what is there stays; a new user gets the host's default. */
  readonly shell?: string | undefined
  /** The full name, or what the account is for. No colons, one line. */
  readonly comment?: string | undefined
  /**
   * The hash of its password as crypt(5) has it (`mkpasswd`, `openssl passwd -6`), best as a `secret(…)`; or
   * `'locked'`: no password fits, while keys still do. Default: what is there stays; a new user has none that fits.
   */
  readonly password?: string | Secret | undefined
  /** Gives a new user numbers from the range for services (below 1000 on Debian), and no home. Default false. */
  readonly system?: boolean | undefined
  /** Remove the home, with all that is in it, together with the user. Default false: it stays where it is. */
  readonly removeHome?: boolean | undefined
}

/** Details of a {@link User} as it is. */
export interface UserStatus {
  readonly exists: boolean
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly group?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly home?: string | undefined
  readonly shell?: string | undefined
}

/** What other Scores may take from a {@link User}. */
export interface UserOutputs {
  readonly uid: number
  /** The number of its primary group. */
  readonly gid: number
  readonly home: string
}

const longestComment = 256
const noField = 'must be one line without colons and control characters'

const fields = () =>
  ({
    name: accountName(),
    uid: accountNumber().optional(),
    group: z
      .union([accountName(), accountNumber()], { error: 'must be the name or the number of a group' })
      .optional(),
    groups: accountNames().optional(),
    keepGroups: z.boolean().optional(),
    home: anyPath.refine(fitsField, noField).optional(),
    createHome: z.boolean().optional(),
    shell: absolutePath.refine(fitsField, noField).optional(),
    comment: z
      .string()
      .max(longestComment, `is longer than ${longestComment} characters`)
      .refine(fitsField, noField)
      .optional(),
    password: secretable(password()).optional(),
    system: z.boolean().optional(),
    removeHome: z.boolean().optional(),
  }) satisfies { readonly [K in keyof Required<UserSpec>]: z.ZodType }

const schema = () =>
  z.strictObject(fields()).superRefine(({ name, uid, groups, keepGroups, removeHome, group }, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (uid !== undefined && (uid === 0) !== (name === 'root'))
      issue('uid', 'is 0 for root, and for nobody else')
    if (keepGroups && !groups) issue('keepGroups', 'has no effect without groups')
    if (removeHome && name === 'root') issue('removeHome', 'would take the home of root away, who stays')
    if (typeof group === 'string' && groups?.includes(group))
      issue('groups', `names ${group}, which is the primary group`)
  })

interface UserState {
  readonly account: UserAccount | undefined
  /** Whether it was made, or taken over, by this project. */
  readonly ours: boolean
  /** Who else has the number that is wanted. */
  readonly holder: string | undefined
}

const previousSchema = once(() =>
  z.strictObject({
    uid: z.number(),
    gid: z.number(),
    groups: z.array(z.string()),
    home: z.string(),
    shell: z.string(),
    comment: z.string(),
    password: z.string(),
  }),
)

/**
 * A user: `User({ name: 'ada', groups: ['docker'], shell: '/bin/bash', password: 'locked' })`.
 *
 * One that exists and was not made by this project is left alone unless it is taken over (`adopt: true`), also when it
 * is as wanted; on removal it gets back what it was. What is not named stays as it is. A number that belongs to somebody
 * else is refused, as is the removal of root, of a user whose programs are running (with `removeHome`), and of a home that is not the
 * user's own. Files and keys of a user come after it.
 *
 * Fails with `no-such-user` for a group that does not exist, `refused`, `command-failed`.
 */
export const User: ScoreFactory<
  'User',
  UserSpec,
  Needs<[typeof Users]>,
  UserStatus,
  UserOutputs
> = defineScore({
  kind: 'User',
  version: 1,
  spec: schema,
  needs: [Users],
  identity: (spec) => spec.name,
  claims: ({ name, uid, group, home, createHome, system }) => [
    claim.name('user', name),
    ...(uid === undefined ? [] : [claim.name('uid', String(uid))]),
    // The group that it brings along.
    ...(group === undefined ? [claim.name('group', name)] : []),
    ...((createHome ?? !system) && home !== '/' ? [claim.path(home ?? usualHome(name))] : []),
  ],
  uses: ({ group, groups = [], home, shell }) => [
    ...(typeof group === 'string' ? [claim.name('group', group)] : []),
    ...groups.map((each) => claim.name('group', each)),
    ...(home === undefined ? [] : standsIn(home)),
    ...(shell === undefined ? [] : [claim.path(shell)]),
  ],
  interpret: {
    async observe(spec, { users }, { memory }): Promise<UserState> {
      const { name, uid } = spec
      const wanted = wantedPassword(spec)
      // Groups may be about to be made; those that are not are refused before anything is changed.
      const holder = uid === undefined ? undefined : await users.userNumbered(uid)
      const account = await users.user(name, {
        password: wanted !== undefined,
        home: spec.createHome !== false,
      })
      return { account, ours: memory === ours, holder: holder === name ? undefined : holder }
    },

    compare(spec, { account, ours, holder }) {
      const found: Difference[] = []
      if (!account) found.push(missing('user'))
      else if (!ours) found.push({ path: '', from: othersMadeIt, to: 'user' })
      if (spec.uid !== undefined && spec.uid !== account?.uid)
        found.push({ path: 'uid', from: holder ? `of ${holder}` : (account?.uid ?? null), to: spec.uid })
      compareGroups(spec, account, found)
      for (const field of ['home', 'shell', 'comment'] as const) {
        const to = spec[field]
        if (to !== undefined && to !== account?.[field])
          found.push({ path: field, from: account?.[field] ?? null, to })
      }
      if (account?.homeExists === false && wantsHome(spec, account))
        found.push({ path: 'createHome', from: false, to: true })
      comparePassword(spec, account, found)
      return found
    },

    async converge(spec, { users }, { state, signal, remember }) {
      const { name, uid, group, groups, keepGroups, home, shell, comment, system } = spec
      const password = wantedPassword(spec)
      await users.putUser(
        name,
        {
          uid,
          group,
          groups: groups && keepGroups ? union(groups, state.account?.groups ?? []) : groups,
          home,
          makeHome: wantsHome(spec, state.account),
          shell,
          comment,
          password: password === locked ? undefined : password,
          locked: password === locked,
          system,
        },
        { signal },
      )
      remember(ours)
    },

    async remove({ spec, previous }, { users }, { signal, note }) {
      const { name, removeHome = false, group } = spec
      if (previous !== undefined) return await putBack(users, name, previous, signal)
      const account = await users.user(name, { home: true })
      await users.removeUser(name, { home: removeHome, group: group === undefined }, { signal })
      if (account?.homeExists && !removeHome)
        note(`left ${account.home} in place, which belongs to the number ${account.uid} now`)
    },

    async keep({ name }, { users }) {
      const account = await users.user(name, { password: true })
      if (!account) return null
      const { uid, gid, groups, home, shell, comment, password = '' } = account
      return { uid, gid, groups, home, shell, comment, password }
    },

    outputs: ({ account }): UserOutputs =>
      account ? { uid: account.uid, gid: account.gid, home: account.home } : ({} as UserOutputs),

    status: ({ account }): UserStatus => {
      if (!account) return { exists: false }
      const { uid, gid, group, groups, home, shell } = account
      return { exists: true, uid, gid, group, groups, home, shell }
    },
  },
})

type Wanted = Resolved<z.output<ReturnType<typeof schema>>>

function compareGroups(
  { name, group, groups, keepGroups }: Wanted,
  account: UserAccount | undefined,
  found: Difference[],
): void {
  if (group !== undefined) {
    const now = account && (typeof group === 'number' ? account.gid : (account.group ?? account.gid))
    if (now !== group) found.push({ path: 'group', from: now ?? null, to: group })
  } else if (account && account.group === undefined && account.gid === account.uid)
    // The host lost its power while the two were made. With another number it is a group of somebody else's (LDAP).
    found.push({ path: 'group', from: account.gid, to: name })
  if (!groups) return
  const to = keepGroups ? union(groups, account?.groups ?? []) : [...groups].sort()
  if (!account || !sameNames(to, account.groups))
    found.push({ path: 'groups', from: account?.groups ?? null, to })
}

/** Hashes are told apart, and not shown. */
function comparePassword(spec: Wanted, account: UserAccount | undefined, found: Difference[]): void {
  const wanted = wantedPassword(spec)
  if (wanted === undefined) return
  const now = account?.password
  if (wanted === locked ? now !== undefined && isLocked(now) : now === wanted) return
  found.push({
    path: 'password',
    from: now === undefined ? null : showPassword(now),
    to: showPassword(wanted),
  })
}

/** What the spec says. A secret is known only now. */
function wantedPassword({ password }: Wanted): string | undefined {
  const value = password?.reveal()
  if (value === undefined || value === locked || isHash(value)) return value
  throw new HarmonyError('invalid-spec', 'password: the value of the secret is no hash of a password', {
    hint: 'keep a hash as the secret (mkpasswd, openssl passwd -6), never the password itself',
  })
}

// Debian's ranges (Debian Policy, 9.2.2): people from 1000 on; nobody is nobody.
const firstOfPeople = 1000
const nobody = 65534

function wantsHome({ createHome, system }: Wanted, account: UserAccount | undefined): boolean {
  if (createHome !== undefined) return createHome
  if (system) return false
  return !account || (account.uid >= firstOfPeople && account.uid !== nobody)
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort()
}

async function putBack(
  users: UserAccounts,
  name: string,
  previous: unknown,
  signal: AbortSignal,
): Promise<void> {
  const was = previousSchema().safeParse(previous)
  if (!was.success)
    throw new HarmonyError('ledger-corrupt', 'the ledger does not say what the user was before', {
      hint: 'put it right by hand, and remove the Score with retain: true',
      cause: was.error,
    })
  const { gid, groups, ...rest } = was.data
  // Groups that are gone by now cannot have it back.
  const there = await Promise.all(groups.map(async (each) => ((await users.group(each)) ? [each] : [])))
  await users.putUser(name, { ...rest, group: gid, groups: there.flat() }, { signal })
}
