/**
 * A container on this machine as a `Host`, through the namespaces of its first process: for tests of what stands on that
 * port, without a transport of its own to go wrong. Its files are those below `/proc/PID/root`, where an absolute link
 * among the folders of a path would lead out of the container: such a path is refused.
 */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { Duplex, Readable } from 'node:stream'
import type { Attributes, FileStat, Host, HostFiles, PinnedFolder } from '@harmony-iac/core/host'
import { localHost } from '@harmony-iac/topologies'

/** How a {@link containerHost} reaches sockets. */
export interface ContainerHostOptions {
  /** The system bus by `systemd-stdio-bridge`, as through sudo; otherwise the socket itself. Default false. */
  readonly bridge?: boolean
  /** Who the bridge runs as. Default root. */
  readonly user?: { readonly name: string; readonly uid: number } | undefined
}

/** The container whose first process is `pid` here. */
export function containerHost(pid: number, { bridge = false, user }: ContainerHostOptions = {}): Host {
  const here = localHost()
  const root = `/proc/${pid}/root`
  const enter = [
    ...[`--target=${pid}`, '--mount', '--uts', '--ipc', '--net', '--pid'],
    ...['--root', '--wd=/', '--'],
  ]
  return {
    name: `container ${pid}`,
    files: filesBelow(root),
    facts: async () => ({ uid: user?.uid ?? 0, gid: user?.uid ?? 0, home: '/root', env: {} }),
    exec: (argv, options) => here.exec(['nsenter', ...enter, ...argv], options),
    async dial(socket) {
      if (!bridge) return await here.dial(root + socket)
      const as = user ? ['runuser', '-u', user.name, '--'] : []
      const child = spawn('nsenter', [...enter, ...as, 'systemd-stdio-bridge'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      // Node's types do not know this form.
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin } as never)
      stream.once('close', () => child.kill())
      return stream
    },
    lock: () => Promise.reject(new Error('nothing of a container is locked here')),
    close: () => here.close(),
  }
}

function filesBelow(root: string): HostFiles {
  /** Where a path is, seen from here. */
  const at = async (path: string): Promise<string> => {
    const folder = path.slice(0, path.lastIndexOf('/'))
    let canonical = ''
    for (const name of folder.split('/').filter(Boolean)) {
      const stat = await fs.lstat(`${root}${canonical}/${name}`).catch(() => undefined)
      const link = stat?.isSymbolicLink() ? await fs.readlink(`${root}${canonical}/${name}`) : undefined
      if (link?.startsWith('/')) throw new Error(`${path}: ${canonical}/${name} is a link to ${link}`)
      canonical = `${canonical}/${link ?? name}`
    }
    return `${root}${canonical}${path.slice(folder.length)}`
  }
  const files: HostFiles = {
    lstat: async (path) => await stat(await at(path)),
    realpath: async (path) => (await at(path)).slice(root.length) || '/',
    readlink: async (path) => await fs.readlink(await at(path)),
    readdir: async (path) => await fs.readdir(await at(path)),
    async read(path, limit) {
      const place = await at(path)
      const found = await stat(place)
      if (!found) return undefined
      const isRead = found.type === 'file' && found.size <= limit
      return { stat: found, bytes: isRead ? await fs.readFile(place) : undefined }
    },
    async *stream(path) {
      yield await fs.readFile(await at(path))
    },
    pin: async (folder) => await pinned(root, folder, await at(folder)),
  }
  return files
}

async function pinned(root: string, path: string, place: string): Promise<PinnedFolder> {
  const within = (name: string) => `${place}/${name}`
  const set = async (name: string, { mode, uid, gid }: Attributes) => {
    if (uid !== undefined || gid !== undefined) {
      const now = await fs.lstat(within(name))
      await fs.lchown(within(name), uid ?? now.uid, gid ?? now.gid)
    }
    if (mode !== undefined) await fs.chmod(within(name), mode)
  }
  // As the port has it: what is no folder cannot be pinned.
  await fs.readdir(place)
  return {
    path,
    lstat: (name) => stat(within(name)),
    async create(name, content, attributes) {
      const bytes =
        content instanceof Uint8Array ? content : Buffer.concat(await Readable.from(content).toArray())
      await fs.writeFile(within(name), bytes, { flag: 'wx', mode: 0o600 })
      await set(name, attributes)
    },
    append: (name, bytes) => fs.appendFile(within(name), bytes, { mode: 0o600 }),
    async mkdir(name, attributes) {
      await fs.mkdir(within(name))
      await set(name, attributes)
    },
    symlink: (target, name) => fs.symlink(target, within(name)),
    rename: (from, to) => fs.rename(within(from), within(to)),
    unlink: (name) => fs.unlink(within(name)),
    rmdir: (name) => fs.rmdir(within(name)),
    setAttributes: set,
    sync: async () => {},
    pin: (name) => pinned(root, `${path}/${name}`, within(name)),
    close: async () => {},
  }
}

async function stat(place: string): Promise<FileStat | undefined> {
  const found = await fs.lstat(place, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (!found) return undefined
  return {
    type: found.isFile()
      ? 'file'
      : found.isDirectory()
        ? 'directory'
        : found.isSymbolicLink()
          ? 'symlink'
          : 'other',
    size: Number(found.size),
    mode: Number(found.mode) & 0o7777,
    uid: Number(found.uid),
    gid: Number(found.gid),
    inode: String(found.ino),
    device: found.dev,
    mtimeNs: found.mtimeNs,
    ctimeNs: found.ctimeNs,
  }
}
