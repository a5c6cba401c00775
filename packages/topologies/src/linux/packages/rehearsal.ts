/**
 * What apt would do, read from `apt-get --simulate`, and what of that nobody has asked for. Pure. It is looked at before
 * every change, since `-y` says yes to removals.
 */
import { HarmonyError } from '@harmony-iac/core'
import { nameOf } from './trouble.ts'

/** What apt would do. Names as apt gives them: with an architecture where it is not the host's own. */
export interface Rehearsal {
  /** What would be there that is not now. */
  readonly brings: readonly string[]
  /** What would be there in another version. */
  readonly changes: readonly string[]
  readonly removes: readonly string[]
  readonly downgrades: readonly string[]
  readonly essential: readonly string[]
}

/** Reads what apt says that it would do. */
export function readRehearsal(said: string): Rehearsal {
  const brings: string[] = []
  const changes: string[] = []
  const removes = new Set<string>()
  for (const line of said.split('\n')) {
    const [verb, name = '', third = ''] = line.split(' ')
    if (verb === 'Inst') (third.startsWith('[') ? changes : brings).push(name)
    else if (verb === 'Remv' || verb === 'Purg') removes.add(name)
  }
  return {
    brings,
    changes,
    removes: [...removes],
    downgrades: listed(said, /^The following packages will be DOWNGRADED:$/),
    essential: listed(said, /^This should NOT be done unless you know exactly what you are doing!$/),
  }
}

/** The names below a heading, which apt breaks into lines. */
function listed(said: string, heading: RegExp): readonly string[] {
  const lines = said.split('\n')
  const at = lines.findIndex((line) => heading.test(line))
  const names: string[] = []
  for (let i = at + 1; at >= 0 && lines[i]?.startsWith('  '); i++)
    names.push(
      ...(lines[i] ?? '')
        .replace(/\(.*?\)/g, '')
        .split(' ')
        .filter(Boolean),
    )
  return names.map((name) => name.replace(/\*$/, ''))
}

/** What is asked for, in the words of {@link Rehearsal}. */
export interface Asked {
  readonly install: readonly { readonly name: string; readonly version: string | undefined }[]
  readonly remove: readonly string[]
}

/** Why this must not be done; undefined when everything in it was asked for, or is needed by it. */
export function objection(would: Rehearsal, { install, remove }: Asked): HarmonyError | undefined {
  const names = [...install.map(({ name }) => name), ...remove]
  const doing = `${install.length > 0 ? 'installing' : 'removing'} ${names.join(', ')}`
  if (would.essential.length > 0)
    return refused(
      `${doing} would remove ${would.essential.join(', ')}, without which the host does not work`,
      'leave it in place',
      { removes: would.essential },
    )
  const unasked = would.removes.filter((each) => !remove.some((name) => same(name, each)))
  if (unasked.length > 0)
    return refused(
      `${doing} would also remove ${unasked.join(', ')}, which nobody has asked for`,
      install.length > 0
        ? 'say ensure: "absent" for those too if they may go, or choose a version that goes together with them'
        : 'they depend on it: remove them first, or say ensure: "absent" for them too',
      { removes: unasked },
    )
  const pinned = install.filter(({ version }) => version !== undefined)
  const older = would.downgrades.filter((each) => !pinned.some(({ name }) => same(name, each)))
  if (older.length > 0)
    return refused(
      `${doing} would put ${older.join(', ')} back to an older version, which nobody has asked for`,
      'name those with their versions too, if this is what you want',
      { downgrades: older },
    )
  return undefined
}

/** Whether two names mean one package: the host's own architecture may be left out. */
export function same(asked: string, named: string): boolean {
  if (asked === named) return true
  const [a, b] = [asked.includes(':'), named.includes(':')]
  return a !== b && nameOf(asked) === nameOf(named)
}

function refused(message: string, hint: string, data: Readonly<Record<string, unknown>>): HarmonyError {
  return new HarmonyError('refused', message, { hint, data })
}
