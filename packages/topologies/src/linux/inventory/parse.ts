/** Reads what the inventory's script printed. The host is not trusted: whatever is not as expected is left out. */
import type {
  Disk,
  Inventory,
  Memory,
  MountedFileSystem,
  NetworkInterface,
  OperatingSystem,
  SystemdVersion,
} from './inventory.ts'

/** All but the engine; `undefined` when the end is missing. */
export function parseInventory(text: string): Omit<Inventory, 'engine'> | undefined {
  const lines = text
    .replaceAll('\0', '')
    .split('\n')
    .map((line) => line.split('\t'))
  if (!lines.some(([word]) => word === 'end')) return undefined
  const all = (wanted: string) => lines.filter(([word]) => word === wanted).map(([, ...fields]) => fields)
  const one = (wanted: string) => all(wanted)[0]?.[0]?.trim() || undefined

  const addresses = all('addresses').length > 0 ? all('address') : undefined
  const booted = wholeNumber(one('booted'))
  return {
    hostname: one('hostname') ?? 'unknown',
    os: operatingSystem(all('os').map(([line = '']) => line)),
    kernel: one('kernel') ?? 'unknown',
    architecture: one('architecture') ?? 'unknown',
    ...present({
      model: one('model') ?? computer(one('vendor'), one('product')),
      processors: wholeNumber(one('processors')),
      memory: memory(all('memory').map(([line = '']) => line)),
      systemd: systemd(one('systemd')),
      bootedAt: booted === undefined || booted > 1e11 ? undefined : new Date(booted * 1000).toISOString(),
    }),
    disks: byKey(all('disk').flatMap(disk), ({ name }) => name),
    fileSystems: byKey(
      all('mounted').flatMap(([line = '']) => mounted(line)),
      ({ mountPoint }) => mountPoint,
    ),
    interfaces: byKey(
      all('interface').flatMap((fields) => networkInterface(fields, addresses)),
      ({ name }) => name,
    ),
  }
}

/** os-release(5): assignments as a shell reads them, without expansion. */
function operatingSystem(lines: readonly string[]): OperatingSystem {
  const values = new Map(
    lines.flatMap((line) => {
      const [, key, quoted] = /^([A-Z][A-Z0-9_]*)=(.*)$/u.exec(line.trim()) ?? []
      return key === undefined || quoted === undefined ? [] : [[key, unquote(quoted)] as const]
    }),
  )
  const id = values.get('ID') || 'linux'
  return {
    name: values.get('PRETTY_NAME') || values.get('NAME') || id,
    id,
    like: (values.get('ID_LIKE') ?? '').split(/\s+/u).filter(Boolean),
    ...present({
      version: values.get('VERSION_ID') || undefined,
      codename: values.get('VERSION_CODENAME') || undefined,
    }),
  }
}

function unquote(value: string): string {
  const [, quote, inner] = /^(["'])(.*)\1$/u.exec(value) ?? []
  if (inner === undefined) return value
  return quote === '"' ? inner.replaceAll(/\\(["$`\\])/gu, '$1') : inner
}

/** What nobody filled in is worth nothing. */
function computer(vendor: string | undefined, product: string | undefined): string | undefined {
  const words = [vendor, product].filter(
    (word) => word !== undefined && !/^(to be filled|default string|system )/iu.test(word),
  )
  return words.length > 0 ? words.join(' ') : undefined
}

/** /proc/meminfo, in kB that are KiB. */
function memory(lines: readonly string[]): Memory | undefined {
  const bytes = (name: string): number | undefined => {
    const line = lines.find((each) => each.startsWith(`${name}:`))
    const kibibytes = wholeNumber(/(\d+) kB$/u.exec(line ?? '')?.[1])
    return kibibytes === undefined ? undefined : kibibytes * 1024
  }
  const total = bytes('MemTotal')
  if (total === undefined) return undefined
  return { total, ...present({ available: bytes('MemAvailable') }), swap: bytes('SwapTotal') ?? 0 }
}

/** Sizes in /sys are in sectors of 512 bytes, whatever the disk has. An empty drive is none. */
function disk([name, size, removable, model]: readonly string[]): readonly Disk[] {
  const sectors = wholeNumber(size)
  if (!name || !sectors) return []
  return [
    {
      name,
      size: sectors * 512,
      ...present({ model: model?.trim() || undefined }),
      removable: removable === '1',
    },
  ]
}

/** A line of `df -PT -B1`; the mount point is last because it may hold spaces. */
function mounted(line: string): readonly MountedFileSystem[] {
  const [, device, type, size, available, mountPoint] =
    /^(.*\S)\s+(\S+)\s+(\d+)\s+\d+\s+(\d+)\s+\S+\s(\/.*)$/u.exec(line) ?? []
  if (!device || !type || !mountPoint) return []
  // An engine has one for each of its containers; the root of a container is one too.
  if (type === 'overlay' && mountPoint !== '/') return []
  return [{ mountPoint, device, type, size: Number(size), available: Number(available) }]
}

function networkInterface(
  [name, state, mac]: readonly string[],
  addresses: readonly (readonly string[])[] | undefined,
): readonly NetworkInterface[] {
  if (!name) return []
  const own = addresses?.flatMap(([line = '']) => {
    // `2: eth0    inet 192.168.1.20/24 brd …`; a peer's address stands between, and the prefix with it.
    const [, link, address, peer] =
      /^\d+: (\S+)\s+inet6? ([0-9a-f.:/]+)(?: peer [0-9a-f.:]+(\/\d+))?/u.exec(line) ?? []
    return link === name && address !== undefined ? [address + (peer ?? '')] : []
  })
  return [
    {
      name,
      state: state || 'unknown',
      ...present({ mac: mac && !/^[0:]*$/u.test(mac) ? mac : undefined, addresses: own }),
    },
  ]
}

/** `systemd 252 (252.39-1~deb12u1)` */
function systemd(line: string | undefined): SystemdVersion | undefined {
  const [, number, build] = /^systemd (\d+)\S*(?: \((.+)\))?$/u.exec(line ?? '') ?? []
  return number === undefined ? undefined : { version: Number(number), build: build ?? number }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined
}

/** Without the keys that have no value. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

function byKey<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}
