/** Reading the files that say which hosts are known, and adding to them. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { HarmonyError, toHarmonyError } from '@harmony-iac/core'
import { isErrno } from '../local-stat.ts'
import {
  checkHostKey,
  type HostKeyTarget,
  hashedName,
  type KnownHost,
  keyType,
  knownName,
  parseKnownHosts,
} from './known-hosts.ts'

/**
 * The entries of several files, in order. A missing file is an empty one.
 * @throws HarmonyError `system` when one cannot be read: the hosts in it would look new.
 */
export function readKnownHosts(files: readonly string[]): KnownHost[] {
  return files.flatMap((file) => {
    try {
      return parseKnownHosts(readFileSync(file, 'utf8'), file)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
      throw toHarmonyError(error, { hint: 'make it readable: it says which hosts are known' })
    }
  })
}

/** How a key is remembered. */
export interface RememberOptions {
  /** HashKnownHosts: the file does not tell whom we know. */
  readonly hash: boolean
}

/**
 * Adds the key of a host to a file, which is made (0600, its folder 0700) if need be; nothing when it is there already.
 * It is one write at the end, so that others may add at the same time.
 * @throws HarmonyError `system`, with the lines to be added by hand.
 */
export function rememberHostKey(
  file: string,
  target: HostKeyTarget,
  key: Buffer,
  { hash }: RememberOptions,
): void {
  const lines = linesFor(target, key, hash)
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // A link is followed: people keep this file among others of theirs.
    const fd = openSync(file, 'a+', 0o600)
    try {
      const stats = fstatSync(fd)
      if (stats.isFile() && isKnown(file, target, key)) return
      const bytes = Buffer.from((endsWithBreak(fd, stats) ? '' : '\n') + lines)
      const written = writeSync(fd, bytes)
      // What is there now ends without a line break, so that whoever comes next starts a line of its own.
      if (written < bytes.length) throw fullDisk(file)
      if (stats.isFile()) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw toHarmonyError(error, {
      hint: `the key could not be remembered; add it yourself: ${lines.trimEnd()}`,
    })
  }
}

/** One line, or with an address that is to be hashed two: a hash stands for one name. */
function linesFor(target: HostKeyTarget, key: Buffer, hash: boolean): string {
  const { address, port, alias } = target
  const names = [knownName(target)]
  if (address !== undefined && alias === undefined) names.push(knownName({ host: address, port }))
  const distinct = [...new Set(names)]
  for (const name of distinct)
    if (/[\s,*?!|#]/.test(name))
      throw new HarmonyError('refused', `${JSON.stringify(name)} cannot be written into a known_hosts file`, {
        hint: 'give the host a HostKeyAlias without spaces and wildcards',
      })
  const entry = `${keyType(key)} ${key.toString('base64')}\n`
  if (!hash) return `${distinct.join(',')} ${entry}`
  return distinct.map((name) => `${hashedName(name, randomBytes(20))} ${entry}`).join('')
}

function isKnown(file: string, target: HostKeyTarget, key: Buffer): boolean {
  return checkHostKey(readKnownHosts([file]), { ...target, address: undefined }, key).status === 'known'
}

function endsWithBreak(fd: number, stats: { isFile(): boolean; size: number }): boolean {
  if (!stats.isFile() || stats.size === 0) return true
  const last = Buffer.alloc(1)
  readSync(fd, last, 0, 1, stats.size - 1)
  return last[0] === 0x0a
}

function fullDisk(path: string): Error {
  return Object.assign(new Error(`ENOSPC: write '${path}'`), { code: 'ENOSPC', syscall: 'write', path })
}
