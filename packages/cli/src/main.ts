/**
 * The command `harmony`: understands the arguments, runs one command, turns whatever happens into words and an exit
 * status. It imports little, because every import is paid by every command.
 */
import './imports.ts'
import { type ErrorCode, exitStatusOf, HarmonyError, isHarmonyError } from '@harmony-iac/core/errors'
import { type Arguments, commandFirst, isCommand, parseArguments } from './arguments.ts'
import type { CommandName } from './commands/table.ts'
import type { Context, Ending, Run } from './context.ts'
import { Interrupts, interruption } from './interrupts.ts'
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
  inventory: () => import('./commands/inventory.ts'),
  doctor: () => import('./commands/doctor.ts'),
  schema: () => import('./commands/schema.ts'),
}

/** Runs one command line and returns its exit status. */
export async function main(given: readonly string[], io: Io = processIo()): Promise<number> {
  const argv = commandFirst(given)
  const args = parseArguments(argv)
  if (!args) return await explainUsage(argv, io)
  const reporter = await openReporter(args.options, io)
  const interrupts = new Interrupts(io)
  let ended: number | undefined
  let loading: string | undefined
  io.claimOutput()
  const offExit = io.onExit((status) => {
    if (ended !== undefined) return status
    const error = cutShort(loading, status, interrupts.applying)
    tellEnd(error, args, io, reporter)
    return loading === undefined ? 1 : statusOf(error)
  })
  const offFaults = io.onFault((thrown) => void tellFault(thrown, { reporter, interrupts, io }))
  try {
    interrupts.listen()
    const { status, summary } = await runCommand({
      args,
      io,
      reporter,
      interrupts,
      loading(file) {
        loading = file
      },
      giveUp(error) {
        if (ended === undefined) tellEnd(error, args, io, reporter)
        return io.exit(ended ?? statusOf(error))
      },
    })
    ended = status === 0 && interrupts.faulted ? 1 : status
    if (summary) reporter.summary(summary)
    return ended
  } finally {
    interrupts.close()
    offFaults()
    offExit()
    io.leave()
  }
}

async function runCommand(context: Context): Promise<Ending> {
  const { args, io, reporter, interrupts } = context
  try {
    const { run } = await modules[args.command]()
    return await Promise.race([run(context), interrupts.givenUp])
  } catch (thrown) {
    // Whatever fails because it was interrupted was interrupted.
    const status = interrupts.interrupted ? 130 : statusOf(thrown)
    if (status !== 130) reporter.error(errorData(thrown, io.env))
    else if (args.options.json) reporter.error(errorData(interruption(), io.env))
    else reporter.say('Interrupted.')
    return { status, summary: emptySummary(args.command) }
  }
}

/** Somebody ends the process before the command has: only what the project brought along does that. */
function cutShort(loading: string | undefined, status: number, applying: boolean): HarmonyError {
  if (loading !== undefined)
    return new HarmonyError(
      'project-unreadable',
      `${loading} ends the process (process.exit) instead of exporting a project`,
    )
  // Node's own status for a program that waits for what can no longer happen.
  if (status === 13)
    return new HarmonyError('internal', 'the command waits for something that can no longer happen')
  return new HarmonyError(
    'project-unreadable',
    applying
      ? 'something that the project started ended the process (process.exit) in the middle; what had begun may be half done'
      : 'something that the project started ended the process (process.exit) before the command was done',
    { hint: applying ? 'take that out of the project, and apply again' : 'take that out of the project' },
  )
}

function tellEnd(error: HarmonyError, args: Arguments, io: Io, reporter: Reporter): void {
  reporter.error(errorData(error, io.env))
  reporter.summary(emptySummary(args.command))
}

/** A project file may start something that fails later, when nobody waits for it. */
async function tellFault(
  thrown: unknown,
  { reporter, interrupts, io }: Pick<Context, 'reporter' | 'interrupts' | 'io'>,
): Promise<void> {
  const { frameOfFile, userFrame } = await import('./project/frames.ts')
  const frame = userFrame(thrown, { file: '', folder: io.cwd })
  const words = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  const error = new HarmonyError(
    'project-unreadable',
    `something that the project started failed, and nobody was waiting for it: ${words}`,
    {
      cause: thrown,
      data: frame && {
        at: `${frame.file}:${frame.line}:${frame.column}`,
        frame: frameOfFile(frame.file, frame.line, frame.column),
      },
    },
  )
  if (interrupts.applying) reporter.error(errorData(error, io.env))
  interrupts.fault(error)
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
    case 'doctor':
      return { command, ok: 0, limited: 0, missing: 0, unreachable: 0 }
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
