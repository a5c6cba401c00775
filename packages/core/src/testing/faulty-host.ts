/**
 * Faults at the border to a machine. Every call of the port `Host` that writes is counted, and the n-th can kill this
 * process or fail, before it is made or after. Counting alone shows which calls a pass makes: none, if it is a plan.
 */
import type { Host, HostLock, PinnedFolder } from '../host.ts'

/** A call that writes, as counted. */
export interface CountedCall {
  /** `create`, `rename`, `sync`, `exec`, … */
  readonly call: string
  /** The path that it concerns; the program for `exec`. */
  readonly target: string
}

/** What happens at which call. Without `at` calls are only counted. */
export interface HostFaultPlan {
  /** Counted from 1. */
  readonly at?: number | undefined
  /** Default `before`. An error after the call is the lost answer of a connection: the work is done all the same. */
  readonly when?: 'before' | 'after' | undefined
  /** Default `kill`: this process ends by SIGKILL at that very moment. */
  readonly kind?: 'kill' | 'error' | undefined
  /** Of the error; default `EIO`. */
  readonly errno?: string | undefined
}

/** Counts calls and makes the planned one go wrong. */
export interface HostFaults {
  readonly calls: readonly CountedCall[]
  /** Called just before and just after each call that writes. */
  readonly hit: (call: string, when: 'before' | 'after', target: string) => void
}

/** Makes a counter; its `hit` also fits a host that reports its system calls one by one. */
export function hostFaults(plan: HostFaultPlan = {}): HostFaults {
  const { at, when = 'before', kind = 'kill', errno = 'EIO' } = plan
  const calls: CountedCall[] = []
  // Calls overlap: the one that was counted n-th need not be the last one when it ends.
  const waiting: { readonly call: string; readonly target: string; readonly number: number }[] = []
  return {
    calls,
    hit(call, moment, target) {
      let number: number
      if (moment === 'before') {
        number = calls.push({ call, target })
        waiting.push({ call, target, number })
      } else {
        const i = waiting.findIndex((each) => each.call === call && each.target === target)
        number = waiting.splice(i, 1)[0]?.number ?? 0
      }
      if (number !== at || moment !== when) return
      if (kind === 'kill') endThisProcess()
      throw Object.assign(new Error(`${errno}: injected, ${call} '${target}'`), {
        code: errno,
        syscall: call,
        path: target,
      })
    },
  }
}

/** A host whose writing calls are counted, and go wrong as planned. */
export function faultyHost(
  host: Host,
  plan: HostFaultPlan | HostFaults = {},
): Host & { readonly faults: HostFaults } {
  const counter = 'hit' in plan ? plan : hostFaults(plan)

  async function counted<T>(call: string, target: string, work: () => Promise<T>): Promise<T> {
    counter.hit(call, 'before', target)
    const result = await work()
    counter.hit(call, 'after', target)
    return result
  }

  function wrapFolder(folder: PinnedFolder): PinnedFolder {
    const at = (name: string) => `${folder.path === '/' ? '' : folder.path}/${name}`
    return {
      path: folder.path,
      lstat: (name) => folder.lstat(name),
      create: (name, content, attributes) =>
        counted('create', at(name), () => folder.create(name, content, attributes)),
      append: (name, bytes) => counted('append', at(name), () => folder.append(name, bytes)),
      mkdir: (name, attributes) => counted('mkdir', at(name), () => folder.mkdir(name, attributes)),
      symlink: (target, name) => counted('symlink', at(name), () => folder.symlink(target, name)),
      rename: (from, to) => counted('rename', at(to), () => folder.rename(from, to)),
      unlink: (name) => counted('unlink', at(name), () => folder.unlink(name)),
      rmdir: (name) => counted('rmdir', at(name), () => folder.rmdir(name)),
      setAttributes: (name, attributes) =>
        counted('setAttributes', at(name), () => folder.setAttributes(name, attributes)),
      sync: () => counted('sync', folder.path, () => folder.sync()),
      pin: async (name) => wrapFolder(await folder.pin(name)),
      close: () => folder.close(),
    }
  }

  function wrapLock(path: string, lock: HostLock): HostLock {
    return { lost: lock.lost, release: (options) => counted('release', path, () => lock.release(options)) }
  }

  const { files } = host
  return {
    name: host.name,
    faults: counter,
    files: {
      lstat: (path) => files.lstat(path),
      realpath: (path) => files.realpath(path),
      readlink: (path) => files.readlink(path),
      readdir: (path) => files.readdir(path),
      read: (path, limit) => files.read(path, limit),
      stream: (path) => files.stream(path),
      pin: async (folder, expected) => wrapFolder(await files.pin(folder, expected)),
    },
    facts: () => host.facts(),
    exec: (argv, options) => counted('exec', argv[0], () => host.exec(argv, options)),
    dial: (path) => host.dial(path),
    // It creates the lock file.
    lock: (path, options) =>
      counted('lock', path, async () => wrapLock(path, await host.lock(path, options))),
    close: () => host.close(),
  }
}

/** Nothing runs after this: no `finally`, no exit handler, no other promise. */
function endThisProcess(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal may be delivered to another thread first.
  for (;;);
}
