/**
 * A private key with a passphrase, as an agent that holds just this key. Its public half is shown first, and only when the
 * host would let it in is somebody asked to open it: as OpenSSH does, so that nobody types a passphrase in vain.
 */
import type { HarmonyError } from '@harmony-iac/core'
import ssh2, { type BaseAgent, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2'

/** Opens the key; an error says why it stays locked. */
export type OpenKey = () => Promise<ParsedKey | HarmonyError>

/** The agent for a key. `onLocked` is told why there is no signature. */
export function lockedKeyAgent(
  publicKey: Buffer,
  open: OpenKey,
  onLocked: (why: HarmonyError) => void,
): BaseAgent {
  return new LockedKeyAgent(publicKey, open, onLocked)
}

class LockedKeyAgent extends ssh2.BaseAgent {
  readonly #publicKey: Buffer
  readonly #open: OpenKey
  readonly #onLocked: (why: HarmonyError) => void

  constructor(publicKey: Buffer, open: OpenKey, onLocked: (why: HarmonyError) => void) {
    super()
    this.#publicKey = publicKey
    this.#open = open
    this.#onLocked = onLocked
  }

  override getIdentities(done: Parameters<BaseAgent['getIdentities']>[0]): void {
    done(undefined, [this.#publicKey] as never)
  }

  override sign(
    _publicKey: unknown,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const [hash, done] = typeof options === 'function' ? [undefined, options] : [options.hash, callback]
    if (!done) return
    this.#open().then(
      (key) => {
        if (key instanceof Error) {
          this.#onLocked(key)
          done(new Error(key.message))
          return
        }
        const signature: Buffer | Error = key.sign(data, hash) // by its types it never fails
        if (signature instanceof Error) done(signature)
        else done(undefined, signature)
      },
      (error) => done(error as Error),
    )
  }
}
