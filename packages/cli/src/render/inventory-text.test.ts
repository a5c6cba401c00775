import { expect, test } from 'vitest'
import { inventoryText } from './inventory-text.ts'

const least = {
  hostname: 'kiosk\x1b[31m',
  os: { name: 'Debian', id: 'debian', like: [] },
  kernel: '6.1',
  architecture: 'aarch64',
  disks: [],
  fileSystems: [],
  interfaces: [],
}

test('a host that tells little has few lines, and none of them is obeyed', () => {
  expect(inventoryText(least, new Date())).toBe(`kiosk␛[31m
  system        Debian, Linux 6.1
  architecture  aarch64
  systemd       none
  engine        none that answers
`)
})

test('one that tells everything', () => {
  const all = {
    ...least,
    hostname: 'kiosk',
    model: 'Raspberry Pi 4',
    processors: 4,
    memory: { total: 3885396 * 1024, available: 512, swap: 102396 * 1024 },
    disks: [{ name: 'mmcblk0', size: 31914983424, model: 'SD32G', removable: true }],
    fileSystems: [{ mountPoint: '/', device: '/dev/root', type: 'ext4', size: 1024, available: 0 }],
    interfaces: [{ name: 'eth0', state: 'up', mac: 'dc:a6:32:01:02:03', addresses: ['192.168.1.20/24'] }],
    systemd: { version: 252, build: '252.39' },
    engine: { version: '26.1.0', apiVersion: '1.45' },
    bootedAt: '2026-01-01T00:00:00.000Z',
  }
  expect(inventoryText(all, new Date('2026-01-03T00:00:00Z'))).toBe(`kiosk
  system        Debian, Linux 6.1
  architecture  aarch64
  model         Raspberry Pi 4
  processors    4
  memory        3.7 GiB, 512 B available, 100 MiB swap
  disk          mmcblk0, 30 GiB, SD32G, removable
  file system   /, ext4, 1.0 KiB, 0 B available
  interface     eth0 up, dc:a6:32:01:02:03, 192.168.1.20/24
  systemd       252 (252.39)
  engine        Docker 26.1.0 (API 1.45)
  booted        2026-01-01 00:00:00 UTC, 2 days ago
`)
})

test.each([
  ['2026-01-01T00:00:30Z', '0 minutes ago'],
  ['2026-01-01T00:01:00Z', '1 minute ago'],
  ['2026-01-01T03:00:00Z', '3 hours ago'],
  ['2025-12-31T00:00:00Z', '0 minutes ago'],
])('at %s it was booted %s', (now, words) => {
  const text = inventoryText({ ...least, bootedAt: '2026-01-01T00:00:00.000Z' }, new Date(now))
  expect(text).toContain(words)
})
