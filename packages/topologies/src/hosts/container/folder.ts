/**
 * Changing files in a container, inside a folder that is named by its canonical path. Each change is made by a shell
 * that has entered the folder and seen that it stands where it was pinned: a link that takes the folder's place before
 * is refused, one that does so afterwards changes nothing any more. Another real folder in its place goes unnoticed.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { Attributes, FileStat, PinnedFolder } from '@harmony-iac/core/host'
import { joinPath } from '../../linux/names.ts'
import { systemError } from '../ssh/sftp-errors.ts'
import type { FileRequests } from './requests.ts'
import { complaintError } from './system-error.ts'

// What the script answers when the folder is another by now.
const movedStatus = 99
/** One request carries so much: dd reads it in one piece. */
const pieceSize = 256 * 1024

/** As `HostFiles.pin`. */
export async function pinInContainer(
  on: FileRequests,
  folder: string,
  expected: string | undefined,
): Promise<PinnedFolder> {
  const path = String(await on.ask({ verb: 'pin', words: [folder] }, 'open', folder))
  if (expected !== undefined && path !== expected) throw moved(expected, path)
  return new ContainerFolder(on, path)
}

class ContainerFolder implements PinnedFolder {
  readonly path: string
  readonly #on: FileRequests

  constructor(on: FileRequests, path: string) {
    this.#on = on
    this.path = path
  }

  lstat(name: string): Promise<FileStat | undefined> {
    return this.#on.lstat(this.#entry(name))
  }

  async create(
    name: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    attributes: Attributes,
  ): Promise<void> {
    this.#entry(name)
    if (content instanceof Uint8Array && content.length <= pieceSize) {
      await this.#create(name, content, attributes)
      return
    }
    await this.#create(name, new Uint8Array(), {})
    try {
      for await (const piece of piecesOf(content)) await this.#extend(name, piece)
      if (isAny(attributes)) await this.setAttributes(name, attributes)
    } catch (error) {
      await this.unlink(name).catch(() => {}) // it has a name of ours: the next pass removes it
      throw error
    }
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    this.#entry(name)
    // In one piece, so that what could not be added whole is taken away again by who was adding it.
    const isNew = await this.#extend(name, bytes)
    if (isNew) await this.sync()
  }

  async mkdir(name: string, attributes: Attributes): Promise<void> {
    this.#entry(name)
    await this.#change('mkdir', name, ...wordsOf(attributes))
  }

  async symlink(target: string, name: string): Promise<void> {
    this.#entry(name)
    await this.#change('symlink', name, target)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#entry(from)
    this.#entry(to)
    await this.#change('rename', from, to)
  }

  async unlink(name: string): Promise<void> {
    this.#entry(name)
    await this.#change('unlink', name)
  }

  async rmdir(name: string): Promise<void> {
    this.#entry(name)
    await this.#change('rmdir', name)
  }

  async setAttributes(name: string, attributes: Attributes): Promise<void> {
    const at = this.#entry(name)
    if (attributes.mode !== undefined && (await this.#on.lstat(at))?.type === 'symlink')
      throw new HarmonyError('refused', `${at}: a symbolic link has no mode of its own`)
    await this.#change('set', name, ...wordsOf(attributes))
  }

  async sync(): Promise<void> {
    await this.#on.sync(this.path)
  }

  async pin(name: string): Promise<PinnedFolder> {
    const at = this.#entry(name)
    const stat = await this.#on.lstat(at)
    if (!stat) throw systemError('ENOENT', 'open', at)
    if (stat.type !== 'directory') throw systemError('ENOTDIR', 'open', at)
    return await pinInContainer(this.#on, at, at)
  }

  async close(): Promise<void> {}

  async #create(name: string, content: Uint8Array, attributes: Attributes): Promise<void> {
    const words = [this.path, name, content.length, ...wordsOf(attributes)]
    await this.#request('create', name, words, content)
  }

  /** Whether that made the file. */
  async #extend(name: string, content: Uint8Array): Promise<boolean> {
    const said = await this.#request('extend', name, [this.path, name, content.length], content)
    return said.startsWith('new\n')
  }

  async #change(verb: string, name: string, ...more: readonly (string | number)[]): Promise<void> {
    await this.#request(verb, name, [this.path, name, ...more])
  }

  async #request(
    verb: string,
    name: string,
    words: readonly (string | number)[],
    content?: Uint8Array,
  ): Promise<string> {
    const [answer] = await this.#on.answers({ verb, words, content })
    const said = String(answer?.bytes)
    if (answer?.status === 0) return said
    if (answer?.status === movedStatus) throw moved(this.path, said)
    throw complaintError(said, verb, joinPath(this.path, name))
  }

  #entry(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
      throw new HarmonyError(
        'invalid-value',
        `${JSON.stringify(name)} is not the name of an entry in ${this.path}`,
      )
    return joinPath(this.path, name)
  }
}

function isAny({ mode, uid, gid }: Attributes): boolean {
  return mode !== undefined || uid !== undefined || gid !== undefined
}

/** As the script has them: five digits, so that chmod clears what is not among them; `-` for what stays. */
function wordsOf({ mode, uid, gid }: Attributes): readonly [string, string] {
  return [
    mode === undefined ? '-' : mode.toString(8).padStart(5, '0'),
    uid === undefined && gid === undefined ? '-' : `${uid ?? ''}${gid === undefined ? '' : `:${gid}`}`,
  ]
}

async function* piecesOf(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of content instanceof Uint8Array ? [content] : content)
    for (let at = 0; at < piece.length; at += pieceSize) yield piece.subarray(at, at + pieceSize)
}

function moved(expected: string, found: string): HarmonyError {
  return new HarmonyError(
    'plan-stale',
    `${expected} is no longer the folder that was observed: it leads to ${found} now`,
    {
      hint: 'find out who moved the folder or put a link in its place, then plan again',
      data: { folder: expected, found },
    },
  )
}
