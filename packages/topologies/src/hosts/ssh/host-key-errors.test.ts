import { expect, test } from 'vitest'
import { hostKeyError } from './host-key-errors.ts'
import { checkHostKey, fingerprint, parseKnownHosts } from './known-hosts.ts'

const key = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIBcVFRyYz8+tkNXSjTQNmtg1MG5pnmXc3F3Xu8Zjx1Rm', 'base64')
const other = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIBcVFRyYz8+tkNXSjTQNmtg1MG5pnmXc3F3Xu8Zjx1Rn', 'base64')
const target = { host: 'kiosk', port: 2222 }
const file = '/home/ada lovelace/known_hosts'

test.each([
  {
    what: 'that nobody knows',
    lines: '',
    message: `[kiosk]:2222: nobody has vouched for its host key ssh-ed25519 ${fingerprint(key)}`,
    hint: `on the host, \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` must print ${fingerprint(key)}; then connect once with \`ssh\` and say yes`,
    data: { host: '[kiosk]:2222', status: 'unknown', fingerprint: fingerprint(key), type: 'ssh-ed25519' },
  },
  {
    what: 'for which there is only an authority',
    lines: `@cert-authority *:2222 ssh-ed25519 ${other.toString('base64')}`,
    message: `[kiosk]:2222: nobody has vouched for its host key ssh-ed25519 ${fingerprint(key)}; ${file}:1 trusts a certificate authority for it, but certificates of hosts are not supported`,
    hint: expect.stringContaining('ssh-keygen -lf'),
    data: { status: 'unknown' },
  },
  {
    what: 'that has changed',
    lines: `[kiosk]:2222 ssh-ed25519 ${other.toString('base64')}`,
    message: `[kiosk]:2222: THE HOST KEY HAS CHANGED. It shows ssh-ed25519 ${fingerprint(key)}; ${file}:1 knows ssh-ed25519 ${fingerprint(other)}. Somebody may stand between you and the host, or it was installed anew`,
    hint: `find out which. If it was installed anew, forget the old key: ssh-keygen -f '${file}' -R '[kiosk]:2222'`,
    data: { status: 'changed', file, line: 1, known: fingerprint(other), knownTypes: ['ssh-ed25519'] },
  },
  {
    what: 'that was revoked',
    lines: `@revoked * ssh-ed25519 ${key.toString('base64')}`,
    message: `[kiosk]:2222: its host key ssh-ed25519 ${fingerprint(key)} was revoked in ${file}:1`,
    hint: expect.stringContaining('do not connect'),
    data: { status: 'revoked', line: 1 },
  },
])('a host key $what', ({ lines, message, hint, data }) => {
  const check = checkHostKey(parseKnownHosts(lines, file), target, key)
  if (check.status === 'known') throw new Error('it should not be known')
  const error = hostKeyError(check, target, key)
  expect({ code: error.code, message: error.message, hint: error.hint }).toEqual({
    code: 'host-key',
    message,
    hint,
  })
  expect(error.data).toMatchObject(data)
})
