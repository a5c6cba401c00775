/**
 * With which keys to log in, in which order: those of the agent first, since they ask nobody anything, then the files.
 * An agent that may offer only what is configured is told by public keys, which need no passphrase.
 */
import type { SshSettings } from './config.ts'

/** Something to log in with. */
export type Credential =
  | {
      readonly kind: 'agent'
      readonly socket: string
      /** IdentitiesOnly: the files whose public halves may be offered; `undefined` when any key may. */
      readonly only: readonly string[] | undefined
    }
  | {
      readonly kind: 'key-file'
      readonly path: string
      /** Whether somebody named this very file: then it is worth a word that it is missing. */
      readonly configured: boolean
    }

/**
 * The keys that are looked for when none are configured. As OpenSSH's, without DSA, which nobody accepts any more, and
 * without keys that live in hardware: those are used through an agent.
 */
const defaultKeyNames = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const

/** What to try, in order. Nothing when keys are turned off (`PubkeyAuthentication no`). */
export function credentials(login: SshSettings['login'], home: string): Credential[] {
  if (!login.publicKey) return []
  const configured = login.identityFiles !== 'default'
  const paths =
    login.identityFiles === 'default'
      ? defaultKeyNames.map((name) => `${home}/.ssh/${name}`)
      : login.identityFiles
  const files = paths.map((path): Credential => ({ kind: 'key-file', path, configured }))
  if (login.agent === undefined) return files
  return [{ kind: 'agent', socket: login.agent, only: login.identitiesOnly ? paths : undefined }, ...files]
}
