/**
 * The quick way through the arguments: a known command with known options is understood here, by Node's own parser
 * (under 1 ms; yargs takes 36). Everything else, help and mistakes, is left to `usage.ts`, which words it.
 */
import { parseArgs } from 'node:util'
import {
  type CommandName,
  commandEntry,
  commands,
  type OptionName,
  type OptionValues,
  optionEntry,
  options,
} from './commands/table.ts'

/** A command line that was understood. */
export interface Arguments {
  readonly command: CommandName
  readonly positionals: readonly string[]
  readonly options: OptionValues
}

/** Whether there is a command of this name. */
export function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(commands, name)
}

/** The same words with the command in front: `harmony -p site plan` is `harmony plan -p site`. */
export function commandFirst(argv: readonly string[]): readonly string[] {
  if (argv[0]?.startsWith('-') !== true) return argv
  const all = optionsOf(Object.keys(options) as OptionName[])
  const { tokens } = parseArgs({ args: [...argv], options: all, strict: false, tokens: true })
  const word = tokens.find(({ kind }) => kind === 'positional')
  const command = word && argv[word.index]
  return word && isCommand(command) ? [command, ...argv.toSpliced(word.index, 1)] : argv
}

/** What of a command line its command does not know: options as they were written, and words too many. */
export function unknownIn(
  command: CommandName,
  rest: readonly string[],
): { readonly options: readonly string[]; readonly words: readonly string[] } {
  const known = declared(command)
  const shorts = new Set(Object.values(known).map(({ short }) => short))
  const { tokens } = parseArgs({ args: [...rest], options: known, strict: false, tokens: true })
  const unknown: string[] = []
  const words: string[] = []
  for (const token of tokens)
    if (token.kind === 'option' && !Object.hasOwn(known, token.name) && !shorts.has(token.name))
      unknown.push(token.rawName)
    else if (token.kind === 'positional') words.push(token.value)
  return { options: unknown, words: words.slice(commandEntry(command).positionals?.length ?? 0) }
}

/** Understands the arguments, or returns `undefined` for whatever is not a plain and correct command line. */
export function parseArguments(argv: readonly string[]): Arguments | undefined {
  const [command, ...rest] = argv
  if (!isCommand(command)) return undefined
  const entry = commandEntry(command)
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: declared(command),
      allowPositionals: true,
    })
    const slots = entry.positionals ?? []
    if (positionals.length > slots.length) return undefined
    if (slots.some((slot, i) => slot.required && positionals[i] === undefined)) return undefined
    const given: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(values)) {
      if (value === '') return undefined
      given[name] = value
      if (optionEntry(name as never).type !== 'count') continue
      if (!/^[1-9]\d{0,5}$/.test(String(value))) return undefined
      given[name] = Number(value)
    }
    return { command, positionals, options: given }
  } catch {
    return undefined // unknown or without its value: yargs says it better
  }
}

function declared(command: CommandName) {
  return optionsOf(commandEntry(command).options)
}

function optionsOf(names: readonly OptionName[]) {
  const all: Record<string, { type: 'boolean' | 'string'; short?: string; multiple?: boolean }> = {}
  for (const name of names) {
    const { type, short, many } = optionEntry(name)
    all[name] = {
      type: type === 'boolean' ? 'boolean' : 'string',
      multiple: many === true,
      ...(short ? { short } : {}),
    }
  }
  return all
}
