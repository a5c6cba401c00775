/**
 * The command `harmony`: understands the arguments, runs one command, turns whatever happens into words and an exit
 * status. It imports little, because every import is paid by every command.
 */
import './imports.ts'
import { type ErrorCode, exitStatusOf, isHarmonyError } from '@harmony-iac/core/errors'
import { type Arguments, isCommand, parseArguments } from './arguments.ts'
import type { CommandName } from './commands/table.ts'
import type { Ending, Run } from './context.ts'
import { Interrupts } from './interrupts.ts'
import { type Io, processIo } from './io.ts'
import { errorData } from './render/error-data.ts'
import { openReporter, type Reporter, type Summary } from './render/reporter.ts'

/** The modules of the commands. */
const modules: { readonly [K in CommandName]: () => Promise<{ readonly run: Run }> } = {
  init: () => import('./commands/init.ts'),
  check: () => import('./commands/check.ts'),
  plan: () => import('./commands/plan.ts'),
  apply: () => import('./commands/apply.ts'),
  drift: () => import('./commands/drift.ts'),
  destroy: () => import('./commands/destroy.ts'),
  graph: () => import('./commands/graph.ts'),
  show: () => import('./commands/show.ts'),
  schema: () => import('./commands/schema.ts'),
}

/** Runs one command line and returns its exit status. */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const args = parseArguments(argv)
  if (!args) return await explainUsage(argv, io)
  const reporter = await openReporter(args.options, io)
  const interrupts = new Interrupts(io)
  try {
    interrupts.listen()
    const ending = await runCommand(args, io, reporter, interrupts)
    if (ending.summary) reporter.summary(ending.summary)
    return ending.status
  } finally {
    interrupts.close()
    io.leave()
  }
}

async function runCommand(
  args: Arguments,
  io: Io,
  reporter: Reporter,
  interrupts: Interrupts,
): Promise<Ending> {
  try {
    const { run } = await modules[args.command]()
    return await Promise.race([run({ args, io, reporter, interrupts }), interrupts.givenUp])
  } catch (thrown) {
    // Whatever fails because it was interrupted was interrupted.
    const status = interrupts.interrupted ? 130 : statusOf(thrown)
    if (status === 130) reporter.say('Interrupted.')
    if (status !== 130 || args.options.json) reporter.error(errorData(thrown, io.env))
    return { status, summary: emptySummary(args.command) }
  }
}

/** The exit status that an error means. */
export function statusOf(thrown: unknown): number {
  return isHarmonyError(thrown) ? (exitStatusOf[thrown.code as ErrorCode] ?? 1) : 1
}

/** What is said at the end of a command that did not get anywhere. */
function emptySummary(command: CommandName): Summary {
  switch (command) {
    case 'plan':
    case 'drift':
      return { command, create: 0, update: 0, remove: 0, unchanged: 0 }
    case 'apply':
    case 'destroy':
      return { command, outcomes: { noop: 0, success: 0, failure: 0, blocked: 0 }, changed: 0, durationMs: 0 }
    case 'check':
      return { command, ok: false }
    default:
      return { command }
  }
}

async function explainUsage(argv: readonly string[], io: Io): Promise<number> {
  const { explain } = await import('./usage.ts')
  const { status, text } = await explain(argv, io)
  if (status !== 0 && argv.includes('--json')) {
    const reporter = await openReporter({ json: true }, io)
    reporter.error({ code: 'usage', message: text.trim().split('\n')[0] ?? '', hint: 'harmony --help' })
    reporter.summary(isCommand(argv[0]) ? emptySummary(argv[0]) : { command: '' })
    io.err.write(text)
    return status
  }
  const sink = status === 0 ? io.out : io.err
  sink.write(text)
  return status
}
