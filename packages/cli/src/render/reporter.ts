/**
 * What a command tells, and to whom. A command speaks to a reporter only; whether that is a terminal, a log or a
 * program is decided once, here. Reporters are loaded when they are needed: a terminal's progress costs 14 ms.
 */

import type { EngineEvent, ErrorData, Outcome, Plan, PlanCounts } from '@harmony-iac/core'
import type { DriftReport } from '@harmony-iac/core/engine'
import type { Concern, Problem } from '@harmony-iac/topologies'
import type { CommandName, OptionValues } from '../commands/table.ts'
import type { Io } from '../io.ts'

/** How a command ended: the last thing it says. */
export type Summary =
  | ({ readonly command: 'plan' | 'drift' } & PlanCounts)
  | {
      readonly command: 'apply' | 'destroy'
      readonly outcomes: Readonly<Record<Outcome, number>>
      readonly changed: number
      readonly durationMs: number
    }
  | { readonly command: 'check'; readonly ok: boolean }
  | {
      readonly command: 'doctor'
      readonly ok: number
      readonly limited: number
      readonly missing: number
      readonly unreachable: number
    }
  | {
      readonly command: '' | Exclude<CommandName, 'plan' | 'drift' | 'apply' | 'destroy' | 'check' | 'doctor'>
    }

/** How a word for a host was understood. */
export type Meaning = 'topology' | 'ssh' | 'container' | 'this-machine'

/** What the command line tells beside the events of the engine. */
export type CommandEvent =
  | EngineEvent
  /** The compiler has spoken. */
  | {
      readonly type: 'compiled'
      readonly file: string
      readonly verdict: 'fresh' | 'cached' | 'skipped'
      readonly durationMs: number
    }
  /** Something should be put right, although the command goes on. */
  | { readonly type: 'warning'; readonly message: string }
  /** Something is not as it was last applied. */
  | ({ readonly type: 'drift' } & DriftReport['entries'][number])
  /** A host was examined: who works there, and how its name was understood. */
  | {
      readonly type: 'examined'
      readonly topology?: string | undefined
      readonly host: string
      readonly means: Meaning
      readonly user: string
      readonly uid: number
    }
  /** What a host can do about one concern. */
  | {
      readonly type: 'finding'
      readonly topology?: string | undefined
      readonly host: string
      readonly concern: Concern
      readonly status: 'ok' | 'limited' | 'missing'
      readonly needed: boolean
      readonly problems: readonly {
        readonly code: Problem['code']
        readonly message: string
        readonly hint: string
        readonly data: Readonly<Record<string, unknown>>
      }[]
    }
  /** What went wrong; `topology` when the others go on without it. */
  | ({ readonly type: 'error'; readonly topology?: string | undefined } & ErrorData)
  | ({ readonly type: 'summary' } & Summary)

/** Receives everything that a command tells. */
export interface Reporter {
  /** Events as they happen. */
  emit(event: CommandEvent): void
  /** Loads what it takes to show changes. Asked for when there is nothing else to do. */
  prepare(): Promise<unknown>
  /** Shows plans, before anything is asked. */
  plans(plans: readonly Plan[]): Promise<void>
  /** Shows what drift found. */
  drift(
    reports: readonly { readonly topology: string; readonly home: string; readonly report: DriftReport }[],
  ): Promise<void>
  /** From now on steps run, until the returned function is called. */
  working(plans: readonly Plan[]): Promise<() => Promise<void>>
  /** Somebody is asked something meanwhile: nothing moves on the terminal. */
  aside<T>(work: () => Promise<T>): Promise<T>
  /** A sentence for people only. */
  say(text: string): void
  /** Something that should be put right, although the command goes on. */
  warn(text: string): void
  error(error: ErrorData, topology?: string): void
  /** The last word. */
  summary(summary: Summary): void
}

/** The reporter that suits the options and the terminal. */
export async function openReporter(options: OptionValues, io: Io): Promise<Reporter> {
  if (options.json) return new (await import('./json.ts')).JsonReporter(io)
  const { PlainReporter } = await import('./plain.ts')
  return new PlainReporter(io, options['no-color'])
}
