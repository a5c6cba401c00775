/** What one event of a pass says to people. */
import type { EngineEvent } from '@harmony-iac/core'
import type { Colours } from './colours.ts'
import { errorText } from './error-text.ts'
import { sanitize, sanitizeLine } from './sanitize.ts'

/** The line or lines of one event, if it says anything. */
export function eventLine(event: EngineEvent, colours: Colours): string | undefined {
  switch (event.type) {
    case 'finished': {
      const name = sanitizeLine(event.address)
      if (event.outcome === 'failure') return `${colours.red('✗')} ${name}${failureText(event, colours)}`
      if (wasNotStarted(event)) return undefined // counted instead: after Ctrl-C that may be thousands
      if (event.outcome === 'blocked')
        return `${colours.yellow('⊘')} ${name} is blocked: ${sanitize(event.error?.message ?? '')}`
      if (event.outcome === 'noop') return noopText(event, colours)
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

/** Whether this is a step that an interruption kept from being started. */
export function wasNotStarted(event: EngineEvent): boolean {
  return event.type === 'finished' && event.outcome === 'blocked' && event.error?.code === 'interrupted'
}

/** What the plan was going to do, and somebody has done meanwhile. */
function noopText(
  { action, address }: EngineEvent & { readonly type: 'finished' },
  colours: Colours,
): string | undefined {
  if (action === 'unchanged' || action === 'forget') return undefined
  const gone = action === 'remove' || action === 'purge'
  return `${colours.dim('=')} ${sanitizeLine(address)} ${gone ? 'is gone already' : 'is as wanted by now'}`
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

/** Why a step failed, below its name, which need not be said again. */
function failureText(event: EngineEvent & { readonly type: 'finished' }, colours: Colours): string {
  return event.error ? `\n${errorText({ ...event.error, address: undefined }, colours, '  ').trimEnd()}` : ''
}
