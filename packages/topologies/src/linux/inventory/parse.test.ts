import { describe, expect, test } from 'vitest'
import { parseInventory } from './parse.ts'

const pi = String.raw`architecture	aarch64
kernel	6.1.0-rpi7-rpi-v8
hostname	kiosk
os	PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
os	NAME="Debian \"GNU\"/Linux"
os	VERSION_ID='12'
os	VERSION_CODENAME=bookworm
os	ID=raspbian
os	ID_LIKE="debian other"
os	# a comment
model	Raspberry Pi 4 Model B Rev 1.4
processors	4
memory	MemTotal:        3885396 kB
memory	MemAvailable:    3000000 kB
memory	SwapTotal:        102396 kB
booted	1763625600
disk	sda			
disk	sdb	0	1	Card Reader
disk	mmcblk0	62333952	0	SD32G
mounted	Filesystem     Type 1-blocks Used Available Capacity Mounted on
mounted	/dev/mmcblk0p2 ext4 31082536960 6000000000 23800000000 21% /
mounted	/dev/sda1 ext4 100 40 60 40% /media/my disk
mounted	overlay overlay 100 40 60 40% /var/lib/docker/overlay2/1/merged
interface	lo	unknown	00:00:00:00:00:00
interface	eth0	up	dc:a6:32:01:02:03
interface	wg0	unknown	
addresses
address	1: lo    inet 127.0.0.1/8 scope host lo
address	2: eth0    inet 192.168.1.20/24 brd 192.168.1.255 scope global eth0
address	2: eth0    inet6 fe80::1/64 scope link
address	3: wg0    inet 10.0.0.1 peer 10.0.0.2/32 scope global wg0
systemd	systemd 252 (252.39-1~deb12u1)
systemd	+PAM +AUDIT
end
`

test('a Raspberry Pi', () => {
  expect(parseInventory(pi)).toEqual({
    hostname: 'kiosk',
    os: {
      name: 'Debian GNU/Linux 12 (bookworm)',
      id: 'raspbian',
      like: ['debian', 'other'],
      version: '12',
      codename: 'bookworm',
    },
    kernel: '6.1.0-rpi7-rpi-v8',
    architecture: 'aarch64',
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    processors: 4,
    memory: { total: 3885396 * 1024, available: 3000000 * 1024, swap: 102396 * 1024 },
    disks: [{ name: 'mmcblk0', size: 62333952 * 512, model: 'SD32G', removable: false }],
    fileSystems: [
      { mountPoint: '/', device: '/dev/mmcblk0p2', type: 'ext4', size: 31082536960, available: 23800000000 },
      { mountPoint: '/media/my disk', device: '/dev/sda1', type: 'ext4', size: 100, available: 60 },
    ],
    interfaces: [
      {
        name: 'eth0',
        state: 'up',
        mac: 'dc:a6:32:01:02:03',
        addresses: ['192.168.1.20/24', 'fe80::1/64'],
      },
      { name: 'lo', state: 'unknown', addresses: ['127.0.0.1/8'] },
      { name: 'wg0', state: 'unknown', addresses: ['10.0.0.1/32'] },
    ],
    systemd: { version: 252, build: '252.39-1~deb12u1' },
    bootedAt: '2025-11-20T08:00:00.000Z',
  })
})

describe('a host that tells little or nonsense', () => {
  test('is described by what is left', () => {
    expect(
      parseInventory(
        'processors\tmany\nbooted\t99999999999999999999\nmemory\tMemTotal: lots\nsystemd\t\nmounted\t/dev/x\nvendor\tQEMU\nproduct\tTo Be Filled By O.E.M.\ninterface\teth0\nend\n',
      ),
    ).toEqual({
      hostname: 'unknown',
      os: { name: 'linux', id: 'linux', like: [] },
      kernel: 'unknown',
      architecture: 'unknown',
      model: 'QEMU',
      disks: [],
      fileSystems: [],
      interfaces: [{ name: 'eth0', state: 'unknown' }],
    })
  })

  test('is not described when it was cut short', () => {
    expect(parseInventory(pi.slice(0, -5))).toBeUndefined()
    expect(parseInventory('This account is currently not available.\n')).toBeUndefined()
  })
})
