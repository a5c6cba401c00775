/**
 * Changing the files of a Linux host. Whatever appears at a path appears complete: it is made beside it under a
 * temporary name and renamed. Everything happens in a pinned folder, which is refused when it is not the one that was
 * observed.
 */
import { HarmonyError } from '@harmony-iac/core'
import type {
  EntryAttributes,
  FileSystem,
  Guard,
  Replacing,
  WriteOptions,
} from '@harmony-iac/core/capabilities'
import type { Attributes, Host, PinnedFolder } from '@harmony-iac/core/host'
import { afresh, isErrno, unlinkIfThere, using } from './folders.ts'
import { fingerprint, interruptible } from './look.ts'
import { joinPath, splitPath, temporaryName } from './names.ts'
import type { Principals } from './principals.ts'

/** What writing needs. */
export interface Writing {
  readonly host: Host
  readonly principals: Principals
  /** Called after every change. */
  changed(): void
}

// A validator that hangs must not hang the pass.
const validatorTimeMs = 60_000
const validatorTail = 4096

/** As `FileSystem.writeFile`. */
export async function writeFile(
  on: Writing,
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<void> {
  const wanted = await numbers(on, options)
  await inFolder(on, path, options, async (folder, name) => {
    const there = await folder.lstat(name)
    if (there?.type === 'directory') throw inTheWay(path, 'a directory', 'a file')
    const old = there?.type === 'file' ? there : undefined
    const candidate = temporaryName(name)
    await afresh(folder, candidate, () =>
      folder.create(candidate, watched(content, options), {
        mode: wanted.mode ?? old?.mode ?? 0o644,
        uid: wanted.uid ?? old?.uid,
        gid: wanted.gid ?? old?.gid,
      }),
    )
    await intoPlace(folder, candidate, name, async () => {
      if (options.validate)
        await validate(on.host, path, joinPath(folder.path, candidate), options.validate, options.signal)
      interruptible(options.signal)
      await refuseChanged(folder, name, path, options)
    })
  })
}

/** As `FileSystem.makeSymlink`. */
export async function makeSymlink(
  on: Writing,
  path: string,
  target: string,
  options: Parameters<FileSystem['makeSymlink']>[2],
): Promise<void> {
  const { uid, gid } = await numbers(on, { owner: options.owner, group: options.group })
  await inFolder(on, path, options, async (folder, name) => {
    const there = await folder.lstat(name)
    if (there?.type === 'directory') throw inTheWay(path, 'a directory', 'a symbolic link')
    const old = there?.type === 'symlink' ? there : undefined
    const candidate = temporaryName(name)
    await afresh(folder, candidate, () => folder.symlink(target, candidate))
    await intoPlace(folder, candidate, name, async () => {
      await folder.setAttributes(candidate, { uid: uid ?? old?.uid, gid: gid ?? old?.gid })
      await refuseChanged(folder, name, path, options)
    })
  })
}

/** As `FileSystem.makeDirectory`. */
export async function makeDirectory(
  on: Writing,
  path: string,
  options: EntryAttributes & Guard,
): Promise<void> {
  const wanted = await numbers(on, options)
  await inFolder(on, path, options, async (folder, name) => {
    const there = await folder.lstat(name)
    if (there && there.type !== 'directory')
      throw inTheWay(path, there.type === 'symlink' ? 'a symbolic link' : 'a file', 'a directory')
    if (there) return folder.setAttributes(name, wanted)
    await folder.mkdir(name, { ...wanted, mode: wanted.mode ?? 0o755 })
    await folder.sync()
  })
}

/** As `FileSystem.setAttributes`. */
export async function setAttributes(
  on: Writing,
  path: string,
  options: EntryAttributes & Guard,
): Promise<void> {
  const wanted = await numbers(on, options)
  await inFolder(on, path, options, async (folder, name) => {
    if (wanted.mode !== undefined && (await folder.lstat(name))?.type === 'symlink')
      throw new HarmonyError('refused', `${path}: a symbolic link has no mode of its own`, {
        hint: 'set the mode of what it leads to',
      })
    await folder.setAttributes(name, wanted)
  })
}

/** As `FileSystem.remove`. */
export async function remove(
  on: Writing,
  path: string,
  options: Parameters<FileSystem['remove']>[1] = {},
): ReturnType<FileSystem['remove']> {
  try {
    return await inFolder(on, path, { folder: options.folder }, async (folder, name) => {
      const there = await folder.lstat(name)
      if (!there) return 'absent'
      if (options.fingerprint !== undefined && fingerprint(there) !== options.fingerprint) return 'changed'
      try {
        await (there.type === 'directory' ? folder.rmdir(name) : folder.unlink(name))
      } catch (error) {
        if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return 'not-empty'
        throw error
      }
      await folder.sync()
      return 'removed'
    })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'absent'
    throw error
  }
}

/** As `FileSystem.cleanUp`. */
export async function cleanUp(on: Writing, path: string): Promise<void> {
  try {
    await inFolder(on, path, { folder: undefined }, async (folder, name) => {
      const candidate = temporaryName(name)
      const there = await folder.lstat(candidate)
      if (there && there.type !== 'directory') await unlinkIfThere(folder, candidate)
    })
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
  }
}

/** Pins the folder of a path, provided that it still is the one that was observed, and works in it. */
async function inFolder<T>(
  on: Writing,
  path: string,
  guard: Guard,
  work: (folder: PinnedFolder, name: string) => Promise<T>,
): Promise<T> {
  const { folder, name } = splitPath(path)
  try {
    return await using(await on.host.files.pin(folder, guard.folder), (pinned) => work(pinned, name))
  } finally {
    on.changed()
  }
}

/** The last steps of a candidate, or none of it. */
async function intoPlace(
  folder: PinnedFolder,
  candidate: string,
  name: string,
  prepare: () => Promise<void>,
): Promise<void> {
  try {
    await prepare()
    await folder.rename(candidate, name)
  } catch (error) {
    await unlinkIfThere(folder, candidate).catch(() => {
      // What went wrong before is what counts; the next pass tries again.
    })
    throw error
  }
  await folder.sync()
}

/**
 * The last look before what stands there is replaced: content may take minutes to be written or validated, and what
 * somebody else has written meanwhile must not vanish unseen.
 */
async function refuseChanged(
  folder: PinnedFolder,
  name: string,
  path: string,
  options: Replacing,
): Promise<void> {
  if (options.fingerprint === undefined) return
  const there = await folder.lstat(name)
  if ((there ? fingerprint(there) : 'absent') === options.fingerprint) return
  throw new HarmonyError('plan-stale', `${path}: it has changed while the new content was prepared`, {
    hint: 'see who writes there, then plan and apply again; nothing was overwritten',
    data: { path },
  })
}

async function validate(
  host: Host,
  path: string,
  candidate: string,
  argv: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const [program, ...rest] = argv.map((argument) => argument.replaceAll('{}', candidate))
  if (program === undefined) return
  const result = await host.exec([program, ...rest], {
    timeoutMs: validatorTimeMs,
    outputLimit: validatorTail,
    signal,
  })
  if (result.exitCode === 0 && !result.timedOut) return
  const said = [result.stderr, result.stdout]
    .map((bytes) => Buffer.from(bytes).toString('utf8').trim())
    .find(Boolean)
  const how = result.timedOut
    ? `did not end within ${validatorTimeMs / 1000} s`
    : result.exitCode === null
      ? `was ended by ${result.signal}`
      : `ended with status ${result.exitCode}`
  // People look for the file they declared, not for the candidate.
  const output = said?.replaceAll(candidate, path)
  throw new HarmonyError(
    'refused',
    `${path}: its validation ${how} (${argv.join(' ')})${output ? `: ${output}` : ''}`,
    {
      hint: 'correct the content; what was there is unchanged',
      data: { path, validate: argv, exitCode: result.exitCode, output },
    },
  )
}

async function numbers(on: Writing, attributes: EntryAttributes): Promise<Attributes> {
  const { mode, owner, group } = attributes
  return {
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    uid: owner === undefined ? undefined : await on.principals.numbered('passwd', owner),
    gid: group === undefined ? undefined : await on.principals.numbered('group', group),
  }
}

function watched(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Uint8Array | AsyncIterable<Uint8Array> {
  return content instanceof Uint8Array ? content : watchedChunks(content, options)
}

async function* watchedChunks(
  content: AsyncIterable<Uint8Array>,
  { signal, onProgress }: WriteOptions,
): AsyncGenerator<Uint8Array> {
  let done = 0
  for await (const chunk of content) {
    interruptible(signal)
    yield chunk
    done += chunk.length
    onProgress?.(done)
  }
}

function inTheWay(path: string, what: string, wanted: string): HarmonyError {
  return new HarmonyError('refused', `${path}: ${what} is there, where ${wanted} is wanted`, {
    hint: 'look at what is there, then move it away or remove it yourself',
    data: { path },
  })
}
