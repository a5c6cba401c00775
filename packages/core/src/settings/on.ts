/** What settings stand on, and what they do with files. */
import type { Entry, FileSystem, KeptEntry } from '../capabilities/files.ts'
import type { KeptSetting } from '../capabilities/system.ts'
import { HarmonyError, isHarmonyError } from '../errors.ts'

/** A setting of the kernel as it is shown. */
export type ShownByKernel =
  | { readonly type: 'value'; readonly text: string }
  | { readonly type: 'absent' }
  /** It can be written and not read: an order, not a setting. */
  | { readonly type: 'unreadable' }

/** A host, as far as its settings are not files. */
export interface SettingsOn {
  readonly files: FileSystem
  /** What the kernel shows at a path below `/proc/sys`. */
  shown(path: string): Promise<ShownByKernel>
  /** Whether root can write there. */
  isWritable(path: string): Promise<boolean>
  /** @throws HarmonyError with what the kernel says against it. */
  write(path: string, value: string, signal: AbortSignal | undefined): Promise<void>
  /** Gives the running system this name. */
  rename(name: string, signal: AbortSignal | undefined): Promise<void>
  /** Has the host's own service for it, if it has one, set a name or a zone and tell whom it may concern. */
  announce?(what: 'host name' | 'time zone', value: string): Promise<void>
  /** Which zones there are, where files do not say. */
  readonly zones?: readonly string[] | undefined
}

/** A text file, lossless whatever it holds. */
export interface TextFile {
  readonly entry: Entry
  /** `undefined` when there is no file. */
  readonly text: string | undefined
}

/** Reads a file; where a link leads to it, what is there. */
export async function readText(files: FileSystem, path: string): Promise<TextFile> {
  const entry = await files.inspect(path, { content: true })
  if (entry.type !== 'file') return { entry, text: undefined }
  // Bytes that are no UTF-8 have to come back as they were.
  return { entry, text: Buffer.from(entry.content.bytes ?? tooLarge(path)).toString('latin1') }
}

/** Writes a file in place of what was read. */
export async function writeText(
  files: FileSystem,
  path: string,
  { entry }: TextFile,
  text: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await whereEngineMounts(path, async () => {
    await files.writeFile(path, Buffer.from(text, 'latin1'), {
      folder: entry.folder,
      fingerprint: entry.type === 'absent' ? 'absent' : entry.fingerprint,
      ...(entry.type === 'file' ? {} : { mode: '0644' }),
      signal,
    })
  })
}

/** Puts back an entry that was kept. */
export async function putBackEntry(
  files: FileSystem,
  path: string,
  kept: KeptSetting,
  member: string,
): Promise<void> {
  const entry = kept[member]
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || !('type' in entry))
    throw notKept(path)
  await whereEngineMounts(path, () => files.putBack(path, entry as KeptEntry))
}

/** Text that was kept; `undefined` when there was none. */
export function keptText(kept: KeptSetting, member: string): string | undefined {
  const value = kept[member]
  if (typeof value !== 'string' && value !== null) throw notKept(member)
  return value ?? undefined
}

function notKept(what: string): HarmonyError {
  return new HarmonyError('ledger-corrupt', `the ledger does not say what was there before: ${what}`, {
    hint: 'put it right by hand, and remove the Score with retain: true',
  })
}

/** Text that Latin-1 stands for, as it would be read; and the other way round. */
export const decoded = (text: string): string => Buffer.from(text, 'latin1').toString()
export const encoded = (text: string): string => Buffer.from(text).toString('latin1')

async function whereEngineMounts(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isHarmonyError(error) || error.data.errno !== 'EBUSY') throw error
    throw new HarmonyError('refused', `${path} cannot be replaced: it is a mount of its own`, {
      hint: 'container engines mount it: set it from outside, with the options that the container is made with',
      cause: error,
      data: { path },
    })
  }
}

function tooLarge(path: string): never {
  throw new HarmonyError('refused', `${path} is larger than such a file can be`, {
    hint: 'see what is there, and put it right by hand',
    data: { path },
  })
}
