/**
 * The long way through the arguments: help with examples, mistakes in words, completion. Made with yargs from the same
 * table as the quick way, and loaded only when the quick way did not understand.
 */
import yargs, { type Argv } from 'yargs'
import { type CommandName, commandEntry, commands, optionEntry } from './commands/table.ts'
import type { Io } from './io.ts'
import { sanitizeLine } from './render/sanitize.ts'

/** What came of it: a text for people and the exit status. */
export interface Usage {
  readonly status: 0 | 64
  readonly text: string
}

/** Words the help that was asked for, or what is wrong with the arguments. */
export async function explain(argv: readonly string[], io: Pick<Io, 'out'>): Promise<Usage> {
  let mistake: string | undefined
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
