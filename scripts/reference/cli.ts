/** The page on the command line, from the table that the command itself is made from. */
import {
  type CommandName,
  commandEntry,
  commands,
  optionEntry,
} from '../../packages/cli/src/commands/table.ts'
import { code, page, table } from './markdown.ts'

const statuses = [
  ['0', 'done, or nothing to do'],
  ['1', 'something failed, or the plan is no longer true'],
  ['2', '`plan` and `drift`: there are differences'],
  ['64', 'the command line is not understood, or nobody can be asked'],
  ['65', 'the project is invalid: the compiler, a schema, a conflict in the plan'],
  ['69', 'a host cannot be reached, or its ledger is locked by somebody else'],
  ['130', 'interrupted'],
] as const

const environment = [
  [
    'HARMONY_STATE_DIR',
    'where the ledger of this machine is. Default: `/var/lib/harmony` for root, otherwise `harmony` in the folder of `XDG_STATE_HOME` (`~/.local/state`)',
  ],
  ['HARMONY_SECRET_NAME', 'the value of the secret `name`: in capitals, dashes and dots as underscores'],
  ['HARMONY_LOAD_TIMEOUT', 'seconds that a project file may take to load'],
  ['NO_COLOR', 'set to anything: no colours'],
  [
    'XDG_CACHE_HOME',
    'where compiled code and verdicts of the compiler are kept, below `harmony`. Default: `~/.cache`. Root keeps compiled code in `/var/cache/harmony`, whatever this says',
  ],
] as const

/** The page. */
export function cliPage(): string {
  const names = Object.keys(commands) as CommandName[]
  return page(
    '# Commands',
    table(
      ['command', ''],
      names.map((name) => [`[${code(`harmony ${name}`)}](#harmony-${name})`, commandEntry(name).about]),
    ),
    '`harmony --help` and `harmony COMMAND --help` say the same. `harmony completion` prints a script that completes\ncommands and options in bash or zsh; `harmony --version` prints the version.',
    ...names.flatMap(commandSection),
    '## Exit status',
    table(['status', 'meaning'], statuses),
    'Of several hosts: 1 when some answered and others did not.',
    '## Environment',
    table(
      ['variable', 'meaning'],
      environment.map(([name, meaning]) => [code(name), meaning]),
    ),
  )
}

function commandSection(name: CommandName): readonly string[] {
  const { about, positionals = [], options, examples } = commandEntry(name)
  const words = positionals.map((slot) => (slot.required ? `<${slot.name}>` : `[${slot.name}]`))
  return [
    `## harmony ${name}`,
    `${code([`harmony ${name}`, ...words, '[OPTIONS]'].join(' '))}: ${about}.`,
    positionals.length > 0
      ? table(
          ['word', 'meaning'],
          positionals.map((slot) => [code(slot.name), slot.about]),
        )
      : '',
    table(
      ['option', 'meaning'],
      options.map((option) => {
        const { short, value, about: meaning, many } = optionEntry(option)
        const spelt = `${short ? `-${short}, ` : ''}--${option}${value ? ` ${value}` : ''}`
        return [code(spelt), many ? `${meaning}; may be given several times` : meaning]
      }),
    ),
    ['```sh', ...examples.map(([typed, does]) => `${typed}  # ${does}`), '```'].join('\n'),
  ]
}
