/**
 * A Debian in a folder as a host: programs run by chroot(8), files are those below the folder. For tests of what changes
 * accounts, packages' settings and other things that a machine that runs tests must keep as they are.
 */
import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FileSystem, UserAccounts } from '@harmony-iac/core/capabilities'
import type { ExecOptions, Host, PinnedFolder } from '@harmony-iac/core/host'
import { Faults, mortalHost, type Snapshot, type Stage } from '@harmony-iac/core/testing'
import type { Part } from '../../../scripts/testing/require-part.ts'
import { localHost } from '../src/hosts/local.ts'
import { linuxFiles } from '../src/linux/files.ts'
import { hostHome } from '../src/linux/home.ts'
import { linuxUsers } from '../src/linux/users.ts'

/** What makes such a folder. */
export const debian: Part = {
  name: 'a Debian in a folder',
  get: 'as root: apt-get install mmdebstrap',
  present: process.geteuid?.() === 0 && hasCommand('mmdebstrap'),
}

// Made once for a machine: it takes half a minute.
const template = join(tmpdir(), 'harmony-debian-root')
const keptFolder = '/var/lib/harmony/kept'
/** Where accounts are, and what belongs to them. */
const databases = ['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid']
const theirs = ['home', 'root', 'srv']

/** A copy of a fresh Debian. Call `dispose` at the end. */
export async function debianRoot(): Promise<{ readonly root: string; reset(): void; dispose(): void }> {
  if (!existsSync(template)) {
    const made = mkdtempSync(`${template}-`)
    const include = '--include=passwd,libpam-modules-bin'
    await promisify(execFile)('mmdebstrap', ['--mode=root', '--variant=minbase', include, 'bookworm', made])
    try {
      renameSync(made, template)
    } catch (error) {
      // Somebody else was faster.
      if (!existsSync(join(template, 'etc/passwd'))) throw error
      rmSync(made, { recursive: true })
    }
  }
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'harmony-debian-')))
  execFileSync('cp', ['-a', '--reflink=auto', `${template}/.`, root])
  return {
    root,
    /** Only what tests change: hundreds of them begin anew. */
    reset() {
      for (const name of databases) {
        cpSync(join(template, 'etc', name), join(root, 'etc', name), { preserveTimestamps: true })
        for (const left of ['-', '+', '.lock']) rmSync(join(root, 'etc', name + left), { force: true })
      }
      for (const name of theirs) {
        rmSync(join(root, name), { recursive: true })
        execFileSync('cp', ['-a', join(template, name), join(root, name)])
      }
      rmSync(join(root, 'var/lib/harmony'), { recursive: true, force: true })
    },
    dispose: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** A host that is the Debian in a folder. */
export function chrootHost(root: string): Host & { readonly ran: readonly (readonly string[])[] } {
  const local = localHost()
  const ran: (readonly string[])[] = []
  const at = (path: string) => (path === '/' ? root : root + path)
  const inside = (path: string) => path.slice(root.length) || '/'

  /** As the kernel does it within the folder: an absolute link begins at its top. */
  async function realpath(path: string): Promise<string> {
    const open = path.split('/').reverse()
    let here = ''
    for (let links = 0; open.length > 0; ) {
      const name = open.pop() ?? ''
      if (name === '' || name === '.') continue
      if (name === '..') {
        here = here.slice(0, here.lastIndexOf('/'))
        continue
      }
      const next = `${here}/${name}`
      if (lstatSync(at(next)).isSymbolicLink()) {
        if (++links > 40)
          throw Object.assign(new Error('ELOOP'), { code: 'ELOOP', syscall: 'realpath', path })
        const target = readlinkSync(at(next))
        if (target.startsWith('/')) here = ''
        open.push(...target.split('/').reverse())
      } else here = next
    }
    return here || '/'
  }
  /** The folder resolved within, the name as it is. */
  async function place(path: string): Promise<string | undefined> {
    if (path === '/') return root
    const cut = path.lastIndexOf('/')
    try {
      return join(at(await realpath(path.slice(0, cut) || '/')), path.slice(cut + 1))
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
      throw error
    }
  }
  const wrap = (folder: PinnedFolder): PinnedFolder => ({
    path: inside(folder.path),
    lstat: (name) => folder.lstat(name),
    create: (...given) => folder.create(...given),
    append: (...given) => folder.append(...given),
    mkdir: (...given) => folder.mkdir(...given),
    symlink: (...given) => folder.symlink(...given),
    rename: (...given) => folder.rename(...given),
    unlink: (name) => folder.unlink(name),
    rmdir: (name) => folder.rmdir(name),
    setAttributes: (...given) => folder.setAttributes(...given),
    sync: () => folder.sync(),
    pin: async (name) => wrap(await folder.pin(name)),
    close: () => folder.close(),
  })
  const { files } = local
  return {
    ...local,
    name: 'debian',
    ran,
    facts: async () => ({ uid: 0, gid: 0, home: '/root', env: {} }),
    exec: (argv, options: ExecOptions = {}) => {
      ran.push(argv)
      return local.exec(['chroot', root, ...argv], options)
    },
    lock: (path, options) => local.lock(at(path), options),
    files: {
      lstat: async (path) => {
        const there = await place(path)
        return there === undefined ? undefined : await files.lstat(there)
      },
      realpath,
      readlink: async (path) => await files.readlink((await place(path)) ?? at(path)),
      readdir: async (path) => await files.readdir(at(await realpath(path))),
      read: async (path, limit) => {
        const there = await place(path)
        return there === undefined ? undefined : await files.read(there, limit)
      },
      async *stream(path) {
        yield* files.stream((await place(path)) ?? at(path))
      },
      pin: async (folder, expected) =>
        wrap(await files.pin(at(await realpath(folder)), expected === undefined ? undefined : at(expected))),
    },
  }
}

/** A Debian in a folder as a stage of the conformance kit. */
export interface DebianStage extends Stage {
  readonly files: FileSystem
  readonly users: UserAccounts
  /** Runs a program as root would behind Harmony's back. */
  run(...argv: readonly [string, ...string[]]): void
  /** A path of the host as the machine that runs the tests has it. */
  at(path: string): string
}

/** The same folder, as it was in the beginning. */
export function debianStage({ root, reset }: Awaited<ReturnType<typeof debianRoot>>): DebianStage {
  reset()
  const faults = new Faults()
  const host = mortalHost(chrootHost(root), faults)
  const files = linuxFiles(host, { keepFolder: async () => keptFolder })
  return {
    name: 'debian',
    faults,
    files,
    users: linuxUsers(host, files),
    home: hostHome(host, { uid: 0, gid: 0, home: '/root', env: {} }),
    run: (...argv) => void execFileSync('chroot', [root, ...argv], { stdio: 'pipe' }),
    at: (path) => root + path,
    snapshot: () => snapshotOf(root),
    residue: () => (existsSync(`${root}/var/lib/harmony`) ? pathsIn(`${root}/var/lib/harmony`) : []),
  }
}

/** Accounts by name, without the dates of their passwords; and the files that belong to them. */
function snapshotOf(root: string): Snapshot {
  const lines: Record<string, string> = {}
  for (const database of databases)
    for (const line of readFileSync(join(root, 'etc', database), 'utf8').split('\n')) {
      const [name, ...fields] = line.split(':')
      if (name) lines[`${database} ${name}`] = (database === 'shadow' ? fields.slice(0, 1) : fields).join(':')
    }
  for (const folder of theirs)
    for (const path of pathsIn(join(root, folder))) {
      const stat = lstatSync(path)
      const text = stat.isFile() ? readFileSync(path, 'utf8').slice(0, 2000) : ''
      lines[path.slice(root.length)] = `${(stat.mode & 0o177777).toString(8)} ${stat.uid}:${stat.gid} ${text}`
    }
  return lines
}

function pathsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .sort()
}

function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name)))
}
