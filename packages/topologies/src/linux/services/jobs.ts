/** Jobs of systemd: queued by a call, ended by a signal that is listened for before the job is queued. */
import { HarmonyError } from '@harmony-iac/core'
import type { JobPatience } from '@harmony-iac/core/capabilities'
import type { Bus } from './bus.ts'
import { manager, systemd } from './names.ts'

/** How a job ended: `done`, `failed`, `dependency`, `timeout`, `canceled`, `skipped`, …; or it is still running. */
export type JobResult = string

/** Queues jobs on one connection. */
export interface Jobs {
  /** Resolves with the result, or with `running` when patience has ended. */
  run(member: string, name: string, patience: JobPatience): Promise<JobResult>
}

const patienceOfMost = 2000

/** Listens for the ends of jobs from now on. */
export async function listenForJobs(bus: Bus): Promise<Jobs> {
  const waiting = new Map<string, (result: JobResult) => void>()
  // A job may end before the answer that names it is read.
  const ended = new Map<string, JobResult>()
  let queueing = 0
  bus.onEnd(() => {
    for (const end of waiting.values()) end('lost')
  })
  const heard = bus.subscribe(
    { sender: systemd, interface: manager.interface, member: 'JobRemoved' },
    (body) => {
      const [, job, , result] = body as readonly [number, string, string, string]
      const end = waiting.get(job)
      if (end) end(result)
      else if (queueing > 0) ended.set(job, result)
    },
  )
  await Promise.all([heard, bus.call({ ...manager, member: 'Subscribe' })])

  return {
    async run(member, name, { patienceMs = patienceOfMost, signal }) {
      queueing++
      let job: string
      let result: JobResult | undefined
      try {
        const body = [name, 'replace']
        ;[job] = (await bus.call({ ...manager, member, signature: 'ss', body })) as readonly [string]
        result = ended.get(job)
        ended.delete(job)
      } finally {
        if (--queueing === 0) ended.clear()
      }
      result ??= await untilEnded(waiting, job, patienceMs, signal)
      if (result !== 'lost') return result
      throw new HarmonyError('unreachable', `the connection was lost while ${name} was being worked on`, {
        hint: 'apply again: what the job has done by then is looked at first',
      })
    },
  }
}

function untilEnded(
  waiting: Map<string, (result: JobResult) => void>,
  job: string,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<JobResult> {
  return new Promise((resolve) => {
    const end = (result: JobResult) => {
      waiting.delete(job)
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      resolve(result)
    }
    // The job goes on; who is interrupted does not wait for it.
    const stop = () => end('running')
    const timer = setTimeout(stop, patienceMs)
    signal?.addEventListener('abort', stop, { once: true })
    waiting.set(job, end)
    if (signal?.aborted) stop()
  })
}
