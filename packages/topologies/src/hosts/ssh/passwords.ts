/**
 * Logging in with what a person knows, when no key did: a password, or a host's own questions (one-time codes, a new
 * password). Only where the host offers it, and after it has said so.
 */
import { HarmonyError, isHarmonyError, type Secret } from '@harmony-iac/core'
import type { Asking, PasswordWanted } from './asking.ts'
import type { SshSettings } from './config.ts'
import type { AskCredential, HostQuestion } from './connect.ts'

/** Who logs in, and where. */
export interface Login {
  /** The host, for people. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly login: SshSettings['login']
  readonly secret: Secret | undefined
}

// As OpenSSH (NumberOfPasswordPrompts).
const attempts = 3

/** The ways to log in that ask a person, in order. They are for one connection. */
export function askedCredentials(login: Login, asking: Asking): AskCredential[] {
  const { password, keyboardInteractive } = login.login
  if (!password && !keyboardInteractive) return []
  let refused: string | undefined
  let over = false
  const next = async (): Promise<string | HarmonyError> => {
    try {
      refused = await asking.password(loginPassword(login, refused))
      return refused
    } catch (error) {
      over = true
      // Whether it was needed shows when nothing else has worked.
      if (isHarmonyError(error) && error.code === 'auth-failed') return error
      throw error
    }
  }
  const attempt: AskCredential = async (offered = []) => {
    if (over) return undefined
    if (password && offered.includes('password')) {
      const given = await next()
      return isHarmonyError(given) ? given : { type: 'password', password: given }
    }
    if (!keyboardInteractive || !offered.includes('keyboard-interactive')) return undefined
    const trouble = await unanswerable(login, asking)
    if (trouble) {
      over = true
      return trouble
    }
    return {
      type: 'dialogue',
      answer: async (questions) => {
        // One hidden question is the password, as PAM asks for it. Others are asked as they are, and never answered twice.
        const [only] = questions
        if (questions.length === 1 && only && !only.echo && /password/i.test(only.prompt)) {
          const given = await next()
          if (isHarmonyError(given)) throw given
          return [given]
        }
        return await answers(login, questions, asking)
      },
    }
  }
  return [
    async (offered) => (offered ? undefined : { type: 'none' }),
    ...Array.from({ length: attempts }, () => attempt),
  ]
}

/** A dialogue begins without knowing what will be asked: not where nobody could answer. */
async function unanswerable(
  { name, login, secret }: Login,
  asking: Asking,
): Promise<HarmonyError | undefined> {
  if (secret) return undefined
  return await asking.inTurn(async ({ present }) =>
    present && !login.batch
      ? undefined
      : new HarmonyError('auth-failed', `${name}: the host has questions, and nobody can be asked`, {
          hint: otherwise,
        }),
  )
}

const otherwise =
  'run the command in a terminal, log in with a key (ssh-copy-id), or say where the password is: ssh(…, { password: secret(…) })'

function loginPassword(
  { name, host, port, user, login, secret }: Login,
  refused: string | undefined,
): PasswordWanted {
  return {
    key: `login ${user}@${host}:${port}`,
    about: name,
    prompt: `password of ${user}`,
    refused,
    secret,
    batch: login.batch,
    otherwise,
  }
}

async function answers(
  { name }: Login,
  questions: readonly HostQuestion[],
  asking: Asking,
): Promise<readonly string[]> {
  return await asking.inTurn(async (who) => {
    const given: string[] = []
    for (const { prompt, echo } of questions)
      given.push((await who.ask({ about: name, prompt: prompt.replace(/:?\s*$/, ''), hidden: !echo })) ?? '')
    return given
  })
}
