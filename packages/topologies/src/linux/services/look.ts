/** Questions to systemd about units. */
import type { Host } from '@harmony-iac/core/host'
import type { Bus } from './bus.ts'
import { BusError } from './bus-error.ts'
import { manager, systemd } from './names.ts'
import { type Properties, unitPath } from './unit-state.ts'

/** How the files of these units are installed; those that have no file of their own name are left out. */
export async function fileStates(bus: Bus, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  // A pattern matches a backslash by any one character: whether it could be written otherwise differs by version.
  const patterns = names.map((name) => name.replaceAll('\\', '?'))
  const [files] = await bus.call({
    ...manager,
    member: 'ListUnitFilesByPatterns',
    signature: 'asas',
    body: [[], patterns],
  })
  return new Map(
    (files as readonly (readonly [string, string])[]).map(([path, state]) => [
      path.slice(path.lastIndexOf('/') + 1),
      state,
    ]),
  )
}

/** As {@link fileStates}, of an instance or an alias. */
export async function fileState(bus: Bus, name: string): Promise<string> {
  try {
    const call = { ...manager, member: 'GetUnitFileState', signature: 's', body: [name] }
    const [state] = await bus.call(call)
    return String(state)
  } catch (error) {
    if (error instanceof BusError) return '' // made by systemd itself, without a file
    throw error
  }
}

/** What is of interest of a service that is not plainly running. */
const ofService = ['Result', 'ExecMainStatus', 'Type', 'RemainAfterExit'] as const

/** What systemd knows of a unit; it reads its files for that if it has not yet. */
export async function propertiesOf(
  bus: Bus,
  name: string,
): Promise<{ readonly unit: Properties; readonly service: Properties }> {
  const path = unitPath(name)
  const isService = name.endsWith('.service')
  const iface = `${systemd}.${isService ? 'Service' : 'Timer'}`
  const [unit, NRestarts] = await Promise.all([
    bus.getAll(systemd, path, `${systemd}.Unit`),
    isService ? bus.get(systemd, path, iface, 'NRestarts') : 0,
  ])
  const plain = unit.LoadState !== 'loaded' || unit.SubState === 'running' || unit.SubState === 'waiting'
  if (plain) return { unit, service: { NRestarts } }
  const keys = isService ? ofService : (['Result'] as const)
  const values = await Promise.all(keys.map((key) => bus.get(systemd, path, iface, key)))
  return { unit, service: { NRestarts, ...Object.fromEntries(keys.map((key, i) => [key, values[i]])) } }
}

/** When the files that a unit was read from were last changed. */
export async function changedNs(host: Host, { FragmentPath, DropInPaths }: Properties): Promise<bigint> {
  const paths = [FragmentPath, ...(Array.isArray(DropInPaths) ? DropInPaths : [])]
  const stats = await Promise.all(
    paths.map(async (path) =>
      typeof path === 'string' && path !== '' ? await host.files.lstat(path) : undefined,
    ),
  )
  let latest = 0n
  for (const stat of stats) {
    if (stat && stat.mtimeNs > latest) latest = stat.mtimeNs
    if (stat && stat.ctimeNs > latest) latest = stat.ctimeNs
  }
  return latest
}
