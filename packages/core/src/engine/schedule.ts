/**
 * Runs a graph of tasks side by side. A task that fails blocks what depends on it and nothing else. A task may give its
 * slot back while it only waits (for a service to settle), so that waiting never holds up work.
 */

/** One node of the graph. */
export interface Task {
  readonly id: string
  /** Ids that come before; ids that are not in the graph count as done. */
  readonly after: readonly string[]
  /** Does the work; false means that it failed. Must not throw. */
  run(releaseSlot: () => void): Promise<boolean>
  /** Told instead of `run` when something before it failed (`by`, however far before), or when nothing new is to start (`by` undefined). */
  blocked(by: string | undefined): void
}

/** How the graph is run. */
export interface ScheduleOptions {
  readonly parallel: number
  /** Aborted: nothing new starts. */
  readonly stop: AbortSignal
  /** Told which tasks have become ready, before any of them runs. */
  readonly onReady?: (tasks: readonly Task[]) => void
}

/** Runs all tasks; resolves when nothing runs any more. Tasks that wait for each other are blocked, not waited for. */
export async function schedule(
  tasks: readonly Task[],
  { parallel, stop, onReady }: ScheduleOptions,
): Promise<void> {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const waitingFor = new Map<string, number>()
  const dependents = new Map<string, Task[]>()
  for (const task of tasks) {
    let count = 0
    for (const id of new Set(task.after)) {
      if (!byId.has(id)) continue
      count++
      const list = dependents.get(id)
      if (list) list.push(task)
      else dependents.set(id, [task])
    }
    waitingFor.set(task.id, count)
  }

  const over = new Set<string>()
  let ready: Task[] = tasks.filter((task) => waitingFor.get(task.id) === 0)
  let head = 0
  let slots = Math.max(1, parallel)
  let running = 0
  onReady?.(ready)

  await new Promise<void>((resolve) => {
    const block = (task: Task, by: string | undefined): void => {
      const stack = [{ task, by }]
      for (let top = stack.pop(); top; top = stack.pop()) {
        if (over.has(top.task.id)) continue
        over.add(top.task.id)
        top.task.blocked(top.by)
        for (const next of dependents.get(top.task.id) ?? []) stack.push({ task: next, by: top.by })
      }
    }
    const finish = (task: Task, ok: boolean): void => {
      over.add(task.id)
      const next: Task[] = []
      for (const dependent of dependents.get(task.id) ?? []) {
        if (!ok) {
          block(dependent, task.id)
          continue
        }
        const left = (waitingFor.get(dependent.id) ?? 0) - 1
        waitingFor.set(dependent.id, left)
        if (left === 0 && !over.has(dependent.id)) next.push(dependent)
      }
      if (next.length === 0) return
      ready.push(...next)
      if (!stop.aborted) onReady?.(next)
    }
    const start = (task: Task): void => {
      let held = true
      const release = () => {
        if (!held) return
        held = false
        slots++
        pump()
      }
      slots--
      running++
      void task.run(release).then((ok) => {
        running--
        if (held) {
          held = false
          slots++
        }
        finish(task, ok)
        pump()
      })
    }
    const pump = (): void => {
      while (!stop.aborted && slots > 0 && head < ready.length) {
        const task = ready[head++] as Task
        if (!over.has(task.id)) start(task)
      }
      if (head > 1000) {
        ready = ready.slice(head)
        head = 0
      }
      if (running > 0) return
      if (!stop.aborted && head < ready.length) return
      for (const task of tasks) if (!over.has(task.id)) block(task, undefined)
      resolve()
    }
    pump()
  })
}
