/**
 * A host whose process can die without this one: every call that writes passes through `Faults`, and after a kill none
 * does. What ends with a process ends then too: its locks. (`faultyHost` really kills the process it runs in.)
 */
import type { Host, HostLock, PinnedFolder } from '../host.ts'
import type { Faults } from './faults.ts'

// How a host is asked about users, packages and what its kernel is set to.
const asking = new Set(['getent', 'dpkg-query', 'apt-cache', 'grep'])

function asks(argv: readonly string[]): boolean {
  return asking.has(argv[0] ?? '') || argv.includes('--simulate')
}

/** The same host behind faults. */
export function mortalHost(host: Host, faults: Faults): Host {
  const held = new Set<HostLock>()
  faults.onKill(() => {
    // Waited for where the lock is given back; a process that is gone has nobody to tell.
    for (const lock of held) void lock.release().catch(() => undefined)
  })

  const read = <T>(method: string, subject: string, work: () => Promise<T>) =>
    faults.read({ port: 'host', method, subject }, work)
  const write = <T>(method: string, subject: string, work: () => Promise<T>) =>
    faults.write({ port: 'host', method, subject }, work)

  const wrapFolder = (folder: PinnedFolder): PinnedFolder => {
    const at = (name: string) => `${folder.path === '/' ? '' : folder.path}/${name}`
    return {
      path: folder.path,
      lstat: (name) => read('lstat', at(name), () => folder.lstat(name)),
      create: (name, ...rest) => write('create', at(name), () => folder.create(name, ...rest)),
      append: (name, bytes) => write('append', at(name), () => folder.append(name, bytes)),
      mkdir: (name, attributes) => write('mkdir', at(name), () => folder.mkdir(name, attributes)),
      symlink: (target, name) => write('symlink', at(name), () => folder.symlink(target, name)),
      rename: (from, to) => write('rename', at(to), () => folder.rename(from, to)),
      unlink: (name) => write('unlink', at(name), () => folder.unlink(name)),
      rmdir: (name) => write('rmdir', at(name), () => folder.rmdir(name)),
      setAttributes: (name, attributes) =>
        write('setAttributes', at(name), () => folder.setAttributes(name, attributes)),
      sync: () => write('sync', folder.path, () => folder.sync()),
      pin: async (name) => wrapFolder(await read('pin', at(name), () => folder.pin(name))),
      close: () => folder.close(),
    }
  }

  const { files } = host
  return {
    name: host.name,
    files: {
      lstat: (path) => read('lstat', path, () => files.lstat(path)),
      realpath: (path) => read('realpath', path, () => files.realpath(path)),
      readlink: (path) => read('readlink', path, () => files.readlink(path)),
      readdir: (path) => read('readdir', path, () => files.readdir(path)),
      read: (path, limit) => read('read', path, () => files.read(path, limit)),
      stream: (path) => files.stream(path),
      pin: async (folder, expected) =>
        wrapFolder(await read('pin', folder, () => files.pin(folder, expected))),
    },
    facts: () => host.facts(),
    exec: (argv, options) => (asks(argv) ? read : write)('exec', argv[0], () => host.exec(argv, options)),
    dial: (path) => read('dial', path, () => host.dial(path)),
    async lock(path, options) {
      const lock = await read('lock', path, () => host.lock(path, options))
      held.add(lock)
      return {
        lost: lock.lost,
        async release(how) {
          held.delete(lock)
          await lock.release(faults.killed ? {} : how)
        },
      }
    },
    close: () => host.close(),
  }
}
