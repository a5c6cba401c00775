/**
 * What a person is asked on the way into a host. Questions come one after another, whichever host they concern, and
 * nothing is asked twice: what was answered is kept in memory while the process lives, so that a connection that was
 * lost comes back without anybody at the keyboard.
 */
import { HarmonyError, type Secret } from '@harmony-iac/core'
import { type Attendant, attendant } from '@harmony-iac/core/attendant'

/** A password that is wanted. */
export interface PasswordWanted {
  /** Whose it is, for what: what was answered is kept by this. */
  readonly key: string
  /** The host, for people. */
  readonly about: string
  /** In one line: `password of pi for sudo`. */
  readonly prompt: string
  /** What was given before, and not accepted. */
  readonly refused: string | undefined
  /** Where it is, instead of in somebody's head. */
  readonly secret: Secret | undefined
  /** Nobody may be asked. */
  readonly batch: boolean
  /** What to do where nobody can be asked. */
  readonly otherwise: string
}

/** Asks people, and remembers. */
export interface Asking {
  /**
   * @throws HarmonyError `auth-failed` when there is nobody to ask, or no answer; what resolves the secret may throw, and
   *   so may an interruption.
   */
  password(wanted: PasswordWanted): Promise<string>
  /** Does something that may ask, when nothing else does. */
  inTurn<T>(work: (attendant: Attendant) => Promise<T>): Promise<T>
}

/** One for the process. */
export function asking(): Asking {
  const answers = new Map<string, string>()
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: (attendant: Attendant) => Promise<T>): Promise<T> {
    const mine = last.then(() => work(attendant()))
    last = mine.catch(() => {})
    return mine
  }

  return {
    inTurn,
    async password(wanted) {
      const { key, about, prompt, refused, secret, batch, otherwise } = wanted
      if (secret) {
        const value = await attendant().secret(secret)
        if (value !== refused) return value
        throw noPassword(wanted, `the secret ${nameOf(secret)} is not the ${prompt}`, 'correct the secret')
      }
      return await inTurn(async (who) => {
        const known = answers.get(key)
        if (known !== undefined && known !== refused) return known
        if (batch || !who.present)
          throw noPassword(wanted, `the ${prompt} is needed, and nobody can be asked for it`, otherwise)
        const again = refused === undefined ? {} : { introduction: 'That was not accepted.' }
        const answer = await who.ask({ about, prompt, hidden: true, ...again })
        if (!answer) throw noPassword(wanted, `the ${prompt} is needed, and none was given`, otherwise)
        answers.set(key, answer)
        return answer
      })
    },
  }
}

function nameOf({ $secret }: Secret): string {
  return typeof $secret === 'string' ? $secret : 'text'
}

function noPassword({ about }: PasswordWanted, why: string, hint: string): HarmonyError {
  return new HarmonyError('auth-failed', `${about}: ${why}`, { hint, data: { host: about } })
}
