/** The capability `system` of a Linux host, over nothing but the port `Host`. Loaded by the first who asks. */
import type { FileSystem, Setting, SystemSettings } from '@harmony-iac/core/capabilities'
import type { Host } from '@harmony-iac/core/host'

/** The settings of a Linux host; what of them is a file is read and written through `files`. */
export function linuxSystem(host: Host, files: FileSystem): SystemSettings {
  let loaded: Promise<SystemSettings> | undefined
  const settings = async () => {
    loaded ??= import('./settings.ts').then(({ settingsOf }) => settingsOf(host, files))
    return await loaded
  }
  /** The same, once it is there. */
  const later = <W, S>(which: (all: SystemSettings) => Setting<W, S>): Setting<W, S> => ({
    look: async (...given) => await which(await settings()).look(...given),
    set: async (...given) => await which(await settings()).set(...given),
    keep: async (...given) => await which(await settings()).keep(...given),
    putBack: async (...given) => await which(await settings()).putBack(...given),
    cleanUp: async (...given) => await which(await settings()).cleanUp(...given),
  })
  return {
    hostName: later((all) => all.hostName),
    timeZone: later((all) => all.timeZone),
    kernel: later((all) => all.kernel),
  }
}
