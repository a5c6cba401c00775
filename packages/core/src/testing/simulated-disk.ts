/**
 * A file system in memory. Tests use it directly, as root would behind Harmony's back; the capability `files` stands on
 * it too. Links are followed as POSIX says: among the folders of a path always, at its end only by `resolve`.
 */

import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { systemError } from './faults.ts'

/** Mode, owner and group as a test names them. */
export interface DiskAttributes {
  /** Four octal digits. */
  readonly mode?: string | undefined
  readonly owner?: string | number | undefined
  readonly group?: string | number | undefined
}

/** What a disk has from the start, by path. */
export type DiskTree = Readonly<
  Record<
    string,
    | string
    | Uint8Array
    | ({ readonly content: string | Uint8Array } & DiskAttributes)
    | ({ readonly directory: true } & DiskAttributes)
    | ({ readonly target: string } & DiskAttributes)
  >
>

/** Every path with what is there, in one line each: equal snapshots mean equal disks. */
export type Snapshot = Readonly<Record<string, string>>

/** One thing on a disk. */
export interface Inode {
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly ino: number
  /** Goes up with every change of the thing. */
  version: number
  mode: number
  uid: number
  gid: number
  bytes: Uint8Array
  readonly target: string
  readonly children: Map<string, Inode>
}

/** Where a path leads: its folder's canonical path if the folder exists, and what is there. */
export interface Place {
  readonly folder: string | undefined
  readonly parent: Inode | undefined
  readonly name: string
  readonly node: Inode | undefined
}

// As in Linux.
const mostLinks = 40
const usualFolders = ['/etc', '/home', '/opt', '/srv', '/tmp', '/usr', '/var']

/** A disk, and the users and groups of its host by name. */
export class SimulatedDisk {
  readonly users = new Map([
    ['root', 0],
    ['www-data', 33],
    ['nobody', 65534],
  ])
  readonly groups = new Map([
    ['root', 0],
    ['www-data', 33],
    ['nogroup', 65534],
  ])
  #ino = 1
  readonly #root: Inode

  constructor(tree: DiskTree = {}) {
    this.#root = this.make('directory', { mode: 0o755 })
    for (const path of usualFolders) this.makeDirectory(path)
    this.add(tree)
  }

  /** Puts a whole tree there. */
  add(tree: DiskTree): void {
    for (const [path, what] of Object.entries(tree)) {
      if (typeof what === 'string' || what instanceof Uint8Array) this.write(path, what)
      else if ('content' in what) this.write(path, what.content, what)
      else if ('target' in what) this.link(path, what.target, what)
      else this.makeDirectory(path, what)
    }
  }

