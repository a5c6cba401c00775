/**
 * The only place where a command line is built. SSH carries one string, which the user's login shell reads: whatever
 * is not surely plain is put between single quotes. Single quotes and backslashes themselves go between double quotes,
 * which sh, bash, zsh, dash, ksh and fish all read alike; within single quotes fish gives backslashes a meaning.
 */
import { HarmonyError } from '@harmony-iac/core'

const plain = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/

/** One word of a command line that stands for exactly this text. */
export function quote(word: string): string {
  if (word.includes('\0'))
    throw new HarmonyError('invalid-value', `${JSON.stringify(word)}: a program takes no NUL character`)
  if (plain.test(word)) return word
  return `'${word.replace(/['\\]/g, (mark) => (mark === "'" ? `'"'"'` : `'"\\\\"'`))}'`
}

/** A command line that runs this program with these arguments, in place of the login shell. */
export function commandLine(argv: readonly [string, ...string[]]): string {
  return ['exec', ...argv.map(quote)].join(' ')
}
