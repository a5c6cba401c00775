/**
 * The capability `files` over a simulated disk: same semantics and messages as on a Linux host. Every call that writes
 * passes through the faults; what takes more than one step there can be killed between them here.
 */
import type {
  Entry,
  EntryAttributes,
  EntryFacts,
  FileSystem,
  Guard,
  KeptEntry,
  ListedEntry,
  Replacing,
} from '../capabilities/files.ts'
import { folderOf } from '../claims.ts'
import { HarmonyError } from '../errors.ts'
import type { Content } from '../late.ts'
import { type Faults, type Progress, systemError } from './faults.ts'
import { type Inode, octal, type Place, type SimulatedDisk } from './simulated-disk.ts'
import {
  changedMeanwhile,
  contentOf,
  explained,
  fingerprintOf,
  idOf,
  inTheWay,
  invalid,
  principal,
} from './simulated-entries.ts'
import { KeptCopies } from './simulated-kept.ts'

/** Runs a program against a candidate: what a simulated shell does with it. */
export type Validator = (
  argv: readonly string[],
  signal: AbortSignal | undefined,
) => Promise<{ readonly exitCode: number | null; readonly stderr: string }>

/** {@link FileSystem} in memory. */
export class SimulatedFiles implements FileSystem {
  readonly #disk: SimulatedDisk
  readonly #faults: Faults
  readonly #validate: Validator
  readonly #kept = new KeptCopies()

  constructor(disk: SimulatedDisk, faults: Faults, validate: Validator) {
    this.#disk = disk
    this.#faults = faults
    this.#validate = validate
  }

  /** The copies that are kept aside: none is left once everything adopted was put back. */
  get kept(): readonly string[] {
    return this.#kept.names
  }

