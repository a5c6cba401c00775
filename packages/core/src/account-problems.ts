/** What is refused about accounts, in the same words on every kind of host. */
import { HarmonyError } from './errors.ts'

/** The errors that implementations of the capability `users` share. */
export const accountProblems = {
  /** A number that is somebody else's. */
  taken: (what: 'user' | 'group', name: string, id: number, holder: string): HarmonyError =>
    new HarmonyError('refused', `${name} cannot have the number ${id}: it belongs to the ${what} ${holder}`, {
      hint: 'choose another number, or leave it out and the host chooses one',
      data: { name, id, holder },
    }),

  /** What would leave a host without anybody who can put it right. */
  rootStays: (what: 'be removed' | 'be given another number'): HarmonyError =>
    new HarmonyError('refused', `root cannot ${what}: nobody could put the host right after that`, {
      hint: 'leave that out; with retain: true a Score goes and what it stands for stays',
    }),

  /** A group that a new user was to bring along is there already. */
  groupInTheWay: (name: string): HarmonyError =>
    new HarmonyError(
      'refused',
      `there is a group ${name} already, so the user ${name} cannot bring one along`,
      {
        hint: `say group: '${name}' on the User if that is the group to be in`,
        data: { name },
      },
    ),

  /** A group that cannot go yet. */
  primaryOf: (group: string, user: string): HarmonyError =>
    new HarmonyError('refused', `${group} cannot be removed: it is the primary group of ${user}`, {
      hint: `give ${user} another group first, or remove that user`,
      data: { group, user },
    }),

  noSuchUser: (user: string): HarmonyError =>
    new HarmonyError('no-such-user', `there is no user "${user}" on this host`, {
      hint: `declare User({ name: '${user}' }), or correct the name`,
      data: { name: user },
    }),

  noSuchGroup: (group: string): HarmonyError =>
    new HarmonyError('no-such-user', `there is no group "${group}" on this host`, {
      hint: `declare Group({ name: '${group}' }), or correct the name`,
      data: { name: group },
    }),
} as const
