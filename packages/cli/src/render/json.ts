/** One event per line, for programs. Nothing else goes to standard output then. */
import type { ErrorData, Plan } from '@harmony-iac/core'
import type { Io } from '../io.ts'
import type { CommandEvent, Reporter, Summary } from './reporter.ts'
import { jsonText } from './sanitize.ts'

/** Writes events as lines of JSON. Their schemas: `harmony schema event`. */
export class JsonReporter implements Reporter {
  readonly #io: Pick<Io, 'out'>
  readonly #now: () => string

  constructor(io: Pick<Io, 'out'>, now = () => new Date().toISOString()) {
    this.#io = io
    this.#now = now
  }

  emit(event: CommandEvent): void {
    const { type, ...rest } = event
    this.#io.out.write(`${jsonText({ type, time: this.#now(), ...rest })}\n`)
  }

  /** The steps that change something; what stays as it is is counted in the summary. */
  async prepare(): Promise<void> {}

  async plans(plans: readonly Plan[]): Promise<void> {
    for (const { topology, steps, conflicts, failures, notes } of plans) {
      for (const step of steps)
        if (step.action !== 'unchanged' || step.records) this.emit({ type: 'step', topology, ...step })
      for (const { type, ...conflict } of conflicts)
        this.emit({ type: 'conflict', topology, conflict: type, ...conflict })
      for (const failure of failures) this.emit({ type: 'unobservable', topology, ...failure })
      for (const message of notes) this.emit({ type: 'note', topology, address: undefined, message })
    }
  }

  async drift(reports: Parameters<Reporter['drift']>[0]): Promise<void> {
    for (const { report } of reports)
      for (const entry of report.entries) this.emit({ type: 'drift', ...entry })
  }

  async working(): Promise<() => Promise<void>> {
    return async () => {}
  }

  aside<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }

  say(): void {}

  warn(message: string): void {
    this.emit({ type: 'warning', message })
  }

  error(error: ErrorData, topology?: string): void {
    this.emit({ type: 'error', ...(topology === undefined ? {} : { topology }), ...error })
  }

  summary(summary: Summary): void {
    this.emit({ type: 'summary', ...summary })
  }
}
