/** Hosts whose transport is loaded for the first call: a project names more hosts than a command looks at. */
import type { Host } from '@harmony-iac/core/host'

/** The host that `load` loads; `closed` is called when it was closed, loaded or not. */
export function lateHost(
  name: string,
  load: () => Promise<Host>,
  closed: () => Promise<void> = async () => {},
): Host {
  let loading: Promise<Host> | undefined
  const host = (): Promise<Host> => {
    loading ??= load()
    return loading
  }
  return {
    name,
    files: {
      lstat: async (path) => (await host()).files.lstat(path),
      realpath: async (path) => (await host()).files.realpath(path),
      readlink: async (path) => (await host()).files.readlink(path),
      readdir: async (path) => (await host()).files.readdir(path),
      read: async (path, limit) => (await host()).files.read(path, limit),
      async *stream(path) {
        yield* (await host()).files.stream(path)
      },
      pin: async (folder, expected) => (await host()).files.pin(folder, expected),
    },
    facts: async () => (await host()).facts(),
    exec: async (argv, options) => (await host()).exec(argv, options),
    dial: async (socketPath) => (await host()).dial(socketPath),
    lock: async (path, options) => (await host()).lock(path, options),
    async close() {
      await (await loading)?.close()
      await closed()
    },
  }
}
