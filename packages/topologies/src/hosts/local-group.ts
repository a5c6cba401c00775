/** The end of a process group: politely, then not; and never later than the command that started it. */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

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

/**
 * Whether any process of the group still runs. Zombies do not: in a container without an init nobody collects them, and
 * the signal 0 finds them for ever.
 */
function groupIsAlive(leader: ChildProcess): boolean {
  if (!signalGroup(leader, 0)) return false
  try {
    return readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && runsIn(pid, leader.pid ?? 0))
  } catch {
    // No /proc: the signal's answer has to do.
    return true
  }
}

function runsIn(pid: string, group: number): boolean {
  try {
    // After the name, which may contain anything: state, parent, group.
    const [, state, of] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/^.*\) (\S) \d+ (\d+) /s) ?? []
    return Number(of) === group && state !== 'Z' && state !== 'X'
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
    let allRead = false
    const settle = () => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ exitCode: leader.exitCode, signal: leader.signalCode, timedOut })
    }
    const untilAllRead = () => {
      if (allRead || aborted?.aborted) return settle()
      later(pipeGraceMs, settle)
      leader.once('close', settle)
    }
    /** The group gets its five seconds, also when its leader went at once. */
    const untilGroupIsGone = (givingUpAt: number) => {
      // A process that cannot even be killed (it hangs in the kernel) is not waited for any longer.
      if (!groupIsAlive(leader) || performance.now() > givingUpAt) untilAllRead()
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
      if (timedOut && !aborted?.aborted) untilGroupIsGone(performance.now() + politenessMs + pipeGraceMs)
      else untilAllRead()
    })
    leader.once('close', () => {
      allRead = true
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
