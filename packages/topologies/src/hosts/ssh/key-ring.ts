/**
 * Private keys, opened once for all hosts. Twenty hosts that start together and need one key ask for its passphrase
 * once, and questions about several keys come one after the other. Only opened keys are kept, no passphrase is.
 */
import { HarmonyError } from '@harmony-iac/core'
import type { ParsedKey } from 'ssh2'
import { type KeyFile, parseKey, readKeyFile, type UnusableKey } from './key-files.ts'

/** What is asked, for whoever shows the question. */
export interface PassphraseQuestion {
  readonly path: string
  /** The host that the key is wanted for first. */
  readonly about: string | undefined
  /** From 1; above it, the answer before was wrong. */
  readonly attempt: number
  readonly attempts: number
}

/** Asks a person. `undefined` or an empty answer means: go on without this key. */
export type AskPassphrase = (question: PassphraseQuestion) => Promise<string | undefined>

/** A key that can be used, or why not. */
export type RingKey =
  | { readonly status: 'ready'; readonly path: string; readonly key: ParsedKey }
  | UnusableKey

/** How a key is opened. */
export interface OpenOptions {
  /** The host that it is wanted for. */
  readonly about?: string | undefined
  /** Whether somebody may be asked. Default true. */
  readonly mayAsk?: boolean | undefined
}

/** Keys by the paths of their files. */
export interface KeyRing {
  /** Never throws on account of the key: whether it was needed is the caller's to say. */
  open(path: string, options?: OpenOptions): Promise<RingKey>
}

const attempts = 3

/**
 * A ring, one for the process. Without `ask` nobody can be asked: then keys with a passphrase stay locked.
 * @example
 * const ring = keyRing(({ path }) => prompt(`Passphrase for ${path}`))
 * const found = await ring.open('/home/ada/.ssh/id_ed25519')
 */
export function keyRing(ask?: AskPassphrase): KeyRing {
  const opened = new Map<string, Promise<RingKey>>()
  let lastQuestion: Promise<unknown> = Promise.resolve()

  async function unlockOnce(
    file: Extract<KeyFile, { status: 'encrypted' }>,
    { about, mayAsk = true }: OpenOptions,
  ): Promise<RingKey> {
    // A file that was replaced is another key.
    const id = `${file.path}\0${file.version}`
    const known = opened.get(id)
    if (known) return await known
    // Not remembered: somebody may be there when the next host wants it.
    if (!ask || !mayAsk) return locked(file.path, 'and nobody can be asked for it')
    const unlocking = lastQuestion.then(() => unlock(file, about, ask))
    // A key that stays locked stays so for every host; a question that failed is asked again.
    lastQuestion = unlocking.catch(() => opened.delete(id))
    opened.set(id, unlocking)
    return await unlocking
  }

  return {
    async open(path, options = {}) {
      const file = await readKeyFile(path)
      return file.status === 'encrypted' ? await unlockOnce(file, options) : file
    },
  }
}

async function unlock(
  { path, text }: Extract<KeyFile, { status: 'encrypted' }>,
  about: string | undefined,
  ask: AskPassphrase,
): Promise<RingKey> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const passphrase = await ask({ path, about, attempt, attempts })
    if (!passphrase) return locked(path, 'and none was given')
    const key = await parseKey(text, passphrase)
    // Whatever is wrong now is wrong because of the passphrase: without one, the file was in order.
    if (key && !(key instanceof Error)) return { status: 'ready', path, key }
  }
  return locked(path, `and ${attempts} answers were wrong`)
}

function locked(path: string, why: string): UnusableKey {
  const error = new HarmonyError('refused', `${path}: this key has a passphrase, ${why}`, {
    hint: `add the key to an agent: ssh-add ${path}`,
    data: { path },
  })
  return { status: 'locked', path, error }
}
