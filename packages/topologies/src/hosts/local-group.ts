/** The end of a process group: politely, then not; and never later than the command that started it. */
import type { ChildProcess } from 'node:child_process'

// Between SIGTERM and SIGKILL.
const politenessMs = 5000
// How long a pipe may stay open after its program has ended: a daemon that it started may keep it for ever.
const pipeGraceMs = 1000
const pollMs = 20

/** How a program ended. */
export interface End {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
}

/** Sends a signal to a whole group (0: to nobody); tells whether there was anyone to get it. */
export function signalGroup(leader: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-(leader.pid ?? 0), signal)
  } catch {
    return false
  }
}

/** Waits until the leader has ended and its output was read, ending the whole group when its time is up. */
export function untilEnded(
  leader: ChildProcess,
  timeoutMs: number | undefined,
  aborted: AbortSignal | undefined,
): Promise<End> {
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = []
    const later = (ms: number, work: () => void) => timers.push(setTimeout(work, ms))
    let timedOut = false
    const settle = () => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ exitCode: leader.exitCode, signal: leader.signalCode, timedOut })
    }
    /** The group gets its five seconds, also when its leader went at once. */
    const untilGroupIsGone = (givingUpAt: number) => {
      // Zombies that nobody collects (a container without an init) count as alive, hence the second condition.
      if (!signalGroup(leader, 0) || performance.now() > givingUpAt) settle()
      else later(pollMs, () => untilGroupIsGone(givingUpAt))
    }
    if (timeoutMs !== undefined)
      later(timeoutMs, () => {
        // Ended in time; only its pipes are still open.
        if (hasExited(leader)) return
        timedOut = true
        signalGroup(leader, 'SIGTERM')
        later(politenessMs, () => signalGroup(leader, 'SIGKILL'))
      })
    leader.once('exit', () => {
      if (aborted?.aborted) settle()
      else if (timedOut) untilGroupIsGone(performance.now() + politenessMs + pipeGraceMs)
      else {
        later(pipeGraceMs, settle)
        aborted?.addEventListener('abort', settle, { once: true })
      }
    })
    // `close` comes when the leader has exited and all pipes are closed.
    leader.once('close', () => {
      if (!timedOut) settle()
    })
  })
}

/** Whether a child is known to have ended. */
function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

const living = new Set<ChildProcess>()

/** While a program runs, it is killed with its group when this process exits, however it comes to that. */
export function whileAlive(child: ChildProcess): { done(): void } {
  if (living.size === 0) process.on('exit', killAll)
  living.add(child)
  return {
    done() {
      living.delete(child)
      if (living.size === 0) process.off('exit', killAll)
    },
  }
}

function killAll(): void {
  for (const child of living) signalGroup(child, 'SIGKILL')
}
