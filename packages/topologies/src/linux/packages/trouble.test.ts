import { describe, expect, test } from 'vitest'
import { essence, failure, heldLock, mayBeOutdated, namedGuilty, wasInterrupted } from './trouble.ts'

describe('who holds a lock', () => {
  test.each([
    [
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
      { path: '/var/lib/dpkg/lock-frontend', pid: 4711, program: 'unattended-upgr' },
    ],
    [
      'E: Could not get lock /var/cache/apt/archives/lock. It is held by process 4711\nE: Unable to lock directory /var/cache/apt/archives/',
      { path: '/var/cache/apt/archives/lock', pid: 4711, program: undefined },
    ],
    [
      'E: Could not get lock /var/lib/apt/lists/lock - open (11: Resource temporarily unavailable)',
      { path: '/var/lib/apt/lists/lock', pid: undefined, program: undefined },
    ],
    [
      'dpkg: error: dpkg frontend lock was locked by another process with pid 5148\nNote: removing the lock file is always wrong',
      { path: '/var/lib/dpkg/lock-frontend', pid: 5148, program: undefined },
    ],
    [
      'dpkg: error: dpkg database lock was locked by another process with pid 5148',
      { path: '/var/lib/dpkg/lock', pid: 5148, program: undefined },
    ],
    ['E: Unable to locate package nginx', undefined],
  ])('%s', (said, holder) => {
    expect(heldLock(said)).toEqual(holder)
  })
})

test('an interrupted dpkg is told from other trouble', () => {
  const said = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. "
  expect(wasInterrupted(said)).toBe(true)
  expect(wasInterrupted('E: Unable to locate package nginx')).toBe(false)
})

test.each([
  ['E: Unable to locate package nginx', true],
  ["E: Version '9' for 'nginx' was not found", true],
  ["E: Package 'mail' has no installation candidate", true],
  ['E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?', true],
  ["E: You don't have enough free space in /var/cache/apt/archives/.", false],
  ['E: Sub-process /usr/bin/dpkg returned an error code (1)', false],
])('whether reading the lists may help: %s', (said, may) => {
  expect(mayBeOutdated(said)).toBe(may)
})

const script = `Setting up kit-broken (1.0) ...
no such luck
dpkg: error processing package kit-broken (--configure):
 installed kit-broken package post-installation script subprocess returned error exit status 3
Setting up kit-fine (1.0) ...
Errors were encountered while processing:
 kit-broken
 libc6:armhf
E: Sub-process /usr/bin/dpkg returned an error code (1)`

describe('who is guilty', () => {
  test.each([
    ['of a script that failed', script, ['kit-broken', 'libc6']],
    [
      'of an archive that cannot be unpacked',
      'dpkg: error processing archive /var/cache/apt/archives/kit-app_2.0_all.deb (--unpack):\nErrors were encountered while processing:\n /var/cache/apt/archives/kit-app_2.0_all.deb\n',
      ['kit-app'],
    ],
    [
      'of a file that cannot be fetched',
      'E: Failed to fetch http://deb.example.org/pool/g/gcc/g%2b%2b_12.2_amd64.deb  404  Not Found [IP: 192.0.2.1 80]',
      ['g++'],
    ],
    [
      'of a name that nobody knows',
      'E: Unable to locate package a\nE: Unable to locate package b:armhf',
      ['a', 'b'],
    ],
  ])('%s', (_, said, names) => {
    expect([...namedGuilty(said)]).toEqual(names)
  })
})

test('a script that failed is named with what it has said', () => {
  const error = failure('installing kit-broken', script, 'kit-broken')
  expect(error.message.split('\n')).toEqual([
    'installing kit-broken: its post-installation script failed with exit status 3',
    'no such luck',
    'dpkg: error processing package kit-broken (--configure):',
    ' installed kit-broken package post-installation script subprocess returned error exit status 3',
    'E: Sub-process /usr/bin/dpkg returned an error code (1)',
  ])
})

test.each([
  [
    "E: You don't have enough free space in /var/cache/apt/archives/.",
    'there is no space left in /var/cache/apt/archives/',
  ],
  ['dpkg: error: failed to write: No space left on device', 'the disk is full'],
  [
    'E: There were unauthenticated packages and -y was used without --allow-unauthenticated',
    'is not signed by a key',
  ],
  ["E: Failed to fetch http://x/ Temporary failure resolving 'x'", 'the archive cannot be reached'],
  [
    'E: Held packages were changed and -y was used without --allow-change-held-packages.',
    'a package that is held',
  ],
])('%s is said in words', (said, message) => {
  const error = failure('installing a', said)
  expect(error.message).toContain(message)
  expect(error.message).toContain(said)
  expect(error.hint).toBeDefined()
})

test('what matters of a long output are its errors, and what could not be met', () => {
  const said = `Reading package lists...
The following packages have unmet dependencies:
 a : Depends: b but it is not installable
E: Unable to correct problems, you have held broken packages.
E: Can not write log (Is /dev/pts mounted?) - posix_openpt (19: No such device)`
  expect(essence(said)).toEqual([
    'The following packages have unmet dependencies:',
    ' a : Depends: b but it is not installable',
    'E: Unable to correct problems, you have held broken packages.',
  ])
})
