/**
 * What a user writes for a host: `kiosk`, `pi@kiosk.local:2222`, `[::1]:2222`, `ssh://pi@kiosk:2222`. The command ssh
 * knows a port only in the last form; in its ProxyJump, and here, every form may have one.
 */
import { isIPv6 } from 'node:net'
import { HarmonyError } from '@harmony-iac/core'

/** The parts of a destination. What was not written is missing: the configuration may know it. */
export interface Destination {
  /** As written; without the brackets of an IPv6 address. */
  readonly host: string
  readonly user?: string
  readonly port?: number
}

/**
 * Takes a destination apart.
 * @throws HarmonyError `invalid-value` when it is none.
 */
export function parseDestination(text: string): Destination {
  const uri = /^ssh:\/\//i.test(text)
  const whole = uri ? text.slice('ssh://'.length).replace(/\/$/, '') : text
  const at = whole.lastIndexOf('@')
  const { host, port } = hostAndPort(whole.slice(at + 1), text)
  if (!isHostName(host)) throw noDestination(text, `${JSON.stringify(host)} is not the name of a host`)
  const user = at < 0 ? undefined : userOf(whole.slice(0, at), uri, text)
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) }
}

/** A port as written; `undefined` when it is none. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Whether a text can name a host: what is longer than a name, or looks like an option, cannot. */
export function isHostName(text: string): boolean {
  return /^[^\s/?#@'"`$\\;&<>|(){}[\],\p{Cc}-][^\s/?#@'"`$\\;&<>|(){}[\],\p{Cc}]*$/u.test(text)
}

function hostAndPort(text: string, whole: string): { host: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text)
  const colons = text.split(':').length - 1
  if (!bracketed && colons > 1) {
    if (isIPv6(text)) return { host: text }
    throw noDestination(whole, 'it has several colons and is no IPv6 address')
  }
  const [host = '', written] = bracketed ? bracketed.slice(1) : text.split(':')
  if (written === undefined) return { host }
  const port = parsePort(written)
  if (port === undefined) throw noDestination(whole, `${JSON.stringify(written)} is not a port`)
  return { host, port }
}

function userOf(text: string, uri: boolean, whole: string): string {
  // RFC 3986 allows a password and parameters here. One does not belong into files, the others we could not honour.
  if (uri && /[:;]/.test(text)) throw noDestination(whole, 'only the name of the user may stand before the @')
  const user = uri ? decoded(text, whole) : text
  if (!/^[^-\s\p{Cc}][^\s\p{Cc}]*$/u.test(user))
    throw noDestination(whole, `${JSON.stringify(user)} is not the name of a user`)
  return user
}

function decoded(text: string, whole: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw noDestination(whole, `${JSON.stringify(text)} is not percent-encoded`, error)
  }
}

function noDestination(whole: string, why: string, cause?: unknown): HarmonyError {
  // Somebody may have written a password.
  const text = whole.replace(/^(ssh:\/\/[^:@]*):[^@]*@/i, '$1:…@')
  return new HarmonyError('invalid-value', `${JSON.stringify(text)} does not name a host: ${why}`, {
    hint: 'write kiosk, pi@kiosk.local, kiosk:2222, [::1]:2222 or ssh://pi@kiosk:2222',
    cause,
    data: { destination: text },
  })
}
