import { expect, test } from 'vitest'
import { parseFacts } from './facts.ts'

const kiosk = `time	1763625600
user	pi
architecture	aarch64
bits	64
program	flock
program	apt-get
init	systemd
systemd	running
bus	there
engine	there
group	docker
sudo	password
unwritable	/home/pi/x
space	30000000	1000	/
space	500000	400000	/media/my disk
space	30000000	1000	/
inodes	1900000	12	/
readonly	/
writable	/
readonly	/usr
end	
`

test('what a host tells', () => {
  expect(parseFacts(kiosk)).toEqual({
    time: 1763625600,
    user: 'pi',
    architecture: 'aarch64',
    bits: 64,
    programs: new Set(['flock', 'apt-get']),
    init: 'systemd',
    systemd: true,
    bus: true,
    engine: 'denied',
    engineGroup: 'docker',
    sudo: 'password',
    unwritable: '/home/pi/x',
    space: [
      { mountPoint: '/', size: 30000000 * 1024, available: 1000 * 1024 },
      { mountPoint: '/media/my disk', size: 500000 * 1024, available: 400000 * 1024 },
    ],
    inodes: [{ mountPoint: '/', size: 1900000, available: 12 }],
    readOnly: ['/usr'],
  })
})

test('a host that tells little or nonsense is taken to have nothing', () => {
  expect(parseFacts('time\tlate\nsudo\tmaybe\nspace\tlots\t1\t/\nengine\tallowed\nend\t\n')).toEqual({
    time: undefined,
    user: 'an unknown user',
    architecture: 'unknown',
    bits: undefined,
    programs: new Set(),
    init: undefined,
    systemd: false,
    bus: false,
    engine: 'allowed',
    engineGroup: undefined,
    sudo: undefined,
    unwritable: undefined,
    space: [],
    inodes: [],
    readOnly: [],
  })
})

test('one that was cut short tells nothing', () => {
  expect(parseFacts(kiosk.replace(/end\t\n$/, ''))).toBeUndefined()
})
