/**
 * The commands and their options, once: the quick parser, the help, the usage errors and the completion are all made
 * from this table. It imports nothing, because it is read before anything is known.
 */

interface OptionEntry {
  readonly type: 'boolean' | 'string' | 'count'
  readonly many?: true
  readonly short?: string
  /** What stands for the value in the help. */
  readonly value?: string
  readonly about: string
}

/** All options, by name. `count` is a whole number from 1. */
export const options = {
  project: {
    type: 'string',
    short: 'p',
    value: 'PATH',
    about: 'the project: a file, or a folder with a harmony.ts',
  },
  target: {
    type: 'string',
    many: true,
    short: 't',
    value: 'ADDRESS',
    about: 'only these Scores (addresses or globs) and what they depend on',
  },
  exclude: {
    type: 'string',
    many: true,
    value: 'ADDRESS',
    about: 'all but these Scores (addresses or globs)',
  },
  replace: {
    type: 'string',
    many: true,
    value: 'ADDRESS',
    about: 'make these anew although they are as wanted',
  },
  parallel: {
    type: 'count',
    value: 'N',
    about: 'steps that run side by side (default 10, and 64 light ones such as files)',
  },
  adopt: {
    type: 'boolean',
    about: 'take over what exists, is not ours and differs; it is put back on removal',
  },
  'allow-removal': { type: 'boolean', about: 'permit removing more than half of what the project owns' },
  'no-check': { type: 'boolean', about: 'do not run the compiler first' },
  plan: { type: 'string', value: 'FILE', about: 'carry out a plan that was saved with plan --out' },
  out: {
    type: 'string',
    short: 'o',
    value: 'FILE',
    about: 'save the plan, readable by you alone, for apply --plan',
  },
  format: { type: 'string', value: 'dot|mermaid|json', about: 'how the graph is written (default mermaid)' },
  yes: { type: 'boolean', short: 'y', about: 'do not ask' },
  json: { type: 'boolean', about: 'one event per line as JSON, or the document as JSON' },
  'no-color': { type: 'boolean', about: 'no colours (also by NO_COLOR)' },
} as const satisfies Record<string, OptionEntry>

/** The name of an option. */
export type OptionName = keyof typeof options

/** The options as given; what was not given is absent. */
export type OptionValues = {
  readonly [K in OptionName]?: (typeof options)[K] extends { many: true }
    ? readonly string[]
    : { boolean: true; string: string; count: number }[(typeof options)[K]['type']]
}

interface CommandEntry {
  readonly about: string
  /** For the help; those in brackets may be left out. */
  readonly positionals?: readonly {
    readonly name: string
    readonly about: string
    readonly required?: true
  }[]
  readonly options: readonly OptionName[]
  /** What to type, and what it does. */
  readonly examples: readonly (readonly [string, string])[]
}

const everywhere = ['json', 'no-color'] as const
const choosing = [
  'project',
  'target',
  'exclude',
  'replace',
  'adopt',
  'allow-removal',
  'no-check',
  ...everywhere,
] as const

