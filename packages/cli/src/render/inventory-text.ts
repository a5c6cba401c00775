/** The facts of a host, as people read them. */
import type { Inventory } from '@harmony-iac/topologies'
import { sanitizeLine } from './sanitize.ts'
import { sizeText } from './size-text.ts'

/** A line per fact, under the name of the host. */
export function inventoryText(inventory: Inventory, now: Date): string {
  const { hostname, os, kernel, architecture, model, processors, memory, systemd, engine, bootedAt } =
    inventory
  const rows: (readonly [string, string | undefined])[] = [
    ['system', `${os.name}, Linux ${kernel}`],
    ['architecture', architecture],
    ['model', model],
    ['processors', processors?.toString()],
    [
      'memory',
      memory &&
        [
          sizeText(memory.total),
          memory.available !== undefined && `${sizeText(memory.available)} available`,
          memory.swap > 0 && `${sizeText(memory.swap)} swap`,
        ]
          .filter(Boolean)
          .join(', '),
    ],
    ...inventory.disks.map(
      (disk) =>
        [
          'disk',
          [disk.name, sizeText(disk.size), disk.model, disk.removable && 'removable']
            .filter(Boolean)
            .join(', '),
        ] as const,
    ),
    ...inventory.fileSystems.map(
      (each) =>
        [
          'file system',
          `${each.mountPoint}, ${each.type}, ${sizeText(each.size)}, ${sizeText(each.available)} available`,
        ] as const,
    ),
    ...inventory.interfaces.map(
      (each) =>
        [
          'interface',
          [`${each.name} ${each.state}`, each.mac, ...(each.addresses ?? [])].filter(Boolean).join(', '),
        ] as const,
    ),
    ['systemd', systemd ? `${systemd.version} (${systemd.build})` : 'none'],
    ['engine', engine ? `Docker ${engine.version} (API ${engine.apiVersion})` : 'none that answers'],
    ['booted', bootedAt && `${bootedAt.slice(0, 19).replace('T', ' ')} UTC, ${ago(bootedAt, now)}`],
  ]
  const told = rows.flatMap(([word, value]) =>
    value === undefined ? [] : [`  ${word.padEnd(14)}${sanitizeLine(value)}\n`],
  )
  return `${sanitizeLine(hostname)}\n${told.join('')}`
}

function ago(since: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 60_000))
  const [count, word] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / 1440), 'day']
  return `${count} ${word}${count === 1 ? '' : 's'} ago`
}
