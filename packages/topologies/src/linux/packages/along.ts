/** What came along with packages of ours: taken away when nothing needs it any more, and forgotten when it is gone. */
import type { PackageRemoval, PackageState, PackageWork } from '@harmony-iac/core/capabilities'
import { type Apt, saidBy, steady } from './apt.ts'
import { type Patience, runLocked } from './locks.ts'
import { lookAt } from './look.ts'
import type { InstalledRecord } from './record.ts'
import { objection, readRehearsal } from './rehearsal.ts'
import { failure } from './trouble.ts'

/** What changing packages of a host stands on. */
export interface Changing {
  readonly apt: Apt
  readonly record: InstalledRecord
  readonly patience: Patience
  /** Reads the lists of the archives again, unless that was just done. @returns what was said, or undefined. */
  readLists(work: PackageWork): Promise<string | undefined>
}

/**
 * Removes what came along and nothing needs any more. What was there before stays, though nothing needs it either: apt's
 * `autoremove` would take it.
 */
export async function takeAlong(
  { apt, record, patience }: Changing,
  { purge, ...work }: PackageRemoval,
): Promise<void> {
  const { along } = await record.read()
  if (along.length === 0) return
  const simulate = async (...words: readonly string[]) =>
    readRehearsal(
      saidBy(await apt.run(['apt-get', ...steady, '--simulate', ...words], { signal: work.signal })),
    )
  const unneeded = (await simulate('autoremove')).removes
  const ours = unneeded.filter((name) => along.includes(name))
  if (ours.length === 0) return
  // Somebody else's, unneeded too, may stand on ours: then both stay.
  if (
    ours.length < unneeded.length &&
    objection(await simulate('remove', ...ours), { install: [], remove: ours })
  )
    return
  work.progress?.(`removing what came along and is not needed any more: ${ours.join(', ')}`)
  const argv = ['apt-get', ...steady, ...(purge ? ['--purge'] : []), 'remove', ...ours] as const
  const result = await runLocked(apt, argv, patience, work)
  if (result.exitCode !== 0) throw failure(`removing ${ours.join(', ')}`, saidBy(result))
}

/** What is not there any more is not remembered either. */
export async function forgetGone({ apt, record }: Changing): Promise<void> {
  const { asked, along } = await record.read()
  const names = [...Object.keys(asked), ...along]
  if (names.length === 0) return
  const states = await lookAt(apt, names)
  const there = new Set(states.filter((state) => !isAbsent(state)).map(({ name }) => name))
  await record.write({
    asked: Object.fromEntries(Object.entries(asked).filter(([name]) => there.has(name))),
    along: along.filter((name) => there.has(name)),
  })
}

/** Whether nothing of it is installed; its configuration may be there. */
export function isAbsent(state: PackageState | undefined): boolean {
  return state?.status === 'absent' || state?.status === 'configuration'
}
