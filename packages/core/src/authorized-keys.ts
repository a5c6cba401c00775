/**
 * Files of keys as OpenSSH has them (sshd(8), AUTHORIZED_KEYS FILE FORMAT): options, type, key, comment on each line.
 * Pure functions: what a Score declares, what a host keeps and what a simulated host keeps must read a line alike.
 */
import { hash } from 'node:crypto'
import type { KeyLine } from './capabilities/users.ts'

/** How often each type's key has a field, its own name not counted, and how long those are that have one length. */
const fieldsOfType: Readonly<Record<string, readonly (number | undefined)[]>> = {
  'ssh-ed25519': [32],
  'sk-ssh-ed25519@openssh.com': [32, undefined],
  'ecdsa-sha2-nistp256': [8, 65],
  'ecdsa-sha2-nistp384': [8, 97],
  'ecdsa-sha2-nistp521': [8, 133],
  'sk-ecdsa-sha2-nistp256@openssh.com': [8, 65, undefined],
  'ssh-rsa': [undefined, undefined],
}

// Also what is no longer accepted, so that a line that has it is not taken for one that begins with options.
const typeName = /^(?:(?:sk-)?(?:ssh|ecdsa)-[a-z0-9-]+(?:@openssh\.com)?)$/

/** Reads one line; `undefined` for a comment, an empty line, and what is no key. */
export function parseKeyLine(text: string): KeyLine | undefined {
  const line = text.trim()
  if (line === '' || line.startsWith('#')) return undefined
  const first = splitUnquoted(line)
  const [options, rest] = typeName.test(first.head) ? ['', line] : [first.head, first.rest]
  const [, type = '', blob = '', comment = ''] = /^(\S+)[ \t]+(\S+)(?:[ \t]+(.*))?$/.exec(rest) ?? []
  if (!typeName.test(type) || !/^[A-Za-z0-9+/]+=*$/.test(blob)) return undefined
  return { text, options: splitOptions(options), type, blob, comment }
}

/** The options of a line, one by one; a comma within quotes separates nothing. */
export function splitOptions(options: string): readonly string[] {
  return options.match(/(?:[^,"]|"(?:\\"|[^"])*"?)+/g) ?? []
}

/** A line as it is written. */
export function keyLineText({ options, type, blob, comment }: Omit<KeyLine, 'text'>): string {
  return [options.join(','), type, blob, comment].filter((part) => part !== '').join(' ')
}

/** The keys of a file, in order. */
export function parseKeys(text: string): readonly KeyLine[] {
  return text.split('\n').flatMap((line) => parseKeyLine(line) ?? [])
}

/**
 * The text of a file in which exactly these lines stand for one key: where the first one did, or at the end. Whatever
 * else is in it stays byte for byte.
 */
export function withKeyLines(text: string, blob: string, lines: readonly string[]): string {
  const all = text === '' ? [] : (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  const at = all.findIndex((line) => parseKeyLine(line)?.blob === blob)
  const others = all.filter((line) => parseKeyLine(line)?.blob !== blob)
  const made = at < 0 ? [...others, ...lines] : others.toSpliced(at, 0, ...lines)
  return made.length === 0 ? '' : `${made.join('\n')}\n`
}

/** As `ssh-keygen -l` prints it: `SHA256:…`. */
export function keyFingerprint(blob: string): string {
  return `SHA256:${hash('sha256', Buffer.from(blob, 'base64'), 'base64').replace(/=+$/, '')}`
}

/** Why a key cannot be used; `undefined` when it can. */
export function flawOfKey({ type, blob }: Pick<KeyLine, 'type' | 'blob'>): string | undefined {
  const lengths = fieldsOfType[type]
  if (!lengths) return `has the type ${type}, which no server accepts; use ${Object.keys(fieldsOfType)[0]}`
  const bytes = Buffer.from(blob, 'base64')
  if (bytes.toString('base64') !== blob) return 'is cut off or mistyped: its second word is no base64'
  const fields = fieldsOf(bytes)
  if (!fields) return 'is cut off or mistyped: its parts do not add up'
  const [name, ...values] = fields
  if (name?.toString('latin1') !== type)
    return `says ${type}, but the key itself is another one: part of the line was mistyped`
  if (
    values.length !== lengths.length ||
    lengths.some((length, i) => length !== undefined && values[i]?.length !== length)
  )
    return `is no complete ${type} key`
  // sshd refuses shorter ones (RequiredRSASize).
  if (type === 'ssh-rsa' && (values[1]?.length ?? 0) <= 129)
    return 'is an RSA key of 1024 bits or less, which is not safe'
  return undefined
}

/** The parts of a key, each preceded by its length (RFC 4253, section 6.6). */
function fieldsOf(bytes: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return undefined
    fields.push(bytes.subarray(at + 4, end))
    at = end
  }
  return fields
}

function splitUnquoted(line: string): { readonly head: string; readonly rest: string } {
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\' && line[i + 1] === '"') i++
    else if (line[i] === '"') quoted = !quoted
    else if (!quoted && /[ \t]/.test(line[i] ?? ''))
      return { head: line.slice(0, i), rest: line.slice(i).trim() }
  }
  return { head: line, rest: '' }
}
