/** What sudo says when it refuses, and what to do about it. It is asked to speak English (`LC_ALL=C`). */
import { HarmonyError } from '@harmony-iac/core'

/** Why sudo did not run anything. */
export type SudoRefusal =
  | 'password-needed'
  | 'wrong-password'
  | 'not-allowed'
  | 'needs-terminal'
  | 'missing'
  | 'broken'

/** The reason in what was said on standard error. `status` is that of the session. */
export function sudoRefusal(said: string, status: number | null | undefined): SudoRefusal {
  // In this order: who is not in sudoers is told so after a password, too.
  if (
    /is not in the sudoers file|is not allowed to (?:run|execute)|may not run sudo|afraid I can't do that/.test(
      said,
    )
  )
    return 'not-allowed'
  if (/must have a tty/.test(said)) return 'needs-terminal'
  if (
    /(?:Sorry|failed), try again|incorrect (?:password|authentication) attempt|no password was provided/.test(
      said,
    )
  )
    return 'wrong-password'
  if (
    /a password is required|a terminal is required to (?:read|authenticate)|interactive authentication is required/i.test(
      said,
    )
  )
    return 'password-needed'
  if (status === 127 || /sudo: (?:command )?not found/.test(said)) return 'missing'
  return 'broken'
}

/** Who wants to become root, and where. */
export interface Supplicant {
  /** The host, for people. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
}

/** The error for a refusal, with sudo's own words. */
export function sudoError(
  { name, host, port, user }: Supplicant,
  refusal: Exclude<SudoRefusal, 'password-needed'>,
  said: string,
): HarmonyError {
  const words = ownWords(said)
  const quoted = words === '' ? '' : `: ${words}`
  const byHand = `try it by hand: ssh -t -p ${port} ${user}@${host} sudo`
  const data = { host: name, user, reason: refusal, said: words }
  switch (refusal) {
    case 'wrong-password':
      return new HarmonyError('auth-failed', `${name}: sudo does not accept the password of ${user}`, {
        hint: `${byHand} -k true`,
        data,
      })
    case 'not-allowed':
      return new HarmonyError('auth-failed', `${name}: ${user} may not become root by sudo${quoted}`, {
        hint: `as root there: adduser ${user} sudo; Harmony needs to run any program, a rule for some commands is not enough`,
        data,
      })
    case 'needs-terminal':
      return new HarmonyError('auth-failed', `${name}: sudo wants a terminal${quoted}`, {
        hint: `a terminal would garble what Harmony sends: let ${user} do without, by visudo: Defaults:${user} !requiretty`,
        data,
      })
    case 'missing':
      return new HarmonyError('auth-failed', `${name}: there is no sudo`, {
        hint: 'apt install sudo, or log in as root',
        data,
      })
    case 'broken':
      return new HarmonyError('auth-failed', `${name}: sudo runs nothing for ${user}${quoted}`, {
        hint: `${byHand} -H /bin/sh -c id`,
        data,
      })
  }
}

const mostWords = 300

/** Without the scripts of ours that sudo quotes. */
function ownWords(said: string): string {
  return said
    .replace(/(not allowed to (?:run|execute)) '[\s\S]*' (as \S+ on)/, '$1 what Harmony runs (/bin/sh) $2')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /sudo|^Sorry|not allowed/.test(line))
    .join(' ')
    .slice(0, mostWords)
}