/** All commands, by name, in the order of the help. */
export const commands = {
  init: {
    about: 'write a small new project',
    positionals: [{ name: 'NAME', about: 'the folder to make, and the name of the project', required: true }],
    options: [...everywhere],
    examples: [
      ['harmony init my-site', 'write the project my-site into a folder of that name'],
      ['cd my-site && npm install && npx harmony apply', 'and put it into effect'],
    ],
  },
  check: {
    about: 'compile the project and check its Scores, without looking at any host',
    options: ['project', ...everywhere],
    examples: [
      ['harmony check', 'check the project in this folder'],
      ['harmony check -p sites/berlin', 'check another one'],
    ],
  },
  plan: {
    about: 'show what apply would change, and change nothing (status 2 when there is something)',
    options: [...choosing, 'out'],
    examples: [
      ['harmony plan', 'show what would change'],
      ['harmony plan --out site.plan', 'and save it, to be carried out exactly as shown'],
      ["harmony plan --target 'File:/srv/site/*'", 'only some Scores, and what they depend on'],
    ],
  },
  apply: {
    about: 'make reality what the project says: show the plan, ask, carry it out',
    options: [...choosing, 'parallel', 'plan', 'yes'],
    examples: [
      ['harmony apply', 'show the plan, ask, apply'],
      ['harmony apply --yes', 'do not ask (in scripts)'],
      ['harmony apply --plan site.plan', 'carry out a saved plan'],
      ['harmony apply --replace ShellJob:seed', 'run a job again'],
    ],
  },
  drift: {
    about: 'compare reality with what was last applied (status 2 when something moved)',
    positionals: [
      {
        name: 'HOST',
        about:
          'a host as for ssh (user@host, or an alias), or the path of a project; default: the project here, else this machine',
      },
    ],
    options: ['project', ...everywhere],
    examples: [
      ['harmony drift', 'what has changed since the last apply of this project'],
      ['harmony drift localhost', 'the same for everything that Harmony put on this machine'],
      ['harmony drift pi@kiosk.local', 'and on another one, whichever projects it is of'],
    ],
  },
  destroy: {
    about: 'remove everything that the project put there',
    options: ['project', 'target', 'exclude', 'parallel', 'yes', ...everywhere],
    examples: [
      ['harmony destroy', 'show what would be removed, ask, remove it'],
      ['harmony destroy --yes', 'do not ask'],
    ],
  },
  graph: {
    about: 'print which Score comes after which',
    options: ['project', 'format', ...everywhere],
    examples: [
      ['harmony graph', 'as a Mermaid diagram, for Markdown'],
      ['harmony graph --format dot | dot -Tsvg > graph.svg', 'for Graphviz'],
    ],
  },
  show: {
    about: 'print what the ledger knows: what was applied, for whom',
    positionals: [{ name: 'ADDRESS', about: 'a Score; default: all of the project' }],
    options: ['project', ...everywhere],
    examples: [
      ['harmony show', 'list what this project owns here'],
      ['harmony show File:/srv/site/site.json', 'one Score, with the spec last applied'],
    ],
  },
  inventory: {
    about: 'print the facts of a host: system, model, memory, disks, addresses, versions',
    positionals: [
      { name: 'HOST', about: 'as for ssh: user@host, or an alias; or container:NAME; default: this machine' },
    ],
    options: [...everywhere],
    examples: [
      ['harmony inventory', 'what this machine is'],
      ['harmony inventory pi@kiosk.local', 'the same for a machine that is reached over SSH'],
      ['harmony inventory kiosk --json | jq .architecture', 'one fact, for a script'],
    ],
  },
  doctor: {
    about: 'say what a host lacks for what, and what to do about it; changes nothing there',
    positionals: [
      {
        name: 'HOST',
        about:
          'a topology of the project here, else a host as for ssh, container:NAME, or localhost; default: all of the project here, else this machine',
      },
    ],
    options: ['project', ...everywhere],
    examples: [
      ['harmony doctor', 'the hosts of the project here, for what its Scores need'],
      ['harmony doctor kiosk', 'one of them; or, if the project has none of this name, what ssh calls so'],
      ['harmony doctor pi@kiosk.local', 'a machine that is to be worked on over SSH'],
      ['harmony doctor container:player', 'a container of the Docker Engine here'],
    ],
  },
  schema: {
    about:
      'print JSON Schemas: of the specs of the kinds of Score, of the events of --json, and of what agents get',
    positionals: [
      { name: 'KIND', about: 'a kind of Score, or one of the words event and wire; default: all' },
      { name: 'TYPE', about: 'the type of an event, or the name of a document that travels' },
    ],
    options: ['project', ...everywhere],
    examples: [
      ['harmony schema File', 'what may stand in a File'],
      ['harmony schema event step', 'what a line of plan --json looks like'],
      ['harmony schema wire bundle', 'what is signed and shipped to an agent'],
    ],
  },
} as const satisfies Record<string, CommandEntry>

/** The name of a command. */
export type CommandName = keyof typeof commands

/** The entry of one option, types widened. */
export const optionEntry = (name: OptionName): OptionEntry => options[name]
/** The entry of one command, types widened. */
export const commandEntry = (name: CommandName): CommandEntry => commands[name]
