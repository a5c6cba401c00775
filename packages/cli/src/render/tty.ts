/**
 * Progress on a terminal: one line for each topology with what runs now below it; what is done scrolls up. One line
 * for each Score was rejected: a list longer than the screen flickers and hides what is going on.
 */
import type { EngineEvent, Plan } from '@harmony-iac/core'
import { DefaultRenderer, Listr } from 'listr2'
import type { Colours } from './colours.ts'
import { eventLine } from './plain.ts'
import { sanitizeLine } from './sanitize.ts'

/** Progress that is being shown. */
export interface Progress {
  emit(event: EngineEvent): void
  close(): Promise<void>
}
void DefaultRenderer
void Listr
void eventLine
void sanitizeLine

/** Starts to show progress. */
export function openProgress(_plans: readonly Plan[], _colours: Colours): Progress {
  throw new Error('soon')
}
