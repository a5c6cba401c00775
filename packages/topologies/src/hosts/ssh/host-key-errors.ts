/** What a person is told who must not go on, because the host is not surely who it should be. */
import { HarmonyError } from '@harmony-iac/core'
import { fingerprint, type HostKeyCheck, type HostKeyTarget, keyType, knownName } from './known-hosts.ts'

/** The error for a key that is not known, with what to do about it. */
export function hostKeyError(
  check: Exclude<HostKeyCheck, { status: 'known' }>,
  target: HostKeyTarget,
  key: Buffer,
): HarmonyError {
  const name = knownName(target)
  const shown = `${keyType(key)} ${fingerprint(key)}`
  const data = { host: name, status: check.status, type: keyType(key), fingerprint: fingerprint(key) }
  if (check.status === 'unknown') {
    const { authority } = check
    const vouched = authority
      ? `; ${authority.file}:${authority.line} trusts a certificate authority for it, but certificates of hosts are not supported`
      : ''
    return new HarmonyError('host-key', `${name}: nobody has vouched for its host key ${shown}${vouched}`, {
      hint: `on the host, \`ssh-keygen -lf /etc/ssh/${keyFile(key)}\` must print ${fingerprint(key)}; then connect once with \`ssh\` and say yes`,
      data,
    })
  }
  const { file, line } = check.entry
  const place = { ...data, file, line }
  if (check.status === 'revoked')
    return new HarmonyError('host-key', `${name}: its host key ${shown} was revoked in ${file}:${line}`, {
      hint: 'whoever has this key may pretend to be the host: give the host a new one, do not connect before',
      data: place,
    })
  const known = `${check.entry.type} ${fingerprint(check.entry.key)}`
  return new HarmonyError(
    'host-key',
    `${name}: THE HOST KEY HAS CHANGED. It shows ${shown}; ${file}:${line} knows ${known}. Somebody may stand between you and the host, or it was installed anew`,
    {
      hint: `find out which. If it was installed anew, forget the old key: ssh-keygen -f ${shellWord(file)} -R ${shellWord(name)}`,
      data: { ...place, known: fingerprint(check.entry.key), knownTypes: check.types },
    },
  )
}

/** Where sshd keeps the public part of a key of this type, by default. */
function keyFile(key: Buffer): string {
  const type = keyType(key)
  if (type.startsWith('ecdsa-')) return 'ssh_host_ecdsa_key.pub'
  return type === 'ssh-rsa' ? 'ssh_host_rsa_key.pub' : 'ssh_host_ed25519_key.pub'
}

/** For a hint that people paste into a shell; no command line of ours. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
