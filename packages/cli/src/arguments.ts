/**
 * The quick way through the arguments: a known command with known options is understood here, by Node's own parser
 * (under 1 ms; yargs takes 36). Everything else, help and mistakes, is left to `usage.ts`, which words it.
 */
import { parseArgs } from 'node:util'
import { type CommandName, commandEntry, commands, type OptionValues, optionEntry } from './commands/table.ts'

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
    const options: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(values)) {
      if (value === '') return undefined
      options[name] = value
      if (optionEntry(name as never).type !== 'count') continue
      if (!/^[1-9]\d{0,5}$/.test(String(value))) return undefined
      options[name] = Number(value)
    }
    return { command, positionals, options }
  } catch {
    return undefined // unknown or without its value: yargs says it better
  }
}

function declared(command: CommandName) {
  const all: Record<string, { type: 'boolean' | 'string'; short?: string; multiple?: boolean }> = {}
  for (const name of commandEntry(command).options) {
    const { type, short, many } = optionEntry(name)
    all[name] = {
      type: type === 'boolean' ? 'boolean' : 'string',
      multiple: many === true,
      ...(short ? { short } : {}),
    }
  }
  return all
}
