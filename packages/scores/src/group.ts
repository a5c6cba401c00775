/** Keeps a group as wanted. */
import {
  claim,
  type Difference,
  defineScore,
  HarmonyError,
  missing,
  type Needs,
  type ScoreFactory,
} from '@harmony-iac/core'
import { type GroupAccount, type UserAccounts, Users } from '@harmony-iac/core/capabilities'
import * as z from 'zod'
import { accountName, accountNames, accountNumber, othersMadeIt, ours, sameNames } from './accounts.ts'
import { once } from './once.ts'

/** What a {@link Group} is made from. */
export interface GroupSpec {
  /** Letters, digits, `_`, `.` and `-`; at most 32. */
  readonly name: string
  /** Its number. Default: what is there stays; a new group gets the next free one. Files keep the number they have. */
  readonly gid?: number | undefined
  /** Gives a new group a number from the range for services (below 1000 on Debian). Default false. */
  readonly system?: boolean | undefined
  /**
   * Its members, all of them: whoever is not listed is taken out. Default: they stay as they are. Those whose primary
   * group it is are in it anyway. Say who is in which group in one place: here, or with `groups` on each `User`.
   */
  readonly members?: readonly string[] | undefined
}

/** Details of a {@link Group} as it is. */
export interface GroupStatus {
  readonly exists: boolean
  readonly gid?: number | undefined
  readonly members?: readonly string[] | undefined
}

/** What other Scores may take from a {@link Group}. */
export interface GroupOutputs {
  readonly gid: number
}

const fields = () =>
  ({
    name: accountName(),
    gid: accountNumber().optional(),
    system: z.boolean().optional(),
    members: accountNames().optional(),
  }) satisfies { readonly [K in keyof Required<GroupSpec>]: z.ZodType }

interface GroupState {
  readonly group: GroupAccount | undefined
  /** Whether it was made, or taken over, by this project. */
  readonly ours: boolean
  /** Who else has the number that is wanted. */
  readonly holder: string | undefined
}

const previousSchema = once(() => z.strictObject({ gid: z.number(), members: z.array(z.string()) }))

/**
 * A group: `Group({ name: 'app', gid: 700, members: ['ada'] })`.
 *
 * One that exists and was not made by this project is left alone unless it is taken over (`adopt: true`), also when it
 * is as wanted; on removal it gets back what it was. A number that belongs to another group is refused, as is the
 * removal of a group that is the primary one of a user.
 *
 * Fails with `no-such-user` for a member who does not exist, `refused`, `command-failed`.
 */
export const Group: ScoreFactory<
  'Group',
  GroupSpec,
  Needs<[typeof Users]>,
  GroupStatus,
  GroupOutputs
> = defineScore({
  kind: 'Group',
  version: 1,
  spec: () =>
    z
      .strictObject(fields())
      .refine(({ name, gid }) => gid === undefined || (gid === 0) === (name === 'root'), {
        path: ['gid'],
        error: 'is 0 for root, and for no other group',
      }),
  needs: [Users],
  identity: (spec) => spec.name,
  claims: ({ name, gid }) => [
    claim.name('group', name),
    ...(gid === undefined ? [] : [claim.name('gid', String(gid))]),
  ],
  uses: ({ members = [] }) => members.map((member) => claim.name('user', member)),
  interpret: {
    async observe({ name, gid }, { users }, { memory }): Promise<GroupState> {
      const holder = gid === undefined ? undefined : await users.groupNumbered(gid)
      const group = await users.group(name)
      return { group, ours: memory === ours, holder: holder === name ? undefined : holder }
    },

    compare(spec, { group, ours, holder }) {
      const found: Difference[] = []
      const { gid, members } = spec
      if (!group) found.push(missing('group'))
      else if (!ours) found.push({ path: '', from: othersMadeIt, to: 'group' })
      if (gid !== undefined && gid !== group?.gid)
        found.push({ path: 'gid', from: holder ? `of ${holder}` : (group?.gid ?? null), to: gid })
      if (members && !(group && sameNames(members, group.members)))
        found.push({ path: 'members', from: group?.members ?? null, to: [...members].sort() })
      return found
    },

    async converge({ name, gid, system, members }, { users }, { signal, remember }) {
      await users.putGroup(name, { gid, system, members }, { signal })
      remember(ours)
    },

    async remove({ spec: { name }, previous }, { users }, { signal }) {
      if (previous === undefined) return await users.removeGroup(name, { signal })
      const was = previousSchema().safeParse(previous)
      if (!was.success)
        throw new HarmonyError('ledger-corrupt', 'the ledger does not say what the group was before', {
          hint: 'put it right by hand, and remove the Score with retain: true',
          cause: was.error,
        })
      const { gid, members } = was.data
      await users.putGroup(name, { gid, members: await existing(users, members) }, { signal })
    },

    keep: async (_, __, { group }) => (group ? { gid: group.gid, members: group.members } : null),

    outputs: ({ group }): GroupOutputs => (group ? { gid: group.gid } : ({} as GroupOutputs)),

    status: ({ group }): GroupStatus =>
      group ? { exists: true, gid: group.gid, members: group.members } : { exists: false },
  },
})

/** Users who are gone by now cannot come back into a group. */
async function existing(users: UserAccounts, names: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(names.map(async (name) => ((await users.user(name)) ? [name] : [])))
  return there.flat()
}
