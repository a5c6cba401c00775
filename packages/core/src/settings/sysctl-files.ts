/**
 * sysctl.d(5): which value a key gets at the next start. Files of one name hide each other by folder; the others are read
 * in the order of their names, wherever they are, and the last that assigns a key wins.
 */

/** Where files are, the folder that hides the others first. */
export const sysctlFolders: readonly string[] = [
  '/etc/sysctl.d',
  '/run/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/usr/lib/sysctl.d',
]

/** What stands in the file of one key. */
export function textOfKey(key: string, value: string): string {
  return `# Kept by Harmony as Sysctl:${key}\n${key} = ${value}\n`
}

/** Where the kernel shows it. */
export function pathOfKey(key: string): string {
  return `/proc/sys/${swapped(key)}`
}

/** Values of several words are shown with tabs, and may be written with any space. */
export function normalValue(text: string): string {
  return text.trim().split(/\s+/).join(' ')
}

/** A value that a file assigns. */
export interface Assignment {
  readonly value: string
  /** `/etc/sysctl.d/99-local.conf:3` */
  readonly at: string
}

/** A file, by its path. */
export interface SysctlFile {
  readonly path: string
  readonly text: string
}

/** The files that are read, in their order. `last`: what an old boot script reads after all others. */
export function inOrder(paths: readonly string[], last?: string | undefined): readonly string[] {
  const byName = new Map<string, string>()
  const rank = (path: string) => sysctlFolders.findIndex((folder) => path.startsWith(`${folder}/`))
  for (const path of [...paths].sort((a, b) => rank(a) - rank(b))) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (name.endsWith('.conf') && !byName.has(name)) byName.set(name, path)
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return last === undefined ? sorted : [...sorted, last]
}

/**
 * What each key will be. Patterns (`net.ipv4.conf.*.rp_filter`) are left out: they do not count for a key that is
 * assigned by name, and ours is.
 */
export function assignments(files: readonly SysctlFile[]): ReadonlyMap<string, Assignment> {
  const found = new Map<string, Assignment>()
  for (const { path, text } of files)
    for (const [i, line] of text.split('\n').entries()) {
      const [, key, value] = /^\s*-?([^#;=\s*?[][^=*?[]*?)\s*=(.*)$/.exec(line) ?? []
      if (key === undefined || value === undefined) continue
      found.set(normalKey(key), { value: normalValue(value), at: `${path}:${i + 1}` })
    }
  return found
}

/** Written with slashes, a dot is a dot; written with dots, a slash is one. */
function normalKey(key: string): string {
  return /^[^./]*\//.test(key) ? swapped(key) : key
}

function swapped(key: string): string {
  return key.replace(/[./]/g, (each) => (each === '.' ? '/' : '.'))
}
