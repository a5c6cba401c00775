/**
 * Checks unit files before they go live: candidates under their own names in a folder of their own, for systemd reads a
 * unit's name from its file's, and `systemd-analyze verify` over all that are to be checked at the same time, so that
 * new units that need each other are found. Strict: a key that this systemd does not know is refused as well.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { UnitTexts } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'

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

async function place(host: Host, candidates: readonly Candidate[]): Promise<void> {
  const parent = await host.files.pin(run)
  try {
    await parent.mkdir(folderName, { mode: 0o700 })
    const into = await parent.pin(folderName)
    try {
      for (const { name, unit, present, dropIns = {} } of candidates) {
        await into.create(name, Buffer.from(unit ?? present ?? ''), attributes)
        if (Object.keys(dropIns).length === 0) continue
        await into.mkdir(`${name}.d`, { mode: 0o700 })
        const within = await into.pin(`${name}.d`)
        try {
          for (const [file, text] of Object.entries(dropIns))
            await within.create(file, Buffer.from(text), attributes)
        } finally {
          await within.close()
        }
      }
    } finally {
      await into.close()
    }
  } finally {
    await parent.close()
  }
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
  const parent = await host.files.pin(run)
  try {
    const into = await parent.pin(folderName)
    try {
      for (const name of await host.files.readdir(folder)) {
        if ((await into.lstat(name))?.type !== 'directory') {
          await into.unlink(name)
          continue
        }
        const within = await into.pin(name)
        try {
          for (const each of await host.files.readdir(`${folder}/${name}`)) await within.unlink(each)
        } finally {
          await within.close()
        }
        await into.rmdir(name)
      }
    } finally {
      await into.close()
    }
    await parent.rmdir(folderName)
  } finally {
    await parent.close()
  }
}
