/** Reaching the system bus of a host. */
import { HarmonyError } from '@harmony-iac/core'
import type { Host } from '@harmony-iac/core/host'
import type { Bus } from './bus.ts'
import { busSocket } from './names.ts'

/** Opens a connection. @throws HarmonyError `unreachable` when nobody answers there. */
export async function dialBus(host: Host): Promise<Bus> {
  const { uid } = await host.facts()
  let stream: Awaited<ReturnType<Host['dial']>>
  try {
    stream = await host.dial(busSocket)
  } catch (cause) {
    throw new HarmonyError('unreachable', `${host.name}: nobody answers at ${busSocket}`, {
      hint: 'services need systemd and D-Bus on that host (apt-get install dbus); most containers have neither',
      cause,
    })
  }
  // Most passes ask for no service: what speaks D-Bus is loaded when it is needed.
  const { openBus } = await import('./bus.ts')
  return await openBus(stream, uid, host.name)
}
