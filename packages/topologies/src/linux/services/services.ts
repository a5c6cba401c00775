/** The capability `services` of a Linux host with systemd. Loaded by the first who asks. */
import type { ServiceManager } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'

/** The services of a Linux host, and its end. */
export interface LinuxServices extends ServiceManager {
  /** Closes the connection; another use opens it again. */
  close(): Promise<void>
}

/** The services of a Linux host with systemd. */
export function linuxServices(host: Host): LinuxServices {
  let loaded: Promise<LinuxServices> | undefined
  const systemd = async () => {
    loaded ??= import('./systemd.ts').then(({ systemdOf }) => systemdOf(host))
    return await loaded
  }
  return {
    look: async (...given) => await (await systemd()).look(...given),
    start: async (...given) => await (await systemd()).start(...given),
    stop: async (...given) => await (await systemd()).stop(...given),
    restart: async (...given) => await (await systemd()).restart(...given),
    reloadOrRestart: async (...given) => await (await systemd()).reloadOrRestart(...given),
    enable: async (...given) => await (await systemd()).enable(...given),
    disable: async (...given) => await (await systemd()).disable(...given),
    mask: async (...given) => await (await systemd()).mask(...given),
    unmask: async (...given) => await (await systemd()).unmask(...given),
    resetFailed: async (...given) => await (await systemd()).resetFailed(...given),
    verify: async (...given) => await (await systemd()).verify(...given),
    reloadManager: async () => await (await systemd()).reloadManager(),
    journal: async (...given) => await (await systemd()).journal(...given),
    cleanUp: async (...given) => await (await systemd()).cleanUp(...given),
    async close() {
      await (await loaded)?.close()
    },
  }
}
