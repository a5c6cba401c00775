/** Which words for a host mean the machine that the command runs on. */
import { hostname } from 'node:os'

/** Its own name, and `localhost`: neither is ever asked for over SSH. */
export function isThisMachine(word: string): boolean {
  return word === 'localhost' || word === hostname()
}
