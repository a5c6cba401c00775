/**
 * Whoever runs a command, for what only a person can say: a password, or whether a host is the right one. Hosts ask,
 * wherever they are used; who answers is whoever has the terminal, and that belongs to the process. So there is one for
 * the process, known to every copy of this module (the command and a project may have one each), and a topology need not
 * hand it on.
 */
import { HarmonyError } from './errors.ts'
import type { Secret } from './late.ts'

/** Something that a person is asked. */
export interface Question {
  /** Whom it concerns, as its user knows it: `pi@kiosk.local`. Several hosts may ask in one pass. */
  readonly about: string
  /** What has to be known for an answer; may have several lines. */
  readonly introduction?: string | undefined
  /** In one line, without the colon: `Password of pi`. */
  readonly prompt: string
  /** Whether what is typed must not be seen. */
  readonly hidden: boolean
}

/** Answers questions. */
export interface Attendant {
  /** Whether somebody is there to be asked. */
  readonly present: boolean
  /**
   * Asks, after whatever is being asked already. `undefined` when there is no answer.
   * @throws HarmonyError `interrupted`
   */
  ask(question: Question): Promise<string | undefined>
  /**
   * The value of a secret that a host needs.
   * @throws HarmonyError `secret-missing`
   */
  secret(secret: Secret): Promise<string>
}

const place = Symbol.for('@harmony-iac/core:attendant')
const places = globalThis as { [place]?: Attendant | undefined }

const nobody: Attendant = {
  present: false,
  ask: async () => undefined,
  async secret({ $secret }) {
    const name = typeof $secret === 'string' ? $secret : 'text with a secret'
    throw new HarmonyError('secret-missing', `the secret ${name} is not known`, {
      hint: 'the command harmony looks for secrets; a program of your own says where they are: attend({ secret: … })',
    })
  },
}

/** Who answers now; somebody who never does where nobody {@link attend}s. */
export function attendant(): Attendant {
  return places[place] ?? nobody
}

/**
 * Answers from now on, in the place of whoever did, until the returned function is called.
 * @example
 * const leave = attend({ present: true, ask: (question) => form.ask(question), secret: (each) => vault.read(each) })
 */
export function attend(who: Attendant): () => void {
  const before = places[place]
  places[place] = who
  return () => {
    if (places[place] === who) places[place] = before
  }
}
