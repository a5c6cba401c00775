/**
 * Runs a graph of tasks side by side. A task that fails blocks what depends on it and nothing else. A task may give its
 * slot back while it only waits (for a service to settle), so that waiting never holds up work.
 */

/** One node of the graph. */
export interface Task {
  readonly id: string
  /** Ids that come before; ids that are not in the graph count as done. */
  readonly after: readonly string[]
  /** Runs in the lane for light work, if there is one. */
  readonly light?: boolean | undefined
  /** Ids that come before too, but whose failure blocks nothing. */
  readonly follows?: readonly string[]
  /** Does the work; false means that it failed. Must not throw. */
  run(releaseSlot: () => void): Promise<boolean>
  /** Told instead of `run` when something before it failed (`by`, however far before), or when nothing new is to start (`by` undefined). */
  blocked(by: string | undefined): void
}

/** How the graph is run. */
export interface ScheduleOptions {
  /** How many run side by side. */
  readonly parallel: number
  /** How many light ones run beside them. Default: they are counted like the others. */
  readonly light?: number | undefined
  /** Aborted: nothing new starts. */
  readonly stop: AbortSignal
  /** Told which tasks have become ready, before any of them runs. */
  readonly onReady?: (tasks: readonly Task[]) => void
}

/** Tasks that are ready, and how many of them may still begin. */
class Lane {
  slots: number
  #ready: Task[] = []
  #head = 0

  constructor(slots: number) {
    this.slots = Math.max(1, slots)
  }

  add(task: Task): void {
    this.#ready.push(task)
  }

  next(): Task | undefined {
    const task = this.#ready[this.#head]
    if (task) this.#head++
    if (this.#head > 1000) {
      this.#ready = this.#ready.slice(this.#head)
      this.#head = 0
    }
    return task
  }
}

/** Runs all tasks; resolves when nothing runs any more. Tasks that wait for each other are blocked, not waited for. */
export async function schedule(
  tasks: readonly Task[],
  { parallel, light, stop, onReady }: ScheduleOptions,
): Promise<void> {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const waitingFor = new Map<string, number>()
  const dependents = new Map<string, Task[]>()
  const followers = new Map<string, Task[]>()
  for (const task of tasks) {
    let count = 0
    const wait = (id: string, by: Map<string, Task[]>) => {
      if (!byId.has(id)) return
      count++
      const list = by.get(id)
      if (list) list.push(task)
      else by.set(id, [task])
    }
    for (const id of new Set(task.after)) wait(id, dependents)
    for (const id of new Set(task.follows)) wait(id, followers)
    waitingFor.set(task.id, count)
  }

  const over = new Set<string>()
  const heavyLane = new Lane(parallel)
  const lightLane = light === undefined ? heavyLane : new Lane(light)
  const laneOf = (task: Task) => (task.light ? lightLane : heavyLane)
  let running = 0
  const enqueue = (next: readonly Task[]) => {
    for (const task of next) laneOf(task).add(task)
  }
  const first = tasks.filter((task) => waitingFor.get(task.id) === 0)
  enqueue(first)
  onReady?.(first)

  await new Promise<void>((resolve) => {
    /** One less to wait for; those that wait for nothing any more are `next`. */
    const release = (waiting: readonly Task[] | undefined, next: Task[]): void => {
      for (const task of waiting ?? []) {
        const left = (waitingFor.get(task.id) ?? 0) - 1
        waitingFor.set(task.id, left)
        if (left === 0 && !over.has(task.id)) next.push(task)
      }
    }
    const block = (task: Task, by: string | undefined, next: Task[]): void => {
      const stack = [{ task, by }]
      for (let top = stack.pop(); top; top = stack.pop()) {
        if (over.has(top.task.id)) continue
        over.add(top.task.id)
        top.task.blocked(top.by)
        for (const each of dependents.get(top.task.id) ?? []) stack.push({ task: each, by: top.by })
        release(followers.get(top.task.id), next)
      }
    }
    const finish = (task: Task, ok: boolean): void => {
      over.add(task.id)
      const released: Task[] = []
      if (ok) release(dependents.get(task.id), released)
      else for (const dependent of dependents.get(task.id) ?? []) block(dependent, task.id, released)
      release(followers.get(task.id), released)
      const next = released.filter(({ id }) => !over.has(id))
      if (next.length === 0) return
      enqueue(next)
      if (!stop.aborted) onReady?.(next)
    }
    const start = (task: Task, lane: Lane): void => {
      let held = true
      const giveBack = () => {
        if (!held) return
        held = false
        lane.slots++
        pump()
      }
      running++
      void task.run(giveBack).then((ok) => {
        running--
        if (held) {
          held = false
          lane.slots++
        }
        finish(task, ok)
        pump()
      })
    }
    const pump = (): void => {
      for (const lane of new Set([heavyLane, lightLane]))
        while (!stop.aborted && lane.slots > 0) {
          const task = lane.next()
          if (!task) break
          if (over.has(task.id)) continue
          lane.slots--
          start(task, lane)
        }
      if (running > 0) return
      for (const task of tasks) if (!over.has(task.id)) block(task, undefined, [])
      resolve()
    }
    pump()
  })
}
