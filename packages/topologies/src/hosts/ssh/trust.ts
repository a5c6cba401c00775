/** First contact with a host: what known_hosts says of its key, and what a person says where that says nothing. */
import { HarmonyError } from '@harmony-iac/core'
import type { Attendant } from '@harmony-iac/core/attendant'
import type { Asking } from './asking.ts'
import type { SshSettings } from './config.ts'
import { hostKeyError } from './host-key-errors.ts'
import { checkHostKey, fingerprint, type HostKeyTarget, keyType } from './known-hosts.ts'
import { readKnownHosts, rememberHostKey } from './known-hosts-files.ts'

/** The host whose key is judged. */
export interface Stranger {
  /** For people. */
  readonly name: string
  readonly target: HostKeyTarget
  readonly settings: SshSettings['hostKey']
  /** Nobody may be asked. */
  readonly batch: boolean
}

/**
 * Judges a host's key, and remembers one that is trusted from now on.
 * @throws HarmonyError `host-key`
 */
export async function trustHostKey(stranger: Stranger, key: Buffer, asking: Asking): Promise<void> {
  const { settings, target, batch } = stranger
  const { strict, userFiles, globalFiles, hash } = settings
  const check = () => checkHostKey(readKnownHosts([...userFiles, ...globalFiles]), target, key)
  const first = check()
  if (first.status === 'known') return
  const [file] = userFiles
  if (first.status !== 'unknown' || first.authority || !file || strict === 'yes')
    throw hostKeyError(first, target, key)
  if (strict === 'ask')
    await asking.inTurn(async (who) => {
      // Another connection to this host may have asked meanwhile.
      if (check().status === 'known') return
      if (batch || !who.present) throw hostKeyError(first, target, key)
      if (!(await vouches(who, stranger, key))) throw notTrusted(stranger, key)
      rememberHostKey(file, target, key, { hash })
    })
  else rememberHostKey(file, target, key, { hash })
}

/** As OpenSSH asks: only a whole word counts, or the fingerprint, which cannot be typed without having looked. */
async function vouches(who: Attendant, { name, target }: Stranger, key: Buffer): Promise<boolean> {
  const print = fingerprint(key)
  let introduction = `Nothing is known of this host (${target.host}, port ${target.port}). It shows the ${keyType(key)} key\n${print}`
  for (;;) {
    const answer = await who.ask({
      about: name,
      introduction,
      prompt: 'trust it from now on? (yes, no, or the fingerprint)',
      hidden: false,
    })
    const word = answer?.trim()
    if (word === 'yes' || word === print) return true
    if (!word || word === 'no') return false
    introduction = "Please type 'yes', 'no' or the fingerprint."
  }
}

function notTrusted({ name }: Stranger, key: Buffer): HarmonyError {
  return new HarmonyError(
    'host-key',
    `${name}: its host key ${keyType(key)} ${fingerprint(key)} was not trusted`,
    {
      hint: 'compare it on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
      data: { host: name, status: 'unknown', type: keyType(key), fingerprint: fingerprint(key) },
    },
  )
}