  /** Writes a file in place, as an editor would; its folders are made if need be. */
  write(path: string, content: string | Uint8Array, attributes: DiskAttributes = {}): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content.slice()
    const { node } = this.locate(path)
    if (node?.type === 'file') {
      node.bytes = bytes
      node.version++
      this.#set(node, attributes)
    } else this.#put(path, this.make('file', { bytes }), attributes)
  }

  /** Makes a directory and those above it; one that is there gets the attributes. */
  makeDirectory(path: string, attributes: DiskAttributes = {}): void {
    const { node } = this.locate(path)
    if (node?.type === 'directory') this.#set(node, attributes)
    else this.#put(path, this.make('directory', { mode: 0o755 }), attributes)
  }

  /** Makes a symbolic link, in place of whatever is there. */
  link(path: string, target: string, attributes: DiskAttributes = {}): void {
    this.#put(path, this.make('symlink', { mode: 0o777, target }), { ...attributes, mode: undefined })
  }

  /** Makes something that is neither file, directory nor link, such as a socket. */
  makeOther(path: string): void {
    this.#put(path, this.make('other', {}), {})
  }

  /** Removes whatever is there with all that is in it. */
  remove(path: string): void {
    const { parent, name } = this.locate(path)
    if (parent?.children.delete(name)) parent.version++
  }

  /** Moves whatever is there, replacing what is at the new path. */
  move(from: string, to: string): void {
    const { parent, name, node } = this.locate(from)
    if (!node) throw systemError('ENOENT', 'rename', from)
    parent?.children.delete(name)
    this.#put(to, node, {})
  }

  chmod(path: string, mode: string): void {
    this.#set(this.#existing(path, 'chmod'), { mode })
  }

  chown(path: string, owner: string | number, group?: string | number): void {
    this.#set(this.#existing(path, 'chown'), { owner, group })
  }

  /** The text of a file; `undefined` when no file is there. Links are followed. */
  read(path: string): string | undefined {
    const bytes = this.bytes(path)
    return bytes && Buffer.from(bytes).toString()
  }

  /** The bytes of a file; `undefined` when no file is there. Links are followed. */
  bytes(path: string): Uint8Array | undefined {
    const at = this.resolve(path)
    const node = at === undefined ? undefined : this.locate(at).node
    return node?.type === 'file' ? node.bytes.slice() : undefined
  }

  /** Whether anything is there; a link counts wherever it leads. */
  exists(path: string): boolean {
    return this.locate(path).node !== undefined
  }

  /** Paths of everything, or of everything below a folder, in order; links are not followed. */
  paths(below = '/'): readonly string[] {
    const found: string[] = []
    const visit = (node: Inode, path: string): void => {
      for (const [name, child] of [...node.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
        found.push(`${path}/${name}`)
        visit(child, `${path}/${name}`)
      }
    }
    const { node } = this.locate(below)
    if (node) visit(node, below === '/' ? '' : below)
    return found
  }

  /** What is on the disk now, times and identities aside. */
  snapshot(): Snapshot {
    return Object.fromEntries(this.paths().map((path) => [path, this.#describe(path)]))
  }

  /** Where a path leads, links at its end not followed. */
  locate(path: string): Place {
    if (path === '/') return { folder: '/', parent: undefined, name: '', node: this.#root }
    const cut = path.lastIndexOf('/')
    const name = path.slice(cut + 1)
    const folder = this.resolve(path.slice(0, cut) || '/')
    const parent = folder === undefined ? undefined : this.#walk(folder)
    if (folder === undefined || parent?.type !== 'directory')
      return { folder: undefined, parent: undefined, name, node: undefined }
    return { folder, parent, name, node: parent.children.get(name) }
  }

  /** The canonical path, every link followed; `undefined` when nothing is there. */
  resolve(path: string): string | undefined {
    const open = path.split('/').reverse()
    let at: readonly string[] = []
    let node = this.#root
    for (let links = 0; open.length > 0; ) {
      const name = open.pop() ?? ''
      if (name === '' || name === '.') continue
      if (name === '..') at = at.slice(0, -1)
      else {
        const child = node.children.get(name)
        if (!child) return undefined
        if (child.type !== 'symlink') at = [...at, name]
        else {
          if (++links > mostLinks) throw systemError('ELOOP', 'realpath', path)
          if (child.target.startsWith('/')) at = []
          open.push(...child.target.split('/').reverse())
        }
      }
      node = this.#walk(`/${at.join('/')}`) ?? this.#root
    }
    return `/${at.join('/')}`
  }

  /** Where a link leads although nothing is there yet; `undefined` when its folder is missing too. */
  resolveMissing(path: string): string | undefined {
    let at = path
    for (let links = 0; links <= mostLinks; links++) {
      const { folder, name, node } = this.locate(at)
      if (folder === undefined) return undefined
      if (node?.type !== 'symlink') return join(folder, name)
      at = node.target.startsWith('/') ? node.target : join(folder, node.target)
    }
    throw systemError('ELOOP', 'realpath', path)
  }

  /** A thing that is nowhere yet. It belongs to root. */
  make(
    type: Inode['type'],
    {
      mode = 0o644,
      bytes = new Uint8Array(),
      target = '',
    }: { mode?: number; bytes?: Uint8Array | undefined; target?: string },
  ): Inode {
    return { type, ino: this.#ino++, version: 1, mode, uid: 0, gid: 0, bytes, target, children: new Map() }
  }

  #put(path: string, node: Inode, attributes: DiskAttributes): void {
    const cut = path.lastIndexOf('/')
    if (cut > 0 && this.locate(path).folder === undefined) this.makeDirectory(path.slice(0, cut))
    const { parent, name } = this.locate(path)
    if (!parent) throw systemError('ENOENT', 'open', path)
    this.#set(node, attributes)
    parent.children.set(name, node)
    parent.version++
  }

  #set(node: Inode, { mode, owner, group }: DiskAttributes): void {
    if (mode !== undefined) node.mode = Number.parseInt(mode, 8)
    if (owner !== undefined) node.uid = idOf(this.users, owner)
    if (group !== undefined) node.gid = idOf(this.groups, group)
    node.version++
  }

  #existing(path: string, syscall: string): Inode {
    const { node } = this.locate(path)
    if (!node) throw systemError('ENOENT', syscall, path)
    return node
  }

  /** Along a canonical path. */
  #walk(canonical: string): Inode | undefined {
    let node: Inode | undefined = this.#root
    for (const name of canonical.split('/')) if (name !== '') node = node?.children.get(name)
    return node
  }

  #describe(path: string): string {
    const { node } = this.locate(path)
    if (!node) return 'absent'
    const owner = `${nameOf(this.users, node.uid)}:${nameOf(this.groups, node.gid)}`
    if (node.type === 'symlink') return `symlink ${owner} → ${node.target}`
    const facts = `${node.type} ${octal(node.mode)} ${owner}`
    return node.type === 'file' ? `${facts} ${describeBytes(node.bytes)}` : facts
  }
}

/** What one snapshot has and the other has not, a line each; empty when they are equal. */
export function compareSnapshots(before: Snapshot, after: Snapshot): readonly string[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return paths.flatMap((path) =>
    before[path] === after[path] ? [] : [`${path}: ${before[path] ?? 'absent'} → ${after[path] ?? 'absent'}`],
  )
}

/** Four octal digits. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/** The name of an id, or the id. */
export function nameOf(names: ReadonlyMap<string, number>, id: number): string {
  for (const [name, each] of names) if (each === id) return name
  return String(id)
}

function idOf(names: ReadonlyMap<string, number>, given: string | number): number {
  if (typeof given === 'number') return given
  const id = names.get(given)
  if (id === undefined) throw systemError('EINVAL', 'chown', given)
  return id
}

function join(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

function describeBytes(bytes: Uint8Array): string {
  if (bytes.length <= 200 && isUtf8(bytes)) return JSON.stringify(Buffer.from(bytes).toString())
  return `${bytes.length} bytes, sha256 ${hash('sha256', bytes, 'hex').slice(0, 16)}`
}
