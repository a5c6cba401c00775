/** What stands for a password in shadow(5): a hash, or a mark that none fits. Told apart, and never shown. */
import { hash } from 'node:crypto'
import * as z from 'zod'
import { once } from './once.ts'

/** Says in a spec that no password is to fit. */
export const locked = 'locked'

/** A hash, or {@link locked}. */
export const password: () => z.ZodString = once(() =>
  z.string().refine((text) => text === locked || isHash(text), {
    error: `must be '${locked}', or a hash such as mkpasswd prints it ($y$…, $6$…); a password itself must never stand here`,
  }),
)

/** For a difference: the same hash looks the same, and nobody can guess from it. */
export function showPassword(password: string): string {
  if (password === '') return 'none: anybody gets in'
  if (password === locked || (isLocked(password) && password.length <= 2)) return locked
  const which = `hash ${hash('sha256', password, 'hex').slice(0, 12)}`
  return isLocked(password) ? `${locked}, ${which}` : which
}

/** Whether what stands there lets no password in. */
export function isLocked(password: string): boolean {
  return /^[!*]/.test(password)
}

/** As crypt(5) writes it: the method, then parameters, salt and hash, in printable characters that end no field. */
export function isHash(text: string): boolean {
  return /^\$[a-z0-9]{1,8}\$[^:;*!\\\s]{12,500}$/.test(text) && /^[\x21-\x7e]+$/.test(text)
}
