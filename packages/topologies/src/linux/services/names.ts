/** Names of systemd on the bus. */

/** Its bus name. */
export const systemd = 'org.freedesktop.systemd1'

/** The object that manages all units, and its interface. */
export const manager = {
  destination: systemd,
  path: '/org/freedesktop/systemd1',
  interface: `${systemd}.Manager`,
} as const

/** Where the system bus listens on every Linux with one. */
export const busSocket = '/run/dbus/system_bus_socket'
