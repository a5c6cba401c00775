import type { Finding, Problem } from '@harmony-iac/topologies'
import { expect, test } from 'vitest'
import { coloursOf } from './colours.ts'
import { doctorText, lacking, problemText, verdictText } from './doctor-text.ts'

const plain = coloursOf(false)
const notRoot: Problem = { code: 'not-root', user: 'pi', sudo: 'password' }
const findings: readonly Finding[] = [
  { concern: 'ledger', status: 'ok', problems: [] },
  { concern: 'files', status: 'limited', problems: [notRoot] },
  { concern: 'services', status: 'missing', problems: [{ code: 'no-bus', said: undefined }, notRoot] },
  {
    concern: 'agent',
    status: 'missing',
    problems: [{ code: 'architecture', architecture: 'armv7l', bits: 32 }],
  },
]
const diagnosis = { host: 'kiosk', user: 'pi', uid: 1000, findings }

test('a table: what for, whether, why not, what to do; what was said is not explained again', () => {
  const text = doctorText(
    { title: 'kiosk, over SSH', diagnosis, needed: new Set(['ledger', 'services']) },
    plain,
  )
  expect(text).toBe(`kiosk, over SSH, as pi (uid 1000)
  ✓ ledger      ok       needed
  ! files       limited
      pi is not root, who alone may change this
      → log in as root, or let pi use sudo without a password: it asks for one here
  ✗ services    missing  needed
      there is no system bus
      → apt-get install dbus
      pi is not root, who alone may change this (see files)
  ✗ agent       missing
      the agent does not run on armv7l with a 32-bit system
      → install a 64-bit system (arm64 or amd64); without an agent the machine is worked on over SSH as it is
`)
})

test('what a host says of itself cannot fool a terminal', () => {
  const title = 'kiosk'
  const odd = { ...diagnosis, user: '\u001b[2Jroot', findings: [] }
  expect(doctorText({ title, diagnosis: odd, needed: undefined }, plain)).not.toContain('\u001b')
})

test.each([
  ['of a project, what its Scores need', new Set(['services'] as const), ['services']],
  ['of a project that needs little, nothing', new Set(['files', 'ledger'] as const), []],
  ['without a project, everything but the agent', undefined, ['services']],
])('lacking is, %s', (_, needed, expected) => {
  expect(lacking(findings, needed).map(({ concern }) => concern)).toEqual(expected)
})

test.each([
  [[{ title: '', diagnosis, needed: undefined }], 0, 'missing: services.'],
  [
    [{ title: '', diagnosis, needed: new Set(['files'] as const) }],
    0,
    'All that the project needs is there.',
  ],
  [[{ title: '', diagnosis: { ...diagnosis, findings: [] }, needed: undefined }], 0, 'Nothing is missing.'],
  [[], 2, '2 hosts cannot be reached.'],
])('the verdict %#', (all, unreachable, text) => {
  expect(verdictText(all, unreachable)).toBe(text)
})

test.each<[Problem, string, string]>([
  [
    { code: 'disk-full', of: 'bytes', mountPoint: '/', available: 5 << 20, size: 32e9 },
    '/ has 5.0 MiB left of 30 GiB',
    'apt-get clean',
  ],
  [
    { code: 'disk-full', of: 'files', mountPoint: '/', available: 3, size: 1000 },
    '/ can hold 3 more files',
    'du --inodes',
  ],
  [{ code: 'clock', offsetSeconds: -90_000 }, "its clock is 25 h behind this machine's", 'set-ntp'],
  [{ code: 'clock', offsetSeconds: 300 }, "its clock is 5 min ahead of this machine's", 'set-ntp'],
  [
    { code: 'engine-denied', user: 'pi', group: 'docker' },
    'pi may not use',
    'usermod --append --groups docker pi',
  ],
  [{ code: 'engine-silent', said: undefined }, 'does not answer', 'systemctl start docker'],
  [{ code: 'engine-old', apiVersion: '1.39', least: '1.41' }, 'version 1.39', '20.10'],
  [{ code: 'no-engine' }, 'no Docker Engine', 'docker.io'],
  [{ code: 'no-flock' }, 'flock', 'util-linux'],
  [{ code: 'no-apt' }, 'apt', 'Debian'],
  [{ code: 'no-files', said: 'no SFTP', advice: 'enable it' }, 'no SFTP', 'enable it'],
  [{ code: 'no-programs', programs: ['a', 'b'], package: 'passwd' }, 'a, b are not there', 'install passwd'],
  [{ code: 'no-systemd', init: 'sshd' }, 'its first process is sshd', 'Debian'],
  [{ code: 'no-bus', said: 'refused' }, 'refused', 'AllowStreamLocalForwarding'],
  [{ code: 'read-only', paths: ['/', '/usr'] }, '/, /usr are mounted read-only', 'remount'],
  [{ code: 'unwritable', path: '/x', user: 'pi' }, 'pi may not write to /x', 'HARMONY_STATE_DIR'],
])('$code is told with what to do', (problem, message, hint) => {
  const text = problemText(problem)
  expect(text.message).toContain(message)
  expect(text.hint).toContain(hint)
})
