/**
 * Whether a host is who it was: known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"), judged as OpenSSH judges. In
 * particular, a host of which only another type of key is known has changed and is not new: otherwise whoever stands in
 * between would merely have to show a key of a type that nobody has seen.
 */
import { createHash, createHmac } from 'node:crypto'
import type { Place } from './config-lines.ts'
import { matchesHostList } from './patterns.ts'

/** One key of one or more hosts, and where it is written. */
export interface KnownHost extends Place {
  /** Patterns with commas between them, or one hashed name: `|1|salt|hash`. */
  readonly hosts: string
  readonly marker: 'revoked' | 'cert-authority' | undefined
  /** `ssh-ed25519`, `ssh-rsa`, … */
  readonly type: string
  /** As on the wire. */
  readonly key: Buffer
}

/** By which names a host is looked up. */
export interface HostKeyTarget {
  readonly host: string
  readonly port: number
  /** HostKeyAlias: instead of host and port. */
  readonly alias?: string | undefined
  /** The address that answered. When given, what is known of it has to agree (CheckHostIP). */
  readonly address?: string | undefined
}

/** What known_hosts say about the key that a host shows. */
export type HostKeyCheck =
  | { readonly status: 'known'; readonly entry: KnownHost }
  /** Nothing is known of this host. `authority` may vouch for it, but certificates of hosts are not supported. */
  | { readonly status: 'unknown'; readonly authority: KnownHost | undefined }
  /** Another key is known. `entry` is where; `types` are all types that are known. */
  | { readonly status: 'changed'; readonly entry: KnownHost; readonly types: readonly string[] }
  | { readonly status: 'revoked'; readonly entry: KnownHost }

/** The entries of a file. As OpenSSH, lines that cannot be read are passed over. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => {
    const [, marker, hosts = '', type = '', base64 = ''] =
      /^[ \t]*(?:@(\S+)[ \t]+)?([^\s#@]\S*)[ \t]+(\S+)[ \t]+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line) ?? []
    if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return []
    const key = Buffer.from(base64, 'base64')
    if (type === '' || keyType(key) !== type) return []
    return [{ file, line: index + 1, hosts, marker, type, key }]
  })
}

/** Compares the key that a host shows with what is known. */
export function checkHostKey(
  entries: readonly KnownHost[],
  target: HostKeyTarget,
  key: Buffer,
): HostKeyCheck {
  const named = entries.filter((entry) => isFor(entry, knownName(target)))
  const addressed = addressEntries(entries, target)
  const everywhere = [...named, ...addressed, ...withoutPort(entries, target)]
  const revoked = everywhere.find(({ marker, key: known }) => marker === 'revoked' && known.equals(key))
  if (revoked) return { status: 'revoked', entry: revoked }
  const check = compare(named, key)
  if (check.status === 'known') {
    const there = compare(addressed, key)
    return there.status === 'changed' ? there : check
  }
  if (check.status === 'changed') return check
  // As OpenSSH: a key that is known without a port will do on any, but another one there says nothing.
  const portless = compare(withoutPort(entries, target), key)
  return portless.status === 'known' ? portless : check
}

/** The types of keys that are known for a host, in the order of the files: the ones to ask it for. */
export function knownKeyTypes(entries: readonly KnownHost[], target: HostKeyTarget): string[] {
  const named = plain(entries.filter((entry) => isFor(entry, knownName(target))))
  const found = named.length > 0 ? named : plain(withoutPort(entries, target))
  return [...new Set(found.map(({ type }) => type))]
}

/**
 * Host key algorithms with those first whose keys are known. A host has several keys and shows the one that is asked for
 * first; if that were one that we do not know, it would look changed.
 */
export function knownFirst(algorithms: readonly string[], types: readonly string[]): string[] {
  // RFC 8332: one RSA key, three ways to sign.
  const keyOf = (algorithm: string) => (/^rsa-sha2-/.test(algorithm) ? 'ssh-rsa' : algorithm)
  const known = algorithms.filter((algorithm) => types.includes(keyOf(algorithm)))
  return [...known, ...algorithms.filter((algorithm) => !known.includes(algorithm))]
}

/** A key as people compare it: `SHA256:…`. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type that a key on the wire says that it has; empty when it is no key. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return ''
  const end = 4 + key.readUInt32BE(0)
  return end > key.length ? '' : key.toString('latin1', 4, end)
}

/** The name of a host in known_hosts: `kiosk`, `[kiosk]:2222`, in lower case. */
export function knownName({ host, port, alias }: HostKeyTarget): string {
  return (alias ?? (port === 22 ? host : `[${host}]:${port}`)).toLowerCase()
}

/** A name that is only recognized by who knows it already. Each time with another salt. */
export function hashedName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

function compare(entries: readonly KnownHost[], key: Buffer): Exclude<HostKeyCheck, { status: 'revoked' }> {
  const keys = plain(entries)
  const same = keys.find((entry) => entry.key.equals(key))
  if (same) return { status: 'known', entry: same }
  // Of several, the one to be told is that which the new key would replace.
  const entry = keys.find(({ type }) => type === keyType(key)) ?? keys.at(-1)
  if (entry) return { status: 'changed', entry, types: [...new Set(keys.map(({ type }) => type))] }
  return { status: 'unknown', authority: entries.find(({ marker }) => marker === 'cert-authority') }
}

function plain(entries: readonly KnownHost[]): KnownHost[] {
  return entries.filter(({ marker }) => marker === undefined)
}

function addressEntries(entries: readonly KnownHost[], { address, port, alias }: HostKeyTarget): KnownHost[] {
  if (address === undefined || alias !== undefined) return []
  return entries.filter((entry) => isFor(entry, knownName({ host: address, port })))
}

function withoutPort(entries: readonly KnownHost[], { host, port, alias }: HostKeyTarget): KnownHost[] {
  if (port === 22 || alias !== undefined) return []
  return entries.filter((entry) => isFor(entry, host.toLowerCase()))
}

function isFor({ hosts }: KnownHost, name: string): boolean {
  const [, salt] = /^\|1\|([^|]+)\|[^|]+$/.exec(hosts) ?? []
  return salt === undefined
    ? matchesHostList(name, hosts)
    : hashedName(name, Buffer.from(salt, 'base64')) === hosts
}
