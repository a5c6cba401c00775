/** What a Linux host is: its facts, read in one round trip and without anything installed there. */
import { HarmonyError } from '@harmony-iac/core/errors'
import type { Host } from '@harmony-iac/core/host'

/** The facts of a host. What it does not tell is absent. */
export interface Inventory {
  readonly hostname: string
  readonly os: OperatingSystem
  /** The kernel's release: `6.1.0-18-arm64`. */
  readonly kernel: string
  /** As `uname -m` has it: `aarch64`, `armv7l`, `x86_64`. */
  readonly architecture: string
  /** Of the board or the computer: `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly model?: string | undefined
  /** That are online. */
  readonly processors?: number | undefined
  readonly memory?: Memory | undefined
  /** Real ones; no loop devices, no partitions, no volumes that are made of others. By name. */
  readonly disks: readonly Disk[]
  /** Local ones that hold files, by mount point. */
  readonly fileSystems: readonly MountedFileSystem[]
  /** By name. */
  readonly interfaces: readonly NetworkInterface[]
  /** Absent where the machine was not started by systemd. */
  readonly systemd?: SystemdVersion | undefined
  /** Absent where no Docker Engine answers whoever logs in there. */
  readonly engine?: EngineVersion | undefined
  /** When the kernel was started: ISO 8601, UTC. A container has the time of its machine. */
  readonly bootedAt?: string | undefined
}

/** From os-release(5). */
export interface OperatingSystem {
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string
  /** For programs: `debian`, `raspbian`; `linux` when the host does not say. */
  readonly id: string
  /** What it is made from: `['debian']`. */
  readonly like: readonly string[]
  /** `12`; rolling ones have none. */
  readonly version?: string | undefined
  /** `bookworm`. */
  readonly codename?: string | undefined
}

/** In bytes. */
export interface Memory {
  readonly total: number
  /** What programs could still get without swapping. */
  readonly available?: number | undefined
  readonly swap: number
}

/** A disk, an SD card or the like. */
export interface Disk {
  /** `sda`, `mmcblk0`, `nvme0n1`. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  readonly model?: string | undefined
  readonly removable: boolean
}

/** A file system that is mounted. */
export interface MountedFileSystem {
  readonly mountPoint: string
  readonly device: string
  /** `ext4`, `vfat`. */
  readonly type: string
  /** In bytes. */
  readonly size: number
  /** In bytes, for who is not root. */
  readonly available: number
}

/** A network interface. */
export interface NetworkInterface {
  readonly name: string
  /** As the kernel has it: `up`, `down`, `unknown` (loopback and tunnels, for instance). */
  readonly state: string
  /** Its hardware address. */
  readonly mac?: string | undefined
  /** With the length of the prefix: `192.168.1.20/24`, `fe80::1/64`. Absent on a host without iproute2. */
  readonly addresses?: readonly string[] | undefined
}

/** What runs as the first process. */
export interface SystemdVersion {
  /** `252`. */
  readonly version: number
  /** As the distribution built it: `252.39-1~deb12u1`. */
  readonly build: string
}

/** What answers at `/var/run/docker.sock`. */
export interface EngineVersion {
  readonly version: string
  readonly apiVersion: string
}

const timeoutMs = 20_000

/**
 * Reads the facts of a host. Changes nothing there.
 * @throws HarmonyError `unreachable`, `host-key` and their like when it cannot be reached, `command-failed` when it does not
 *   answer within 20 s, `interrupted` when the signal aborts.
 * @example
 * const { architecture, systemd } = await takeInventory(ssh('pi@kiosk.local'))
 */
export async function takeInventory(
  host: Host,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Inventory> {
  // Loaded when used: a project that imports this package for its topologies must not wait for Node's HTTP client.
  const [{ engineVersion }, { parseInventory }, { inventoryScript }] = await Promise.all([
    import('./engine.ts'),
    import('./parse.ts'),
    import('./script.ts'),
  ])
  const [result, engine] = await Promise.all([
    host.exec(['sh', '-c', inventoryScript], {
      timeoutMs,
      outputLimit: 1 << 20,
      signal,
      env: { LC_ALL: 'C' },
    }),
    engineVersion(host),
  ])
  const facts = result.timedOut ? undefined : parseInventory(Buffer.from(result.stdout).toString('utf8'))
  if (facts) return { ...facts, ...(engine && { engine }) }
  const said = Buffer.from(result.stderr).toString('utf8').trim()
  throw new HarmonyError(
    'command-failed',
    result.timedOut
      ? `${host.name} did not tell its facts within ${timeoutMs / 1000} s`
      : `${host.name} did not tell its facts: ${said || 'the script was cut short'}`,
    { hint: 'a file system that does not answer, or an account without a shell, are what to look for' },
  )
}
