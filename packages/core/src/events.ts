/**
 * What the engine tells while it works. Every surface (terminal, plain lines, JSON, later a dashboard) is a renderer of
 * these events and knows nothing else. Their JSON Schemas are published: see `event-schemas.ts`.
 */
import type { Json } from './canonical.ts'
import type { Issue } from './errors.ts'
import type { Action, Conflict, PlanFailure, Step } from './plan/plan.ts'

/** What became of one Score in one pass. */
export type Outcome = 'noop' | 'success' | 'failure' | 'blocked'

/** An error as data. */
export interface ErrorData {
  readonly code: string
  readonly message: string
  readonly address?: string | undefined
  readonly hint?: string | undefined
  readonly issues?: readonly Issue[] | undefined
  readonly data?: { readonly [key: string]: unknown } | undefined
}

/** Events of the engine, before they get their time. */
export type EngineEvent =
  /** A topology is being opened, waits for its lock, is ready, or cannot be reached. */
  | {
      readonly type: 'topology'
      readonly topology: string
      readonly status: 'opening' | 'waiting' | 'ready' | 'unreachable'
      readonly message: string
    }
  /** One step of a plan, in the order of execution. */
  | ({ readonly type: 'step'; readonly topology: string } & Step)
  | ({ readonly type: 'conflict'; readonly topology: string; readonly conflict: Conflict['type'] } & Omit<
      Conflict,
      'type'
    >)
  | ({ readonly type: 'unobservable'; readonly topology: string } & PlanFailure)
  /** Something a person should know, at the end of a plan or during a pass. */
  | {
      readonly type: 'note'
      readonly topology: string
      readonly address: string | undefined
      readonly message: string
    }
  | { readonly type: 'started'; readonly topology: string; readonly address: string; readonly action: Action }
  | {
      readonly type: 'progress'
      readonly topology: string
      readonly address: string
      readonly message: string
      readonly done: number | undefined
      readonly total: number | undefined
    }
  /** Output of a program that runs for a Score. */
  | {
      readonly type: 'output'
      readonly topology: string
      readonly address: string
      readonly stream: 'stdout' | 'stderr'
      readonly text: string
    }
  /** The step is done; what is left may go away by itself until the deadline. */
  | {
      readonly type: 'settling'
      readonly topology: string
      readonly address: string
      readonly paths: readonly string[]
      readonly timeoutMs: number
    }
  | {
      readonly type: 'reaction'
      readonly topology: string
      readonly address: string
      readonly reaction: string
      readonly causes: readonly string[]
    }
  | {
      readonly type: 'finished'
      readonly topology: string
      readonly address: string
      readonly action: Action
      readonly outcome: Outcome
      readonly durationMs: number
      /** Why it failed, or what blocks it. */
      readonly error: ErrorData | undefined
      /** What differs still, after a failure to converge. */
      readonly differences: Step['differences']
    }
  /** What an auditor looks for: a program that ran, with its result. */
  | {
      readonly type: 'audit'
      readonly topology: string
      readonly address: string
      readonly entry: { readonly [key: string]: Json }
    }

/** Receives events. Must not throw and must not block. */
export type Emit = (event: EngineEvent) => void
