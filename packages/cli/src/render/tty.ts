/**
 * Progress on a terminal: for each topology a line that counts, and below it what runs now and what was done last. One
 * line for each Score was rejected: a list longer than the screen flickers and hides what is going on. When the pass is
 * over the moving part is replaced by the lines that a log would have.
 */
import type { EngineEvent, Plan } from '@harmony-iac/core'
import { Listr, type ListrTask } from 'listr2'
import type { Colours } from './colours.ts'
import { eventLine, secondsText } from './event-line.ts'
import { sanitizeLine } from './sanitize.ts'

/** Progress that is being shown. */
export interface Progress {
  emit(event: EngineEvent): void
  /** Something that a person must read now. */
  say(text: string): void
  /** Takes the moving part away until the returned function is called: somebody is asked something. */
  hold(): Promise<() => void>
  /** Takes the moving part away; what it leaves behind is returned to be printed. */
  close(): Promise<readonly string[]>
}

/** Below what counts, so many lines for what runs, and so many for what was done last. */
const mostRunning = 8
const mostDone = 4
/** Of what went without trouble so many lines stay. */
const mostKept = 200

/** One topology's pass. */
class Pass {
  readonly #name: string
  readonly #total: number
  readonly #colours: Colours
  readonly #running = new Map<string, { readonly since: number; text: string }>()
  readonly #last: string[] = []
  #done = 0
  #failed = 0

  constructor(plan: Plan, colours: Colours) {
    this.#name = plan.topology
    this.#total = plan.steps.filter((step) => step.action !== 'unchanged' || step.records).length
    this.#colours = colours
  }

  take(event: EngineEvent): void {
    if (event.type === 'started') this.#running.set(event.address, { since: performance.now(), text: '' })
    else if (event.type === 'finished') {
      this.#running.delete(event.address)
      this.#done++
      if (event.outcome === 'failure' || event.outcome === 'blocked') this.#failed++
    } else if ('address' in event && event.address !== undefined) {
      const step = this.#running.get(event.address)
      if (step) step.text = stepText(event) ?? step.text
    }
  }

  remember(line: string): void {
    this.#last.push(line.split('\n')[0] ?? '')
    if (this.#last.length > mostDone) this.#last.shift()
  }

  title(): string {
    const failed = this.#failed > 0 ? this.#colours.red(`, ${this.#failed} not`) : ''
    return `${sanitizeLine(this.#name)}: ${this.#done} of ${this.#total} done${failed}`
  }

  /** Never empty: the moving part would jump. */
  output(): string {
    const lines = [...this.#last]
    const running = [...this.#running]
    for (const [address, { since, text }] of running.slice(0, mostRunning)) {
      const ms = performance.now() - since
      const took = ms > 1000 ? this.#colours.dim(` ${secondsText(ms)}`) : ''
      lines.push(`${sanitizeLine(address)}${took}${text && `: ${text}`}`)
    }
    if (running.length > mostRunning)
      lines.push(this.#colours.dim(`and ${running.length - mostRunning} more`))
    return lines.join('\n') || ' '
  }
}

/** Starts to show progress. */
export function openProgress(plans: readonly Plan[], colours: Colours, coloured: boolean): Progress {
  const passes = new Map(plans.map((plan) => [plan.topology, new Pass(plan, colours)]))
  const kept: string[] = []
  let dropped = 0
  const said: string[] = []
  let moving = move([...passes.values()], said, coloured)

  return {
    emit(event) {
      const pass = passes.get(event.topology)
      pass?.take(event)
      const line = eventLine(event, colours)
      if (line === undefined) return
      const text = passes.size > 1 ? `${sanitizeLine(event.topology)} ${line}` : line
      if (event.type === 'finished') pass?.remember(line)
      const fine = event.type === 'output' || (event.type === 'finished' && event.outcome === 'success')
      if (fine && kept.length >= mostKept) dropped++
      else kept.push(text)
    },
    say(text) {
      said.push(sanitizeLine(text))
    },
    async hold() {
      await moving.end()
      return () => {
        moving = move([...passes.values()], said, coloured)
      }
    },
    async close() {
      await moving.end()
      return dropped > 0 ? [...kept, colours.dim(`… ${dropped} more lines`)] : kept
    },
  }
}

/** The moving part, until it is ended. */
function move(passes: readonly Pass[], said: readonly string[], coloured: boolean): { end(): Promise<void> } {
  const over = Promise.withResolvers<void>()
  const tasks = passes.map((pass): ListrTask => {
    const show = (task: { title: string; output: string }) => {
      task.title = pass.title()
      task.output = [pass.output(), ...said].join('\n')
    }
    return {
      title: pass.title(),
      task: async (_, task) => {
        show(task)
        const ticking = setInterval(() => show(task), 100)
        await over.promise
        clearInterval(ticking)
        show(task)
      },
    }
  })
  const plain = (text: string | undefined) => text ?? ''
  const list = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: 'default',
    fallbackRendererCondition: () => false,
    rendererOptions: {
      clearOutput: true,
      formatOutput: 'truncate',
      ...(coloured ? {} : { color: { PENDING: plain, COMPLETED: plain, OUTPUT: plain } }),
    },
  })
  const shown = list.run()
  return {
    async end() {
      over.resolve()
      await shown
    },
  }
}

/** What a step that runs says of itself, in one line. */
function stepText(event: EngineEvent): string | undefined {
  switch (event.type) {
    case 'progress': {
      const { message, done, total } = event
      const share = done !== undefined && total ? ` ${Math.floor((100 * done) / total)} %` : ''
      return `${sanitizeLine(message)}${share}`
    }
    case 'output':
      return sanitizeLine(event.text.trimEnd().split('\n').at(-1) ?? '')
    case 'settling':
      return 'settles'
    case 'reaction':
      return sanitizeLine(event.reaction)
    default:
      return undefined
  }
}
