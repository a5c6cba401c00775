/**
 * The capability to keep files, directories and symbolic links as wanted. Named after the concept: a Linux host, a
 * container image and an in-memory host offer the same. Paths are absolute and normalized.
 */
import { type Capability, capability } from '../capability.ts'
import type { Content } from '../late.ts'

/** What is at a path. A final symbolic link is not followed; links among its parents are. */
export type Entry =
  | { readonly type: 'absent'; readonly folder: string | undefined }
  | ({ readonly type: 'file'; readonly content: FileContent } & EntryFacts)
  | ({ readonly type: 'directory' } & EntryFacts)
  | ({ readonly type: 'symlink'; readonly target: string } & EntryFacts)
  | ({ readonly type: 'other' } & EntryFacts)

/** What every existing entry has. */
export interface EntryFacts {
  /** Four octal digits: `0640`. */
  readonly mode: string
  readonly owner: Principal
  readonly group: Principal
  /** Canonical path of the folder that holds the entry, as it was when observed. Pass it to what changes the entry. */
  readonly folder: string | undefined
  /** Changes whenever the entry is replaced or written. That of a directory outlives changes of what is in it. */
  readonly fingerprint: string
}

/** A user or group: its number, and its name where it has one. */
export interface Principal {
  readonly id: number
  readonly name: string | undefined
}

/** The content of a small file itself, of a larger one what identifies it; of one that was not read its size. */
export type FileContent =
  | { readonly bytes: Uint8Array; readonly size: number }
  | { readonly bytes: undefined; readonly sha256: string; readonly size: number }
  | { readonly bytes: undefined; readonly sha256: undefined; readonly size: number }

/** The size up to which {@link FileContent} holds the bytes: 64 KiB. */
export const inlineLimit = 64 * 1024

/** What a thing at a path should have; what is left out stays as it is (for something new: the host's default). */
export interface EntryAttributes {
  /** Four octal digits. */
  readonly mode?: string | undefined
  /** A name or a number. */
  readonly owner?: string | number | undefined
  readonly group?: string | number | undefined
}

/** Names the folder that was seen when the decision was made; another one there now is refused. */
export interface Guard {
  /** {@link EntryFacts.folder} as observed; `undefined` when the folder did not exist then. */
  readonly folder: string | undefined
}

/** Names as well what was seen at the path itself; something else there when the new thing is ready is refused. */
export interface Replacing extends Guard {
  /** {@link EntryFacts.fingerprint} as observed, or `absent` when nothing was there. Without it, whatever is there goes. */
  readonly fingerprint?: string | undefined
}

/** How a file is written. */
export interface WriteOptions extends EntryAttributes, Replacing {
  /**
   * A program to run against the candidate before it goes live; `{}` in an argument stands for the candidate's path.
   * A status other than 0 refuses the candidate and leaves what was there.
   */
  readonly validate?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes written so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** An entry found by {@link FileSystem.list}. */
export interface ListedEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  /** Empty for a thing whose name cannot be written as text (no UTF-8): it can be told of, not removed. */
  readonly fingerprint: string
  /** Another file system begins here: a mount point. What is in it is not listed. */
  readonly mount?: true
}

/** A copy of what was at a path, kept aside to be put back. Plain data: it is stored in the ledger. */
export type KeptEntry = {
  readonly type: string
  readonly [key: string]: string | number | boolean | null | undefined
}

/**
 * Files, directories and links of one host. Errors are HarmonyErrors with the path and what to do.
 */
export interface FileSystem {
  /** Reads what is at a path. The content of a file is read only if asked for; otherwise only its size is told. */
  inspect(
    path: string,
    options?: { readonly content?: boolean; readonly signal?: AbortSignal },
  ): Promise<Entry>
  /** As `inspect` with its content, at once, where that needs no waiting; otherwise `undefined`, and `inspect` tells. */
  inspectNow?(path: string): Entry | undefined
  /** Everything below a folder, parents before children, links not followed; nothing when it does not exist. */
  list(path: string): Promise<readonly ListedEntry[]>
  /** The canonical path of a link's target; for a `File` that is asked to write through a link. */
  resolve(path: string): Promise<string>
  /** @throws HarmonyError `no-such-user` when the name is unknown on that host. */
  checkPrincipals(attributes: EntryAttributes): Promise<void>
  /** Puts a complete file there, at once: never a moment without a complete file, durable once resolved. */
  writeFile(path: string, content: Uint8Array | Content, options: WriteOptions): Promise<void>
  makeDirectory(path: string, options: EntryAttributes & Guard): Promise<void>
  /** Replaces an existing link at once. */
  makeSymlink(
    path: string,
    target: string,
    options: Replacing & Pick<EntryAttributes, 'owner' | 'group'>,
  ): Promise<void>
  /** Changes attributes in place; never follows a link. */
  setAttributes(path: string, attributes: EntryAttributes & Guard): Promise<void>
  /**
   * Removes a file, a link or an empty directory. With `fingerprint` only if it still is that very thing, with `folder`
   * (as in {@link Guard}) only in that very folder. Tells what became of it; `not-empty` and `changed` leave it alone.
   * @throws HarmonyError `plan-stale` when its path leads into another folder.
   */
  remove(
    path: string,
    options?: { readonly fingerprint?: string; readonly folder?: string | undefined },
  ): Promise<'removed' | 'absent' | 'not-empty' | 'changed'>
  /** Keeps a copy of what is there (of a directory its attributes only), owner-only readable, outside the path. */
  keep(path: string): Promise<KeptEntry>
  /** Puts a kept copy back as it was and drops the copy. */
  putBack(path: string, kept: KeptEntry): Promise<void>
  /** Removes what a killed `writeFile` or `makeSymlink` to this path may have left. */
  cleanUp(path: string): Promise<void>
}

/** The capability token of {@link FileSystem}. */
export const Files: Capability<'files', FileSystem> = capability<FileSystem>()('files')
