/**
 * The long way through the arguments: help with examples, mistakes in words, completion. Made with yargs from the same
 * table as the quick way, and loaded only when the quick way did not understand.
 */
import yargs, { type Argv } from 'yargs'
import { isCommand, unknownIn } from './arguments.ts'
import {
  type CommandName,
  commandEntry,
  commands,
  type OptionName,
  optionEntry,
  options,
} from './commands/table.ts'
import type { Io } from './io.ts'
import { ownPackage } from './own-package.ts'
import { sanitizeLine } from './render/sanitize.ts'

/** What came of it: a text for people and the exit status. */
export interface Usage {
  readonly status: 0 | 64
  readonly text: string
}

/** Words the help that was asked for, or what is wrong with the arguments. */
export async function explain(argv: readonly string[], io: Pick<Io, 'out'>): Promise<Usage> {
  if (isCommand(argv[0]) && argv.some((word) => word === '-v' || word === '--version'))
    return { status: 0, text: `${ownPackage().manifest.version ?? ''}\n` }
  let mistake = mistakeIn(argv)
  let printed = ''
  const parser = build(io).fail((message: string | undefined, error: Error | undefined) => {
    mistake ??= message ?? error?.message
  })
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv.length === 0 ? ['--help'] : argv
  await parser.parseAsync(words, {}, (_error: unknown, _argv: unknown, output: string) => {
    printed = output
  })
  if (mistake === undefined && printed !== '')
    return { status: argv.length === 0 ? 64 : 0, text: `${printed}\n` }
  const command = Object.hasOwn(commands, argv[0] ?? '') ? ` ${argv[0]}` : ''
  const what = /^Not enough non-option/.test(mistake ?? '')
    ? `${wordsOf(argv[0] as CommandName).find((word) => word.startsWith('<'))} is missing`
    : mistake || 'this command line is not understood'
  return { status: 64, text: `harmony: ${sanitizeLine(what)}\nSee: harmony${command} --help\n` }
}

/** What is wrong, where it can be said better than yargs does. */
function mistakeIn([command = '', ...rest]: readonly string[]): string | undefined {
  if (command === '' || command === 'help' || command.startsWith('-')) return undefined
  if (!isCommand(command)) {
    const meant = Object.hasOwn(synonyms, command)
      ? synonyms[command]
      : nearest(command, Object.keys(commands))
    return `there is no command ${command}${meant === undefined ? '' : `; did you mean ${meant}?`}`
  }
  if (rest.some((word) => word === '-h' || word === '--help')) return undefined
  const {
    options: [option],
    words: [word],
  } = unknownIn(command, rest)
  if (option !== undefined) {
    const name = option.replace(/^--?/, '')
    const elsewhere = Object.keys(options).some(
      (each) => each === name || optionEntry(each as OptionName).short === name,
    )
    if (elsewhere) return `${command} does not take ${option}`
    const meant = option.startsWith('--') ? nearest(name, commandEntry(command).options) : undefined
    return `unknown option ${option}${meant === undefined ? '' : `; did you mean --${meant}?`}`
  }
  if (word === undefined) return undefined
  const takesProject = commandEntry(command).options.includes('project')
  return `${command} does not take the word ${word}${takesProject ? `; a project is named with -p ${word}` : ''}`
}

/** What these are called elsewhere. */
const synonyms: Readonly<Record<string, CommandName>> = {
  new: 'init',
  create: 'init',
  validate: 'check',
  verify: 'check',
  lint: 'check',
  diff: 'plan',
  preview: 'plan',
  up: 'apply',
  deploy: 'apply',
  converge: 'apply',
  status: 'drift',
  refresh: 'drift',
  down: 'destroy',
  remove: 'destroy',
  delete: 'destroy',
  list: 'show',
  ls: 'show',
  state: 'show',
  diagnose: 'doctor',
  examine: 'doctor',
}

/** The name that differs least, by two letters at most. */
function nearest(word: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: distanceOf(word, name) }))
    .filter(({ name, distance }) => distance <= Math.min(2, name.length - 2))
    .sort((a, b) => a.distance - b.distance)
  return best?.name
}

/** Letters to add, drop, change, or swap with their neighbour (optimal string alignment). */
function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(at(i, j), at(i - 2, j - 2) + 1)
    }
  }
  return at(a.length, b.length)
}

function build(io: Pick<Io, 'out'>): Argv {
  let parser: Argv = yargs([])
    .scriptName('harmony')
    .locale('en')
    .usage('Usage: $0 COMMAND [OPTIONS]\n\nInfrastructure as TypeScript, checked by the compiler.')
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': false,
    })
    .wrap(Math.min(110, io.out.columns))
    .help('help')
    .alias('help', 'h')
    .version(false)
    .option('version', { type: 'boolean', alias: 'v', describe: 'print the version' })
    .completion('completion', 'print a script that completes commands and options in bash or zsh')
    .recommendCommands()
    .strict()
    .exitProcess(false)
    .updateStrings({
      'Unknown argument: %s': {
        one: 'unknown option or word: %s',
        other: 'unknown options or words: %s',
      } as never,
      'Did you mean %s?': 'there is no such command; did you mean %s?',
      'Not enough arguments following: %s': 'a value is missing after --%s',
      'Show help': 'print this help',
    })
    .epilogue(
      'Exit status: 0 done or nothing to do · 1 something failed · 2 (plan, drift) there are differences ·\n' +
        '64 usage · 65 the project is invalid · 69 not reachable · 130 interrupted',
    )
  for (const name of Object.keys(commands) as CommandName[]) parser = addCommand(parser, name)
  return parser.demandCommand(1, 'a command is missing')
}

function addCommand(parser: Argv, name: CommandName): Argv {
  const { about, positionals = [], options, examples } = commandEntry(name)
  const words = wordsOf(name)
  return parser.command(
    [name, ...words].join(' '),
    about,
    (inner: Argv) => {
      let made = inner.usage(`Usage: $0 ${[name, ...words].join(' ')} [OPTIONS]\n\n${about}`)
      for (const slot of positionals)
        made = made.positional(slot.name, { type: 'string', describe: slot.about })
      for (const option of options) {
        const { type, short, value, about: describe } = optionEntry(option)
        made = made.option(option, {
          describe: value ? `${value}: ${describe}` : describe,
          type: type === 'boolean' ? 'boolean' : 'string',
          ...(type === 'boolean' ? {} : { requiresArg: true, array: optionEntry(option).many === true }),
          ...(short ? { alias: short } : {}),
        })
        if (type === 'count')
          made = made.check((given) => {
            if (given[option] === undefined || /^[1-9]\d{0,5}$/.test(String(given[option]))) return true
            throw new Error(`--${option} takes a whole number from 1`)
          }, false)
      }
      return made.example(examples.map(([words, what]): [string, string] => [words, what])).version(false)
    },
    () => undefined,
  )
}

function wordsOf(command: CommandName): readonly string[] {
  const slots = Object.hasOwn(commands, command) ? (commandEntry(command).positionals ?? []) : []
  return slots.map((slot) => (slot.required ? `<${slot.name}>` : `[${slot.name}]`))
}
