import { beforeEach, describe, expect, test } from 'vitest'
import { Desk, Note, outline, Service } from './world.ts'

let desk: Desk
const config = (content: string) => Note({ path: '/etc/app', content })
const project = (content: string, flavour?: string) => {
  const cause = config(content)
  return [cause, Service({ name: 'app', restartOn: [cause], ...(flavour === undefined ? {} : { flavour }) })]
}
const run = () => desk.place.running.get('app')?.run

beforeEach(async () => {
  desk = new Desk()
  await desk.apply(project('one'))
})

test('a fresh start satisfies the reaction: nothing is restarted, now or in the next pass', async () => {
  expect(run()).toBe(1)
  expect(outline(await desk.plan(project('one')))).toEqual([])
  await desk.apply(project('one'))
  expect(run()).toBe(1)
})

test('a change of the cause shows in the plan as a reaction, and runs it once', async () => {
  expect(outline(await desk.plan(project('two')))).toEqual([
    'update Note:/etc/app',
    'react Service:app restartOn(Note:/etc/app)',
  ])
  await desk.apply(project('two'))
  expect(run()).toBe(2)
  await desk.apply(project('two'))
  expect(run()).toBe(2)
})

test('a repaired drift counts as a change, although the content is what it was', async () => {
  desk.place.disk.write('/etc/app', 'tampered')
  await desk.apply(project('one'))
  expect(run()).toBe(2)
})

test('a change that somebody made by hand just as the project now says is not missed', async () => {
  desk.place.disk.write('/etc/app', 'two')
  expect(outline(await desk.plan(project('two')))).toEqual(['react Service:app restartOn(Note:/etc/app)'])
  await desk.apply(project('two'))
  expect(run()).toBe(2)
})

test('many causes make one run', async () => {
  const notes = (content: string) => ['/etc/a', '/etc/b', '/etc/c'].map((path) => Note({ path, content }))
  const all = (content: string) => {
    const causes = notes(content)
    return [causes, Service({ name: 'many', restartOn: causes })]
  }
  await desk.apply([project('one'), all('one')])
  const before = desk.place.running.get('many')?.run ?? 0
  await desk.apply([project('one'), all('two')])
  expect(desk.place.running.get('many')?.run).toBe(before + 1)
})

test('is held back while a cause has failed, and due afterwards', async () => {
  desk.place.faults.fail(({ port, method }) => port === 'files' && method === 'writeFile', 'ENOSPC', 1)
  const result = await desk.apply(project('two'))
  expect(result.outcomes).toMatchObject({ failure: 1, blocked: 1 })
  expect(run()).toBe(1)
  await desk.apply(project('two'))
  expect(run()).toBe(2)
})

test('a change that starts the service anew satisfies it: it is not started twice', async () => {
  expect(outline(await desk.plan(project('two', 'spicy')))).toEqual([
    'update Note:/etc/app',
    'update Service:app restartOn(Note:/etc/app)',
  ])
  await desk.apply(project('two', 'spicy'))
  expect(run()).toBe(2)
})

describe('killed between the change and the restart', () => {
  test('the next pass restarts, at every moment of the pass', async () => {
    // Counts the writes of one pass, then kills at each of them.
    desk.place.faults.forget()
    await desk.apply(project('two'))
    const writes = desk.place.writes.length
    expect(writes).toBeGreaterThan(4)
    for (let n = 1; n <= writes; n++)
      for (const moment of ['before', 'after'] as const) {
        const again = new Desk()
        await again.apply(project('one'))
        again.place.faults.killAt(n, moment)
        await again.apply(project('two')).catch(() => undefined)
        again.place.restart()
        await again.apply(project('two'))
        expect(again.place.running.get('app')?.run, `killed ${moment} write ${n}`).toBeGreaterThanOrEqual(2)
        expect(outline(await again.plan(project('two')))).toEqual([])
      }
  })
})

test('a cause that is another reaction’s Score passes the change on', async () => {
  const chain = (content: string) => {
    const cause = config(content)
    const first = Service({ name: 'first', restartOn: [cause] })
    return [cause, first, Service({ name: 'second', restartOn: [first] })]
  }
  await desk.apply(chain('one'), { allowRemoval: true })
  const before = desk.place.running.get('second')?.run ?? 0
  expect(outline(await desk.plan(chain('two')))).toEqual([
    'update Note:/etc/app',
    'react Service:first restartOn(Note:/etc/app)',
    'react Service:second restartOn(Service:first)',
  ])
  await desk.apply(chain('two'))
  expect(desk.place.running.get('second')?.run).toBeGreaterThan(before)
  expect(outline(await desk.plan(chain('two')))).toEqual([])
})

test('after a lost ledger nothing is restarted: what is as wanted is taken over', async () => {
  const other = new Desk(desk.place, 'site', 'lineage-1')
  for (const file of [...desk.place.home.stored.keys()]) await desk.place.home.remove(file)
  await other.apply(project('one'))
  expect(run()).toBe(1)
})
