/**
 * The files of a unit: its own, and its drop-ins. The names of drop-ins say that they are ours, so that those that have
 * left a spec are found by looking.
 */
import { type Claim, claim, type Json, type Run } from '@harmony-iac/core'
import type { Entry, FileSystem } from '@harmony-iac/core/capabilities'
import { showFound } from './content.ts'
import { clearDirectory, observed, removeIf } from './entries.ts'
import type { UnitFound, UnitHost, UnitWish } from './units.ts'

/** Where the files of units are that an administrator writes. */
const folder = '/etc/systemd/system'
// By it our drop-ins are known again, also those that have left the spec.
const suffix = '.harmony.conf'

/** The path of a unit's own file. */
export const unitPath = (name: string): string => `${folder}/${name}`

/** The path of one of our drop-ins. */
const dropInPath = (name: string, dropIn: string): string => `${folder}/${name}.d/${dropIn}${suffix}`

/** Where its drop-ins are. */
const dropInFolder = (name: string): string => `${folder}/${name}.d`

/** What a unit owns. */
export function claimsOf(wish: Pick<UnitWish, 'name' | 'text' | 'dropIns'>): readonly Claim[] {
  return [
    claim.name('unit', wish.name),
    ...(wish.text === undefined ? [] : [claim.path(unitPath(wish.name))]),
    ...Object.keys(wish.dropIns).map((each) => claim.path(dropInPath(wish.name, each))),
  ]
}

/** The drop-ins that are wanted, and those that were ours. */
export async function dropInsOf(
  { name, dropIns }: UnitWish,
  files: FileSystem,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Entry>>> {
  const listed = await files.list(dropInFolder(name))
  const prefix = `${folder}/${name}.d/`
  const ours = listed.flatMap(({ path }) => {
    const file = path.slice(prefix.length)
    return file.endsWith(suffix) && !file.startsWith('.') && !file.includes('/')
      ? [file.slice(0, -suffix.length)]
      : []
  })
  const found: [string, Entry][] = []
  for (const each of [...new Set([...Object.keys(dropIns), ...ours])].sort())
    found.push([each, await files.inspect(dropInPath(name, each), { content: true, signal })])
  return Object.fromEntries(found)
}

/** Whether files of ours are wanted. */
export function ownsFiles({ text, dropIns }: UnitWish): boolean {
  return text !== undefined || Object.keys(dropIns).length > 0
}

/** Whether a file has this text. */
export function holds(entry: Entry, text: string): boolean {
  return entry.type === 'file' && showFound(entry.content) === text
}

/** What is there, for a difference. */
export function shown(entry: Entry): Json {
  if (entry.type === 'absent') return null
  return entry.type === 'file' ? showFound(entry.content) : entry.type
}

/** Writes the files of a unit that are not as wanted, verified before. */
export async function writeTexts(
  wish: UnitWish,
  { files, services }: UnitHost,
  run: Run<UnitFound>,
): Promise<boolean> {
  const { name, text } = wish
  const { entry, dropIns } = run.state
  const own = entry && text !== undefined && !holds(entry, text) ? entry : undefined
  const others = Object.entries(dropIns).filter(([each, found]) => {
    const wanted = wish.dropIns[each]
    return wanted === undefined ? found.type !== 'absent' : !holds(found, wanted)
  })
  if (!own && others.length === 0) return false
  const added = Object.entries(wish.dropIns).map(([each, value]) => [each + suffix, value] as const)
  await services.verify(name, { unit: text, dropIns: Object.fromEntries(added) }, run.signal)
  if (own && text !== undefined) {
    const path = unitPath(name)
    await clearDirectory(files, path, own, 'unit file')
    await files.writeFile(path, Buffer.from(text), {
      mode: own.type === 'file' ? undefined : '0644',
      folder: own.folder,
      fingerprint: observed(own),
      signal: run.signal,
    })
  }
  const within = dropInFolder(name)
  if (others.some(([each]) => wish.dropIns[each] !== undefined)) {
    const there = await files.inspect(within)
    if (there.type === 'absent') await files.makeDirectory(within, { mode: '0755', folder: there.folder })
  }
  for (const [each, found] of others) {
    const wanted = wish.dropIns[each]
    const path = dropInPath(name, each)
    if (wanted === undefined) await removeIf(files, path, ['file', 'symlink'], undefined)
    else {
      await clearDirectory(files, path, found, 'drop-in')
      await files.writeFile(path, Buffer.from(wanted), {
        mode: found.type === 'file' ? undefined : '0644',
        folder: found.folder,
        fingerprint: observed(found),
        signal: run.signal,
      })
    }
  }
  if (Object.keys(wish.dropIns).length === 0) await dropFolder(files, name)
  return true
}

/** The folder of drop-ins goes when nothing is in it any more. */
export async function dropFolder(files: FileSystem, name: string): Promise<void> {
  const there = await files.inspect(dropInFolder(name))
  if (there.type !== 'directory') return
  const { fingerprint, folder: within } = there
  await files.remove(dropInFolder(name), { fingerprint, folder: within })
}

/** Whether a mask stands there. */
export function isMaskAt(entry: Entry): boolean {
  return entry.type === 'symlink' && entry.target === '/dev/null'
}

/** Where drop-ins of ours are now. */
export async function dropInPaths(files: FileSystem, name: string): Promise<readonly string[]> {
  return (await files.list(dropInFolder(name)))
    .map(({ path }) => path)
    .filter((path) => path.endsWith(suffix))
}

/** Removes what killed writes of drop-ins have left. */
export async function cleanUpDropIns(files: FileSystem, name: string): Promise<void> {
  for (const { path } of await files.list(dropInFolder(name))) {
    const [, dropIn] = /\/\.([^/]+)\.harmony\.conf\.[^/]*$/.exec(path) ?? []
    if (dropIn !== undefined) await files.cleanUp(dropInPath(name, dropIn))
  }
}
