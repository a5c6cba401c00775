/**
 * Copies of adopted things, to be put back on removal. They lie in a folder of the state home, owner-only. A copy is
 * named after what it is a copy of (path and fingerprint), not at random: keeping the same thing again after a kill
 * yields the same copy, so that no orphans pile up.
 */
import { createHash, hash } from 'node:crypto'
import { HarmonyError } from '@harmony-iac/core'
import type { KeptEntry } from '@harmony-iac/core/capabilities'
import type { FileStat, PinnedFolder } from '@harmony-iac/core/host'
import { afresh, ensureFolder, pinIfThere, removeIfEmpty, unlinkIfThere, using } from './folders.ts'
import { fingerprint, inspect, type Looking, octal } from './look.ts'
import { joinPath, splitPath, temporaryName } from './names.ts'
import { makeDirectory, makeSymlink, remove, setAttributes, type Writing, writeFile } from './write.ts'

/** What keeping needs. */
export interface Keeping extends Looking, Writing {
  /** The folder that holds the copies. */
  keepFolder(): Promise<string>
}

type Kept =
  | { readonly type: 'absent' }
  | ({
      readonly type: 'file'
      readonly copy: string
      readonly sha256: string
      readonly size: number
    } & KeptFacts)
  | ({ readonly type: 'directory' } & KeptFacts)
  | ({ readonly type: 'symlink'; readonly target: string } & KeptFacts)

type KeptFacts = {
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly folder: string
}

/** As `FileSystem.keep`. */
export async function keep(on: Keeping, path: string): Promise<KeptEntry> {
  return (await keepTyped(on, path)) satisfies KeptEntry
}

async function keepTyped(on: Keeping, path: string): Promise<Kept> {
  const { files } = on.host
  const stat = await files.lstat(path)
  if (!stat) return { type: 'absent' }
  const facts = {
    mode: octal(stat.mode),
    uid: stat.uid,
    gid: stat.gid,
    folder: await files.realpath(splitPath(path).folder),
  }
  switch (stat.type) {
    case 'directory':
      return { type: 'directory', ...facts }
    case 'symlink':
      return { type: 'symlink', target: await files.readlink(path), ...facts }
    case 'file':
      return { type: 'file', ...(await copyAside(on, path, stat)), ...facts }
    case 'other':
      throw new HarmonyError(
        'refused',
        `${path}: a device, socket or pipe cannot be kept, so it cannot be adopted`,
        {
          hint: 'choose another path, or remove it yourself',
        },
      )
  }
}

async function copyAside(on: Keeping, path: string, stat: FileStat) {
  const copy = hash('sha256', `${path}\0${fingerprint(stat)}`, 'hex').slice(0, 32)
  const candidate = temporaryName(copy)
  return using(await ensureFolder(on.host, await on.keepFolder()), async (folder) => {
    let digest = createHash('sha256')
    let size = 0
    await afresh(folder, candidate, () => {
      // A host may read before it finds the name taken.
      digest = createHash('sha256')
      size = 0
      return folder.create(candidate, hashed(on.host.files.stream(path)), {})
    })
    await folder.rename(candidate, copy)
    await folder.sync()
    return { copy, sha256: digest.digest('hex'), size }

    async function* hashed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        digest.update(chunk)
        size += chunk.length
        yield chunk
      }
    }
  })
}

/** As `FileSystem.putBack`. */
export async function putBack(on: Keeping, path: string, entry: KeptEntry): Promise<void> {
  const kept = parse(path, entry)
  if (kept.type === 'absent') {
    await remove(on, path)
    return
  }
  const attributes = { owner: kept.uid, group: kept.gid, folder: kept.folder }
  switch (kept.type) {
    case 'directory':
      return makeDirectory(on, path, { ...attributes, mode: kept.mode })
    case 'symlink':
      return makeSymlink(on, path, kept.target, attributes)
    case 'file': {
      const folder = await pinIfThere(on.host, await on.keepFolder())
      const restored = folder && (await using(folder, (pinned) => restore(on, path, kept, pinned)))
      if (!restored) await alreadyBack(on, path, kept)
    }
  }
}

async function restore(
  on: Keeping,
  path: string,
  kept: Extract<Kept, { type: 'file' }>,
  folder: PinnedFolder,
): Promise<boolean> {
  if (!(await folder.lstat(kept.copy))) return false
  await writeFile(on, path, verified(on, path, joinPath(folder.path, kept.copy), kept.sha256), {
    mode: kept.mode,
    owner: kept.uid,
    group: kept.gid,
    folder: kept.folder,
  })
  await unlinkIfThere(folder, kept.copy)
  await folder.sync()
  await dropIfEmpty(on, folder.path)
  return true
}

/** A pass that was killed after it had put the thing back and dropped the copy. */
async function alreadyBack(on: Keeping, path: string, kept: Extract<Kept, { type: 'file' }>): Promise<void> {
  const there = await inspect(on, path, { content: true })
  const same =
    there.type === 'file' &&
    there.content.size === kept.size &&
    (there.content.bytes ? hash('sha256', there.content.bytes, 'hex') : there.content.sha256) === kept.sha256
  if (!same)
    throw new HarmonyError(
      'refused',
      `${path}: the copy of what was there before is gone, so it cannot be put back`,
      {
        hint: `look for it in your backups (sha256 ${kept.sha256}); put it back yourself, or remove the file, and apply again`,
        data: { path, sha256: kept.sha256 },
      },
    )
  await setAttributes(on, path, { mode: kept.mode, owner: kept.uid, group: kept.gid, folder: kept.folder })
}

async function* verified(
  on: Keeping,
  path: string,
  copy: string,
  sha256: string,
): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha256')
  for await (const chunk of on.host.files.stream(copy)) {
    digest.update(chunk)
    yield chunk
  }
  if (digest.digest('hex') !== sha256)
    throw new HarmonyError(
      'refused',
      `${path}: the copy of what was there before has been changed (${copy})`,
      {
        hint: 'look at the copy, put the file back yourself, then remove the copy',
        data: { path, copy },
      },
    )
}

async function dropIfEmpty(on: Keeping, path: string): Promise<void> {
  const { folder, name } = splitPath(path)
  await using(await on.host.files.pin(folder), async (parent) => {
    await removeIfEmpty(parent, name)
  })
}

/** What the ledger gives back was written by some earlier version: parsed, not trusted. */
function parse(path: string, entry: KeptEntry): Kept {
  const { type, mode, uid, gid, folder, target, copy, sha256, size } = entry
  if (type === 'absent') return { type }
  if (
    typeof mode === 'string' &&
    typeof uid === 'number' &&
    typeof gid === 'number' &&
    typeof folder === 'string'
  ) {
    const facts = { mode, uid, gid, folder }
    if (type === 'directory') return { type, ...facts }
    if (type === 'symlink' && typeof target === 'string') return { type, target, ...facts }
    if (type === 'file' && isCopyName(copy) && typeof sha256 === 'string' && typeof size === 'number')
      return { type, copy, sha256, size, ...facts }
  }
  throw new HarmonyError(
    'ledger-corrupt',
    `${path}: the ledger's note about what was there before cannot be read`,
    {
      hint: 'put the thing back yourself, or remove it, and apply again',
      data: { path, kept: entry },
    },
  )
}

function isCopyName(copy: unknown): copy is string {
  return typeof copy === 'string' && /^[0-9a-f]{32}$/.test(copy)
}
