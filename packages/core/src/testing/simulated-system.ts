/**
 * The capability `system` in memory, over the simulated disk: what is a file on a Linux host is one here, the kernel is a
 * list of settings, and all time zones are known. Tests use `tune`, `call` and `forbid` as root would behind Harmony's
 * back.
 */
import type { SystemSettings } from '../capabilities/system.ts'
import { HarmonyError } from '../errors.ts'
import { hostSettings } from '../settings/index.ts'
import { pathOfKey } from '../settings/sysctl-files.ts'
import type { Faults } from './faults.ts'
import type { Snapshot } from './simulated-disk.ts'
import type { SimulatedFiles } from './simulated-files.ts'

/** Some that every Linux host has, as they are there from the start. */
const usual: Readonly<Record<string, string>> = {
  'fs.file-max': '9223372036854775807',
  'fs.inotify.max_user_watches': '8192',
  'kernel.hostname': 'simulated',
  'kernel.panic': '0',
  'net.core.somaxconn': '4096',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.ip_forward': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.tcp_rmem': '4096\t131072\t6291456',
  'net.ipv6.conf.all.forwarding': '0',
  'vm.overcommit_memory': '0',
  'vm.swappiness': '60',
}

/** {@link SystemSettings} in memory. */
export class SimulatedSystem implements SystemSettings {
  readonly hostName: SystemSettings['hostName']
  readonly timeZone: SystemSettings['timeZone']
  readonly kernel: SystemSettings['kernel']
  /** By path; as the kernel shows them. */
  readonly #settings = new Map(Object.entries(usual).map(([key, value]) => [pathOfKey(key), value]))
  readonly #forbidden = new Set<string>()

  constructor(files: SimulatedFiles, faults: Faults) {
    const isFixed = (path: string) => this.#forbidden.has(path)
    const write = (path: string, value: string, method: string) =>
      faults.write({ port: 'system', method, subject: path }, () => {
        if (isFixed(path)) throw new HarmonyError('refused', `${path}: the kernel lets nobody change it`)
        this.#settings.set(path, value.trim().replace(/\s+/g, '\t'))
      })
    const { hostName, timeZone, kernel } = hostSettings({
      files,
      shown: (path) =>
        faults.read({ port: 'system', method: 'shown', subject: path }, () => {
          const text = this.#settings.get(path)
          return text === undefined ? { type: 'absent' } : { type: 'value', text }
        }),
      isWritable: async (path) => !isFixed(path),
      write: (path, value) => write(path, value, 'write'),
      rename: (name) => write(pathOfKey('kernel.hostname'), name, 'rename'),
      get zones() {
        return ['UTC', 'Etc/UTC', ...Intl.supportedValuesOf('timeZone')]
      },
    })
    this.hostName = hostName
    this.timeZone = timeZone
    this.kernel = kernel
  }

  /** Gives a setting of the kernel this value; one that was not there is there then. */
  tune(key: string, value: string): void {
    this.#settings.set(pathOfKey(key), value)
  }

  /** The value that a setting has now. */
  tuned(key: string): string | undefined {
    return this.#settings.get(pathOfKey(key))
  }

  /** Makes a setting one that nobody can change. */
  forbid(key: string): void {
    this.#forbidden.add(pathOfKey(key))
  }

  /** Takes a setting away, as a module or an interface that goes. */
  untune(key: string): void {
    this.#settings.delete(pathOfKey(key))
  }

  /** Gives the running system another name. */
  call(name: string): void {
    this.tune('kernel.hostname', name)
  }

  /** Every setting of the kernel in a line. */
  snapshot(): Snapshot {
    return Object.fromEntries([...this.#settings].map(([path, value]) => [`kernel ${path}`, value]))
  }
}
