/**
 * Has systemd's own services set a name or a zone: programs that listen to them learn of it, and what else they know
 * to keep in step they keep. A host without them, or where they cannot work, as in many containers, is none the worse:
 * whoever asks looks at what is still not as wanted, and sets that.
 */
import type { Host } from '@harmony-iac/core/host'
import { dialBus } from '../services/dial.ts'

const services = {
  'host name': {
    name: 'org.freedesktop.hostname1',
    path: '/org/freedesktop/hostname1',
    member: 'SetStaticHostname',
  },
  'time zone': {
    name: 'org.freedesktop.timedate1',
    path: '/org/freedesktop/timedate1',
    member: 'SetTimezone',
  },
} as const

// They are started when they are asked for; one that cannot be started is told at once, as a rule.
const patienceMs = 10_000

/** Asks for it, and waits for an answer for a while. */
export async function announce(host: Host, what: keyof typeof services, value: string): Promise<void> {
  const { name, path, member } = services[what]
  try {
    const bus = await dialBus(host)
    const tooLong = setTimeout(() => bus.close(), patienceMs)
    try {
      const body = [value, false] // nobody is there to be asked for a password
      await bus.call({ destination: name, path, interface: name, member, signature: 'sb', body })
    } finally {
      clearTimeout(tooLong)
      bus.close()
    }
  } catch {
    // As said above: files and the kernel are looked at next, and what they say against it is told.
  }
}
