/** The page on events, from the schemas that `harmony schema event` publishes. */
import { code, page, table } from './markdown.ts'
import { published } from './published.ts'
import { type JsonSchema, typeText } from './types.ts'

const meanings: Readonly<Record<string, string>> = {
  compiled: 'The compiler has accepted the project, now or earlier.',
  topology: 'A topology is being opened, waits for its lock, is ready, or cannot be reached.',
  step: 'A step of a plan that does something, in the order of execution.',
  conflict: 'A person must decide before anything of this plan may run.',
  unobservable: 'A Score that could not be observed. Nothing of this plan runs.',
  note: 'Something a person should know.',
  started: 'A step begins.',
  progress: 'How far a step has come.',
  output: 'Output of a program that runs for a Score, as it comes.',
  settling: 'A step is done; what is left may go away by itself until the time is over.',
  reaction: 'A reaction runs, because of these causes.',
  finished: 'A step has ended, well or not.',
  audit: 'A program ran: which, and how it ended. For whoever keeps records.',
  drift: 'Something is not as it was last applied: `from` is what is there, `to` what was applied.',
  examined: '`doctor` has examined a host; `means` is how its name was understood.',
  finding:
    'What a host can do about one concern: `missing` when what needs it fails there, `limited` when some of it works. `needed` when Scores of the project need it.',
  warning: 'Something should be put right, although the command goes on.',
  error: 'What went wrong; with `topology` when the others go on without it.',
  summary: 'The last line of every command.',
}

/** The page. */
export function eventsPage(): string {
  return page(
    '# Events',
    'With `--json` a command prints one event per line and nothing else. Each has a `type` and a `time`; the last one is\nthe `summary`. `harmony schema event TYPE` prints the JSON Schema of one type. Fields with a question mark may be absent.\nValues of secrets never stand in events.',
    ...Object.entries(published.events).flatMap(([type, schema]) => eventSection(type, schema)),
  )
}

function eventSection(type: string, json: JsonSchema): readonly string[] {
  const meaning = meanings[type]
  if (meaning === undefined)
    throw new Error(`the event ${type} has no meaning in scripts/reference/events.ts`)
  const variants = json.anyOf ?? json.oneOf ?? [json]
  return [`## ${type}`, meaning, ...variants.map((variant) => fieldTable(variant, json.$defs))]
}

function fieldTable({ properties = {}, required = [] }: JsonSchema, defs: JsonSchema['$defs']): string {
  const fields = Object.entries(properties).filter(([name]) => !['type', 'time', 'command'].includes(name))
  const command = properties.command
  const head = command && typeText(command)
  const rows = fields.map(([name, field]) => [
    code(`${name}${required.includes(name) ? '' : '?'}`),
    code(typeText(field, defs)),
  ])
  if (head !== undefined)
    return `${code('command')} ${code(head)}: ${rows.map(([name, type]) => `${name} ${type}`).join(', ') || 'nothing else'}`
  return table(['field', 'type'], rows)
}
