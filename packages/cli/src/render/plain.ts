/** Lines for people and logs: the plan, what is being done, what became of it. */
import type { EngineEvent, ErrorData, Plan } from '@harmony-iac/core'
import type { Io } from '../io.ts'
import { type Colours, coloursOf, wantsColour } from './colours.ts'
import { errorText } from './error-text.ts'
import type { CommandEvent, Reporter, Summary } from './reporter.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

/** Writes text. On a terminal the progress of an apply is left to listr2. */
export class PlainReporter implements Reporter {
  readonly #io: Io
  readonly #colours: Colours
  readonly #errorColours: Colours
  #several = false
  #progress: { emit(event: EngineEvent): void } | undefined

  constructor(io: Io, noColour: boolean | undefined) {
    this.#io = io
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
        if (!this.#progress) this.#io.out.write(`${this.#prefix(event)}${sanitize(event.message)}\n`)
        else this.#progress.emit(event)
        return
      case 'started':
      case 'progress':
      case 'output':
      case 'settling':
      case 'reaction':
      case 'finished':
        if (this.#progress) this.#progress.emit(event)
        else this.#line(event)
    }
  }

  async plans(plans: readonly Plan[]): Promise<void> {
    this.#several = plans.length > 1
    const { countsText, planText } = await import('./plan-text.ts')
    for (const plan of plans) this.#io.out.write(await planText(plan, this.#colours, this.#several))
    this.#io.out.write(`${this.#colours.bold(countsText(plans))}\n`)
  }

  async drift(reports: Parameters<Reporter['drift']>[0]): Promise<void> {
    const { driftText } = await import('./drift-text.ts')
    this.#io.out.write(await driftText(reports, this.#colours))
  }

  async working(plans: readonly Plan[]): Promise<() => Promise<void>> {
    this.#several = plans.length > 1
    if (!this.#io.out.isTTY) return async () => {}
    const { openProgress } = await import('./tty.ts')
    const progress = openProgress(plans, this.#colours)
    this.#progress = progress
    return async () => {
      this.#progress = undefined
      await progress.close()
    }
  }

  say(text: string): void {
    this.#io.out.write(`${sanitize(text)}\n`)
  }

  warn(text: string): void {
    this.#io.err.write(`${this.#errorColours.yellow('warning')}: ${sanitize(text)}\n`)
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

  #line(event: EngineEvent): void {
    const line = eventLine(event, this.#colours)
    if (line !== undefined) this.#io.out.write(`${this.#prefix(event)}${line}\n`)
  }

  #prefix(event: { readonly topology: string }): string {
    return this.#several ? `${sanitizeLine(event.topology)} ` : ''
  }
}

/** What one event of a pass says to people, if anything. */
export function eventLine(event: EngineEvent, colours: Colours): string | undefined {
  switch (event.type) {
    case 'finished': {
      const name = sanitizeLine(event.address)
      if (event.outcome === 'failure')
        return `${colours.red('✗')} ${name}\n${event.error ? errorText(event.error, colours, '  ').trimEnd() : ''}`.trimEnd()
      if (event.outcome === 'blocked')
        return `${colours.yellow('⊘')} ${name} is blocked: ${sanitize(event.error?.message ?? '')}`
      if (event.outcome === 'noop') return undefined
      const took = event.durationMs >= 1000 ? colours.dim(` (${secondsText(event.durationMs)})`) : ''
      return `${colours.green('✓')} ${name} ${done[event.action]}${took}`
    }
    case 'output': {
      const text = sanitize(event.text).replace(/\n$/, '')
      return text
        .split('\n')
        .map((line) => `${colours.dim(`${sanitizeLine(event.address)} |`)} ${line}`)
        .join('\n')
    }
    case 'settling':
      return `${sanitizeLine(event.address)} settles (${event.paths.map(sanitizeLine).join(', ')}), at most ${secondsText(event.timeoutMs)}`
    case 'reaction':
      return `${sanitizeLine(event.address)}: ${sanitizeLine(event.reaction)}`
    case 'note':
      return `${event.address === undefined ? '' : `${sanitizeLine(event.address)}: `}${sanitize(event.message)}`
    default:
      return undefined
  }
}

const done = {
  create: 'created',
  update: 'updated',
  replace: 'made anew',
  react: 'done',
  remove: 'removed',
  forget: 'left alone from now on',
  purge: 'purged',
  deferred: 'done',
  unchanged: 'recorded',
} as const

/** `0.4 s`, `12 s`. */
export function secondsText(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s` : `${Math.round(ms / 1000)} s`
}
