/** What apt and dpkg have to say, understood. Pure: text in, facts and messages out. Written for `LC_ALL=C`. */
import { HarmonyError } from '@harmony-iac/core'

/** Who holds which lock; undefined when that is not the trouble. */
export function heldLock(
  said: string,
):
  | { readonly path: string; readonly pid: number | undefined; readonly program: string | undefined }
  | undefined {
  const apt = /Could not get lock (\S+?)\.(?: It is held by process (\d+)(?: \((.+?)\))?)?\s*$/m.exec(said)
  if (apt) return { path: apt[1] ?? '', pid: numberOf(apt[2]), program: apt[3] }
  const dpkg =
    /dpkg: error: dpkg (frontend|database) lock was locked by (?:another process with pid (\d+))?/.exec(said)
  if (dpkg) {
    const path = dpkg[1] === 'frontend' ? '/var/lib/dpkg/lock-frontend' : '/var/lib/dpkg/lock'
    return { path, pid: numberOf(dpkg[2]), program: undefined }
  }
  // Older ones do not say by whom.
  const old = /Could not get lock (\S+)/.exec(said)
  return old ? { path: old[1] ?? '', pid: undefined, program: undefined } : undefined
}

/** Whether an earlier run of dpkg was killed. */
export function wasInterrupted(said: string): boolean {
  return /dpkg was interrupted, you must manually run/.test(said)
}

/** Whether reading the lists again may help: something is not known, or is not where they say. */
export function mayBeOutdated(said: string): boolean {
  return /^E: Unable to locate package |^E: Version '.*' for '.*' was not found|has no installation candidate|^E: Unable to fetch some archives/m.test(
    said,
  )
}

/** The packages that are named as the ones that failed, without their architecture. */
export function namedGuilty(said: string): ReadonlySet<string> {
  const guilty = new Set<string>()
  const list = /Errors were encountered while processing:\n((?: .+\n?)+)/.exec(said)?.[1] ?? ''
  for (const line of list.split('\n')) {
    const name = line.trim()
    // An archive that could not be unpacked is named by its file.
    const file = /([^/\s_]+)_[^/\s]*\.deb$/.exec(name)
    if (name) guilty.add(file?.[1] ?? nameOf(name))
  }
  for (const [, name] of said.matchAll(/dpkg: error processing (?:package|archive) (\S+)/g))
    guilty.add(/([^/_]+)_[^/]*\.deb$/.exec(name ?? '')?.[1] ?? nameOf(name ?? ''))
  for (const [, name] of said.matchAll(/^E: Failed to fetch \S*\/([^/\s_]+)_[^/\s]*\.deb/gm))
    guilty.add(decodeURIComponent(name ?? ''))
  for (const [, name] of said.matchAll(/^E: Unable to locate package (\S+)/gm)) guilty.add(nameOf(name ?? ''))
  for (const [, name] of said.matchAll(/^E: Version '.*' for '(.+?)' was not found/gm))
    guilty.add(nameOf(name ?? ''))
  for (const [, name] of said.matchAll(/^E: Package '(.+?)' has no installation candidate/gm))
    guilty.add(nameOf(name ?? ''))
  return guilty
}

/** Without its architecture. */
export function nameOf(name: string): string {
  return name.split(':', 1)[0] ?? name
}

const causes: readonly (readonly [RegExp, what: string, hint: string])[] = [
  [
    /You don't have enough free space in (\S+?)\.?$/m,
    'there is no space left in $1',
    'free some space there (apt-get clean removes downloaded packages) and apply again',
  ],
  [
    /No space left on device/,
    'the disk is full',
    'free some space (apt-get clean removes downloaded packages) and apply again',
  ],
  [
    /unauthenticated packages|cannot be authenticated/,
    'the archive that it comes from is not signed by a key that the host trusts',
    'give the host the key of that archive and name it with signed-by, then apply again',
  ],
  [
    /Could not resolve|Temporary failure resolving|Could not connect|Connection (?:failed|timed out|refused)|Unable to connect/,
    'the archive cannot be reached',
    'see whether the host has a network and the archive is up, then apply again',
  ],
  [
    /404 {1,2}Not Found|File not found - |Failed to stat/,
    'the archive does not have it any more, also after its lists were read again',
    'see whether that mirror is complete, or name another version',
  ],
  [
    /Held packages were changed/,
    'it would change a package that is held',
    'say hold: false for that package, or let it go: apt-mark unhold NAME',
  ],
  [
    /Essential packages were removed/,
    'it would remove a package without which the host does not work',
    'leave that package in place',
  ],
  [
    /Packages were downgraded/,
    'it would put another package back to an older version',
    'name that package with its version too, if this is what you want',
  ],
  [
    /unmet dependencies|held broken packages/,
    'what it needs cannot be had together with what is there',
    'see the lines above: another version, or another archive, is needed',
  ],
  [/Read-only file system/, 'the file system is read-only', 'remount it read-write and apply again'],
  [
    /are you root\?|Permission denied/,
    'only root may change packages',
    'connect as root, or as a user who may use sudo',
  ],
]

/** The lines that matter: the errors, and what a package's own script has said before it failed. */
export function essence(said: string, name?: string): readonly string[] {
  const lines = said.split('\n').map((line) => line.trimEnd())
  const chosen = new Set<number>()
  let unmet = false
  for (const [i, line] of lines.entries()) {
    if (/^The following packages have unmet dependencies/.test(line)) unmet = true
    else if (!line.startsWith(' ')) unmet = false
    if (unmet || /^(?:E|W|Err|dpkg: error)\b/.test(line)) chosen.add(i)
    // The lines of a script stand between its announcement and dpkg's error.
    const failed = /^dpkg: error processing (?:package|archive) (\S+)/.exec(line)
    if (!failed) continue
    if (lines[i + 1]?.startsWith(' ')) chosen.add(i + 1)
    if (name !== undefined && !failed[1]?.includes(name)) continue
    for (
      let j = i - 1;
      j >= 0 && j >= i - 10 && !/^(?:Setting up|Unpacking|Removing|Preparing)\b/.test(lines[j] ?? '');
      j--
    )
      chosen.add(j)
  }
  const told = [...chosen].sort((a, b) => a - b).map((i) => lines[i] ?? '')
  const kept = told.filter((line) => line !== '' && !/Can not write log|^debconf: delaying/.test(line))
  return (kept.length > 0 ? kept : lines.filter(Boolean)).slice(-20)
}

/** What went wrong with a package, and what to do. */
export function failure(doing: string, said: string, name?: string): HarmonyError {
  const script =
    /(?:installed|new|old) (\S+) package (\S+) script subprocess returned error exit status (\d+)/.exec(said)
  if (script && (name === undefined || nameOf(script[1] ?? '') === nameOf(name)))
    return new HarmonyError(
      'command-failed',
      [`${doing}: its ${script[2]} script failed with exit status ${script[3]}`, ...essence(said, name)].join(
        '\n',
      ),
      { hint: 'see what the script has said above, put that right, and apply again: it is then completed' },
    )
  for (const [pattern, what, hint] of causes) {
    const found = pattern.exec(said)
    if (found)
      return new HarmonyError(
        'command-failed',
        [`${doing}: ${what.replace('$1', found[1] ?? '')}`, ...essence(said, name)].join('\n'),
        { hint },
      )
  }
  return new HarmonyError('command-failed', [doing, ...essence(said, name)].join('\n'), {
    hint: 'see what the lines above say, and apply again',
  })
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