  inspect(path: string, options: { readonly content?: boolean } = {}): Promise<Entry> {
    return this.#read('inspect', path, () => {
      const { folder, node } = this.#disk.locate(path)
      if (!node) return { type: 'absent', folder }
      const facts = this.#facts(node, folder)
      switch (node.type) {
        case 'file':
          return { type: 'file', ...facts, content: contentOf(node.bytes, options.content === true) }
        case 'symlink':
          return { type: 'symlink', ...facts, target: node.target }
        default:
          return { type: node.type, ...facts }
      }
    })
  }

  list(path: string): Promise<readonly ListedEntry[]> {
    return this.#read('list', path, () => {
      if (this.#disk.locate(path).node?.type !== 'directory') return []
      return this.#disk.paths(path).flatMap((each) => {
        const { node } = this.#disk.locate(each)
        return node ? [{ path: each, type: node.type, fingerprint: fingerprintOf(node) }] : []
      })
    })
  }

  resolve(path: string): Promise<string> {
    return this.#read('resolve', path, () => {
      const canonical = this.#disk.resolve(path) ?? this.#disk.resolveMissing(path)
      if (canonical === undefined) throw systemError('ENOENT', 'realpath', path)
      return canonical
    })
  }

  checkPrincipals({ owner, group }: EntryAttributes): Promise<void> {
    return this.#read('checkPrincipals', `${owner ?? ''}:${group ?? ''}`, () => {
      this.#ids({ owner, group })
    })
  }

  writeFile(
    path: string,
    content: Uint8Array | Content,
    options: Parameters<FileSystem['writeFile']>[2],
  ): Promise<void> {
    return this.#write('writeFile', path, async ({ within, alive }) => {
      const { folder, node: before } = this.#guarded(path, options)
      if (before?.type === 'directory') throw inTheWay(path, 'a directory', 'a file')
      const bytes = content instanceof Uint8Array ? content.slice() : await collect(content)
      alive()
      const candidate = this.#disk.make('file', { bytes })
      if (before?.type === 'file')
        Object.assign(candidate, { mode: before.mode, uid: before.uid, gid: before.gid })
      this.#change(candidate, options)
      const temporary = this.#temporary(folder, path)
      this.#place(temporary, candidate)
      within()
      if (options.validate) {
        const { exitCode, stderr } = await this.#validate(
          options.validate.map((word) => word.replaceAll('{}', temporary)),
          options.signal,
        )
        alive()
        if (exitCode !== 0) {
          this.#disk.remove(temporary)
          throw invalid(path, options.validate, exitCode, stderr.trim().replaceAll(temporary, path))
        }
      }
      this.#refuseChanged(path, temporary, options)
      this.#disk.move(temporary, this.#inside(folder, path))
      options.onProgress?.(bytes.length)
    })
  }

  makeDirectory(path: string, options: EntryAttributes & Guard): Promise<void> {
    return this.#write('makeDirectory', path, ({ within }) => {
      const { folder, node } = this.#guarded(path, options)
      if (node && node.type !== 'directory')
        throw inTheWay(path, node.type === 'symlink' ? 'a symbolic link' : 'a file', 'a directory')
      this.#ids(options)
      const made = node ?? this.#disk.make('directory', { mode: 0o755 })
      if (!node) this.#place(this.#inside(folder, path), made)
      within()
      this.#change(made, options)
    })
  }

  makeSymlink(
    path: string,
    target: string,
    options: Replacing & Pick<EntryAttributes, 'owner' | 'group'>,
  ): Promise<void> {
    return this.#write('makeSymlink', path, ({ within }) => {
      const { folder, node } = this.#guarded(path, options)
      if (node?.type === 'directory') throw inTheWay(path, 'a directory', 'a symbolic link')
      const made = this.#disk.make('symlink', { mode: 0o777, target })
      if (node?.type === 'symlink') Object.assign(made, { uid: node.uid, gid: node.gid })
      this.#change(made, { owner: options.owner, group: options.group })
      const temporary = this.#temporary(folder, path)
      this.#place(temporary, made)
      within()
      this.#refuseChanged(path, temporary, options)
      this.#disk.move(temporary, this.#inside(folder, path))
    })
  }

  setAttributes(path: string, attributes: EntryAttributes & Guard): Promise<void> {
    return this.#write('setAttributes', path, ({ within }) => {
      const { node } = this.#guarded(path, attributes)
      if (!node) throw systemError('ENOENT', 'open', path)
      if (node.type === 'symlink' && attributes.mode !== undefined)
        throw new HarmonyError('refused', `${path}: a symbolic link has no mode of its own`, {
          hint: 'set the mode of what it leads to',
        })
      const { mode, owner, group } = attributes
      this.#change(node, { owner, group })
      within()
      this.#change(node, { mode })
    })
  }

  remove(
    path: string,
    options: { readonly fingerprint?: string; readonly folder?: string | undefined } = {},
  ): Promise<'removed' | 'absent' | 'not-empty' | 'changed'> {
    return this.#write('remove', path, () => {
      if (this.#disk.locate(path).folder === undefined) return 'absent'
      const { node } = this.#guarded(path, { folder: options.folder })
      if (!node) return 'absent'
      if (options.fingerprint !== undefined && options.fingerprint !== fingerprintOf(node)) return 'changed'
      if (node.children.size > 0) return 'not-empty'
      this.#disk.remove(path)
      return 'removed'
    })
  }

  keep(path: string): Promise<KeptEntry> {
    return this.#write('keep', path, () => this.#kept.keep(path, this.#disk.locate(path).node))
  }

  putBack(path: string, kept: KeptEntry): Promise<void> {
    return this.#write('putBack', path, ({ within }) => {
      const { folder, node } = this.#disk.locate(path)
      if (kept.type === 'absent') {
        if (node && node.children.size === 0) this.#disk.remove(path)
        return
      }
      if (folder === undefined) throw systemError('ENOENT', 'realpath', folderOf(path))
      const copy = this.#kept.find(path, kept, node)
      const { type, mode, uid, gid, target, bytes } = copy
      const attributes = { mode: type === 'symlink' ? undefined : mode, owner: uid, group: gid }
      if (node && (node.type === 'directory') !== (type === 'directory'))
        throw inTheWay(path, `a ${node.type}`, `a ${type}`)
      if (node && (type === 'directory' || (type === 'file' && !bytes))) {
        this.#change(node, attributes)
        return
      }
      const made = this.#disk.make(type, { mode: 0o777, bytes, target })
      this.#change(made, attributes)
      const temporary = this.#temporary(folder, path)
      this.#place(temporary, made)
      within()
      this.#disk.move(temporary, this.#inside(folder, path))
      within()
      this.#kept.drop(copy)
    })
  }

  cleanUp(path: string): Promise<void> {
    return this.#write('cleanUp', path, () => {
      const { folder } = this.#disk.locate(path)
      if (folder !== undefined) this.#disk.remove(this.#temporary(folder, path))
    })
  }

  #read<T>(method: string, path: string, work: () => T): Promise<T> {
    return explained(this.#faults.read({ port: 'files', method, subject: path }, work))
  }

  #write<T>(method: string, path: string, work: (progress: Progress) => T | Promise<T>): Promise<T> {
    return explained(this.#faults.write({ port: 'files', method, subject: path }, work))
  }

  /** @throws `plan-stale` when the folder is not the one that was observed. */
  #guarded(path: string, guard: Guard): Place & { readonly folder: string } {
    const place = this.#disk.locate(path)
    const { folder } = place
    if (folder === undefined) throw systemError('ENOENT', 'realpath', folderOf(path))
    if (guard.folder !== undefined && folder !== guard.folder)
      throw new HarmonyError(
        'plan-stale',
        `${guard.folder} is no longer the folder that was observed: it leads to ${folder} now`,
        {
          hint: 'find out who moved the folder or put a link in its place, then plan again',
          data: { folder: guard.folder, found: folder },
        },
      )
    return { ...place, folder }
  }

  /** @throws `plan-stale` when something else stands there than what was observed; the candidate goes. */
  #refuseChanged(path: string, candidate: string, { fingerprint }: Replacing): void {
    const { node } = this.#disk.locate(path)
    if (fingerprint === undefined || fingerprint === (node ? fingerprintOf(node) : 'absent')) return
    this.#disk.remove(candidate)
    throw changedMeanwhile(path)
  }

  #facts(node: Inode, folder: string | undefined): EntryFacts {
    return {
      mode: octal(node.mode),
      owner: principal(this.#disk.users, node.uid),
      group: principal(this.#disk.groups, node.gid),
      folder,
      fingerprint: fingerprintOf(node),
    }
  }

  #change(node: Inode, attributes: EntryAttributes): void {
    const { uid, gid } = this.#ids(attributes)
    node.uid = uid ?? node.uid
    node.gid = gid ?? node.gid
    if (attributes.mode !== undefined) node.mode = Number.parseInt(attributes.mode, 8)
    node.version++
  }

  #ids({ owner, group }: EntryAttributes): {
    readonly uid: number | undefined
    readonly gid: number | undefined
  } {
    return { uid: idOf(this.#disk.users, 'user', owner), gid: idOf(this.#disk.groups, 'group', group) }
  }

  #place(path: string, node: Inode): void {
    const { parent, name } = this.#disk.locate(path)
    if (!parent) throw systemError('ENOENT', 'open', path)
    parent.children.set(name, node)
    parent.version++
  }

  #temporary(folder: string, path: string): string {
    return `${folder === '/' ? '' : folder}/.${nameIn(path)}.harmony~`
  }

  #inside(folder: string, path: string): string {
    return `${folder === '/' ? '' : folder}/${nameIn(path)}`
  }
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function collect(content: Content): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}
