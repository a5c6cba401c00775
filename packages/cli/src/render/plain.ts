/** Lines for people and logs: the plan, what is being done, what became of it. */
import { userInfo } from 'node:os'
import type { EngineEvent, ErrorData, Plan } from '@harmony-iac/core'
import type { Io } from '../io.ts'
import { type Colours, coloursOf, wantsColour } from './colours.ts'
import { errorText } from './error-text.ts'
import { eventLine, secondsText, wasNotStarted } from './event-line.ts'
import type { CommandEvent, Reporter, Summary } from './reporter.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'
import type { Progress } from './tty.ts'

/** Writes text. On a terminal the progress of an apply is left to listr2. */
export class PlainReporter implements Reporter {
  readonly #io: Io
  readonly #colours: Colours
  readonly #errorColours: Colours
  readonly #noColour: boolean | undefined
  #several = false
  #notStarted = 0
  #progress: Progress | undefined

  constructor(io: Io, noColour: boolean | undefined) {
    this.#io = io
    this.#noColour = noColour
    this.#colours = coloursOf(wantsColour(io.env, io.out, noColour))
    this.#errorColours = coloursOf(wantsColour(io.env, io.err, noColour))
  }

  emit(event: CommandEvent): void {
    switch (event.type) {
      case 'topology':
        if (event.status === 'waiting')
          this.#io.err.write(`${sanitizeLine(event.topology)}: ${sanitize(event.message)}\n`)
        return
      case 'note':
      case 'started':
      case 'progress':
      case 'output':
      case 'settling':
      case 'reaction':
      case 'finished':
        if (wasNotStarted(event)) this.#notStarted++
        if (this.#progress) this.#progress.emit(event)
        else this.#line(event)
        return
      default: // told otherwise: plans as a whole, errors and the summary by themselves
    }
  }

  async prepare(): Promise<unknown> {
    return await Promise.all([import('./plan-text.ts'), import('diff')])
  }

  async plans(plans: readonly Plan[]): Promise<void> {
    this.#several = plans.length > 1
    const { countsText, planText } = await import('./plan-text.ts')
    for (const plan of plans) this.#io.out.write(await planText(plan, this.#colours, this.#several))
    this.#io.out.write(`${this.#colours.bold(countsText(plans))}\n`)
    for (const { topology, home } of plans.filter(showsAnything)) this.#ledger(topology, home)
  }

  async drift(reports: Parameters<Reporter['drift']>[0]): Promise<void> {
    const { driftText } = await import('./drift-text.ts')
    this.#io.out.write(await driftText(reports, this.#colours))
    for (const { topology, home, report } of reports)
      if (report.entries.length > 0) this.#ledger(topology, home)
  }

  async working(plans: readonly Plan[]): Promise<() => Promise<void>> {
    this.#several = plans.length > 1
    const tellNotStarted = () => {
      if (this.#notStarted === 0) return
      const words = this.#notStarted === 1 ? '1 Score was' : `${this.#notStarted} Scores were`
      this.#io.out.write(`${this.#colours.yellow('⊘')} ${words} not started.\n`)
      this.#notStarted = 0
    }
    if (!this.#io.out.isTTY) return async () => tellNotStarted()
    const { openProgress } = await import('./tty.ts')
    const progress = openProgress(
      plans,
      this.#colours,
      wantsColour(this.#io.env, this.#io.out, this.#noColour),
    )
    this.#progress = progress
    return async () => {
      this.#progress = undefined
      for (const line of await progress.close()) this.#io.out.write(`${line}\n`)
      tellNotStarted()
    }
  }

  async aside<T>(work: () => Promise<T>): Promise<T> {
    const goOn = await this.#progress?.hold()
    try {
      return await work()
    } finally {
      goOn?.()
    }
  }

  say(text: string): void {
    this.#io.out.write(`${sanitize(text)}\n`)
  }

  warn(text: string): void {
    // The moving part holds everything else back until it is over.
    if (this.#progress) this.#progress.say(text)
    else this.#io.err.write(`${this.#errorColours.yellow('warning')}: ${sanitize(text)}\n`)
  }

  error(error: ErrorData, topology?: string): void {
    if (topology !== undefined) this.#io.err.write(`${sanitizeLine(topology)}:\n`)
    this.#io.err.write(errorText(error, this.#errorColours))
  }

  summary(summary: Summary): void {
    if (summary.command !== 'apply' && summary.command !== 'destroy') return
    const { success, noop, failure, blocked } = summary.outcomes
    if (success + failure + blocked === 0) return
    const bad = failure + blocked > 0
    const words = [
      `${success} done`,
      `${noop} unchanged`,
      failure > 0 && `${failure} failed`,
      blocked > 0 && `${blocked} blocked`,
    ]
    const text = `${bad ? 'Incomplete' : 'Done'}: ${words.filter(Boolean).join(', ')} (${secondsText(summary.durationMs)}).`
    this.#io.out.write(`${bad ? this.#colours.red(text) : this.#colours.green(text)}\n`)
  }

  /** Root and the user each have a ledger of their own: whoever looks into the wrong one must be able to see it. */
  #ledger(topology: string, home: string): void {
    // Elsewhere it is the home that says where, and who logs in there.
    const who = home.startsWith('/') ? `, as ${userName()}` : ''
    const text = `${sanitizeLine(topology)}: ledger ${sanitizeLine(home)}${who}`
    this.#io.out.write(`${this.#colours.dim(text)}\n`)
  }

  #line(event: EngineEvent): void {
    const line = eventLine(event, this.#colours)
    if (line !== undefined) this.#io.out.write(`${this.#prefix(event)}${line}\n`)
  }

  #prefix(event: { readonly topology: string }): string {
    return this.#several ? `${sanitizeLine(event.topology)} ` : ''
  }
}

function showsAnything({ steps, conflicts, failures }: Plan): boolean {
  return conflicts.length + failures.length > 0 || steps.some((step) => step.action !== 'unchanged')
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}` // a user that no database knows, as in many containers
  }
}
