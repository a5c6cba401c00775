/**
 * Checks unit files before they go live: candidates under their own names in a folder of their own, for systemd reads a
 * unit's name from its file's, and `systemd-analyze verify` over all that are to be checked at the same time, so that
 * new units that need each other are found. Strict: a key that this systemd does not know is refused as well.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { UnitTexts } from '@harmony-iac/core/capabilities'
import type { Host, PinnedFolder } from '@harmony-iac/core/host'
import { using } from '../folders.ts'
import { joinPath } from '../names.ts'
import { together } from '../together.ts'

/** A unit to be checked. */
export interface Candidate extends UnitTexts {
  readonly name: string
  /** The text of the one that is there, for drop-ins alone. */
  readonly present: string | undefined
}

const run = '/run'
const folderName = 'harmony-verify'
const folder = `${run}/${folderName}`
const attributes = { mode: 0o600 }

/** What is wrong with each candidate, in order; `undefined` for nothing. */
export async function verifyUnits(
  host: Host,
  candidates: readonly Candidate[],
  systemdVersion: number,
): Promise<readonly (HarmonyError | undefined)[]> {
  const checked = candidates.filter((each) => (each.unit ?? each.present) !== undefined)
  if (checked.length === 0) return candidates.map(() => undefined)
  await removeCandidates(host)
  try {
    await place(host, checked)
    if ((await analyze(host, checked, systemdVersion)) === undefined) return candidates.map(() => undefined)
    // Which of them it is: each by itself.
    const problems: (HarmonyError | undefined)[] = []
    for (const each of candidates)
      problems.push(checked.includes(each) ? await analyze(host, [each], systemdVersion) : undefined)
    return problems
  } finally {
    await removeCandidates(host)
  }
}

// Side by side: over a connection one after the other would cost its latency for each file.
async function place(host: Host, candidates: readonly Candidate[]): Promise<void> {
  await using(await host.files.pin(run), async (parent) => {
    await parent.mkdir(folderName, { mode: 0o700 })
    await using(await parent.pin(folderName), (into) =>
      together(candidates.map((candidate) => placeOne(into, candidate))),
    )
  })
}

async function placeOne(into: PinnedFolder, { name, unit, present, dropIns = {} }: Candidate): Promise<void> {
  await into.create(name, Buffer.from(unit ?? present ?? ''), attributes)
  if (Object.keys(dropIns).length === 0) return
  await into.mkdir(`${name}.d`, { mode: 0o700 })
  await using(await into.pin(`${name}.d`), (within) =>
    together(
      Object.entries(dropIns).map(([file, text]) => within.create(file, Buffer.from(text), attributes)),
    ),
  )
}

async function analyze(
  host: Host,
  candidates: readonly Candidate[],
  systemdVersion: number,
): Promise<HarmonyError | undefined> {
  const names = candidates.map(({ name }) => name)
  // Before 250, what is wrong with others counts as well.
  const options = systemdVersion >= 250 ? ['--man=no', '--recursive-errors=no'] : ['--man=no']
  const { exitCode, stderr } = await host.exec(
    ['systemd-analyze', ...options, 'verify', ...names.map((name) => `${folder}/${name}`)],
    { timeoutMs: 60_000 },
  )
  if (exitCode === 0) return undefined
  const said = Buffer.from(stderr).toString().trim().replaceAll(`${folder}/`, '')
  return new HarmonyError('refused', `${names.join(', ')} is not valid: ${said}`, {
    hint: 'correct the text; what was there before was left as it is',
    data: { units: names, stderr: said },
  })
}

/** Removes candidates, also those that a killed pass has left. */
export async function removeCandidates(host: Host): Promise<void> {
  if ((await host.files.lstat(folder))?.type !== 'directory') return
  await using(await host.files.pin(run), async (parent) => {
    await using(await parent.pin(folderName), async (into) => {
      const names = await host.files.readdir(folder)
      await together(names.map((name) => removeCandidate(host, into, name)))
    })
    await parent.rmdir(folderName)
  })
}

async function removeCandidate(host: Host, into: PinnedFolder, name: string): Promise<void> {
  if ((await into.lstat(name))?.type !== 'directory') return await into.unlink(name)
  await using(await into.pin(name), async (within) => {
    const files = await host.files.readdir(joinPath(folder, name))
    await together(files.map((file) => within.unlink(file)))
  })
  await into.rmdir(name)
}
