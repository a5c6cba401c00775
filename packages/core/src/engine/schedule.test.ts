import { expect, test } from 'vitest'
import { schedule, type Task } from './schedule.ts'

function world(edges: Record<string, readonly string[]>, fail: readonly string[] = []) {
  const log: string[] = []
  const gates = new Map<string, () => void>()
  const tasks: Task[] = Object.entries(edges).map(([id, after]) => ({
    id,
    after,
    run: async () => {
      log.push(`+${id}`)
      await new Promise<void>((resolve) => gates.set(id, resolve))
      log.push(`-${id}`)
      return !fail.includes(id)
    },
    blocked: (by) => log.push(`!${id}${by ? `<${by}` : ''}`),
  }))
  const open = async (id: string) => {
    gates.get(id)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { log, tasks, open }
}
const never = new AbortController().signal

test('runs along the edges, side by side, no more than asked for', async () => {
  const { log, tasks, open } = world({ a: [], b: [], c: [], d: ['a', 'b'] })
  const done = schedule(tasks, { parallel: 2, stop: never })
  expect(log).toEqual(['+a', '+b'])
  await open('a')
  expect(log).toEqual(['+a', '+b', '-a', '+c'])
  await open('b')
  await open('c')
  await open('d')
  await done
  expect(log).toEqual(['+a', '+b', '-a', '+c', '-b', '+d', '-c', '-d'])
})

test('light tasks run in a lane of their own, if there is one', async () => {
  const { log, tasks, open } = world({ a: [], b: [], c: [], d: [], e: ['a'] })
  const mixed = tasks.map((task) => ({ ...task, light: 'bce'.includes(task.id) }))
  const done = schedule(mixed, { parallel: 1, light: 2, stop: never })
  expect(log).toEqual(['+a', '+b', '+c'])
  await open('a')
  expect(log.slice(3)).toEqual(['-a', '+d'])
  await open('c')
  expect(log.slice(5)).toEqual(['-c', '+e'])
  for (const id of ['b', 'd', 'e']) await open(id)
  await done

  const counted = world({ a: [], b: [] })
  const one = schedule(
    counted.tasks.map((task) => ({ ...task, light: true })),
    { parallel: 1, stop: never },
  )
  expect(counted.log).toEqual(['+a'])
  await counted.open('a')
  await counted.open('b')
  await one
})

test('a failure blocks what depends on it, near and far, and nothing else', async () => {
  const { log, tasks, open } = world({ a: [], b: ['a'], c: ['b'], d: [] }, ['a'])
  const done = schedule(tasks, { parallel: 10, stop: never })
  await open('a')
  await open('d')
  await done
  expect(log).toEqual(['+a', '+d', '-a', '!b<a', '!c<a', '-d'])
})

test('after stop nothing new starts, what runs is awaited', async () => {
  const { log, tasks, open } = world({ a: [], b: ['a'] })
  const stop = new AbortController()
  const done = schedule(tasks, { parallel: 1, stop: stop.signal })
  stop.abort()
  await open('a')
  await done
  expect(log).toEqual(['+a', '-a', '!b'])
})

test('a task that only waits gives its slot to another', async () => {
  const log: string[] = []
  let finish: () => void = () => undefined
  const tasks: Task[] = [
    {
      id: 'settling',
      after: [],
      run: async (release) => {
        release()
        release() // twice must not make two slots
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return true
      },
      blocked: () => undefined,
    },
    ...['x', 'y'].map((id) => ({
      id,
      after: [],
      run: async () => log.push(id) > 0,
      blocked: () => undefined,
    })),
  ]
  const done = schedule(tasks, { parallel: 1, stop: never })
  await new Promise((resolve) => setImmediate(resolve))
  expect(log).toEqual(['x', 'y'])
  finish()
  await done
})

test('tasks that wait for each other are blocked, not waited for', async () => {
  const { log, tasks } = world({ a: ['b'], b: ['a'] })
  await schedule(tasks, { parallel: 1, stop: never })
  expect(log).toEqual(['!a', '!b'])
})

test('an empty graph is done at once, and ids that are not in it count as done', async () => {
  await schedule([], { parallel: 1, stop: never })
  const { tasks, open, log } = world({ a: ['gone'] })
  const done = schedule(tasks, { parallel: 1, stop: never })
  await open('a')
  await done
  expect(log).toEqual(['+a', '-a'])
})

test('what only follows waits for the end of the other, and runs though it failed or was blocked', async () => {
  const { log, tasks, open } = world({ a: [], b: ['a'], c: [], d: [] }, ['a'])
  const following = tasks.map((task) => {
    if (task.id === 'c') return { ...task, follows: ['a'] }
    return task.id === 'd' ? { ...task, follows: ['b', 'nobody'] } : task
  })
  const done = schedule(following, { parallel: 10, stop: never })
  expect(log).toEqual(['+a'])
  await open('a')
  await open('c')
  await open('d')
  await done
  expect(log.slice(0, 3)).toEqual(['+a', '-a', '!b<a'])
  expect(log.slice(3, 5).toSorted()).toEqual(['+c', '+d'])
})

test('what follows and depends is blocked by what it depends on', async () => {
  const { log, tasks, open } = world({ a: [], b: ['a'] }, ['a'])
  const done = schedule(
    tasks.map((task) => (task.id === 'b' ? { ...task, follows: ['a'] } : task)),
    { parallel: 10, stop: never },
  )
  await open('a')
  await done
  expect(log).toEqual(['+a', '-a', '!b<a'])
})
