import { describe, expect, test } from 'vitest'
import { Desk, Folder, Note, outcomes, outline, Place, Service } from './world.ts'

const project = () => [
  Folder({ path: '/srv/x.pure' }),
  ['1', '2', '3'].map((n) => Note({ path: `/srv/x.pure/${n}`, content: n })),
  Service({ name: 's' }),
]
const changed = () => [
  Folder({ path: '/srv/x.pure' }),
  ['2', '3', '4'].map((n) => Note({ path: `/srv/x.pure/${n}`, content: `${n}!` })),
  Service({ name: 's', flavour: 'new' }),
]

/** How many writes a pass makes. */
async function writesOf(
  prepare: (desk: Desk) => Promise<unknown>,
  pass: (desk: Desk) => Promise<unknown>,
): Promise<number> {
  const desk = new Desk()
  await prepare(desk)
  desk.place.faults.forget()
  await pass(desk)
  return desk.place.writes.length
}

describe.each([
  ['first apply', async () => undefined, project],
  ['change', (desk: Desk) => desk.apply(project()), changed],
] as const)('a %s that is killed', (_, prepare, wanted) => {
  test('before or after any write is completed by the next one, and leaves nothing behind', async () => {
    const reference = new Desk()
    await prepare(reference)
    await reference.apply(wanted())
    const writes = await writesOf(prepare as (desk: Desk) => Promise<unknown>, (desk) => desk.apply(wanted()))
    expect(writes).toBeGreaterThanOrEqual(8)
    for (let n = 1; n <= writes; n++)
      for (const moment of ['before', 'after'] as const) {
        const desk = new Desk()
        await prepare(desk)
        desk.place.faults.killAt(n, moment)
        await desk.apply(wanted()).catch(() => undefined)
        desk.place.restart()
        const at = `killed ${moment} write ${n} of ${writes}`
        await desk.apply(wanted())
        expect(desk.place.snapshot(), at).toEqual(reference.place.snapshot())
        expect(outline(await desk.plan(wanted())), at).toEqual([])
        expect(await desk.ledger(), at).toEqual(await reference.ledger())
      }
  })
})

test('a destroy that is killed at any write is completed by the next one', async () => {
  const empty = new Place().snapshot()
  const writes = await writesOf(
    (desk) => desk.apply(project()),
    (desk) => desk.apply([], { destroy: true }),
  )
  for (let n = 1; n <= writes; n++)
    for (const moment of ['before', 'after'] as const) {
      const desk = new Desk()
      await desk.apply(project())
      desk.place.faults.killAt(n, moment)
      await desk.apply([], { destroy: true }).catch(() => undefined)
      desk.place.restart()
      await desk.apply([], { destroy: true })
      expect(desk.place.snapshot(), `killed ${moment} write ${n}`).toEqual(empty)
      expect([...desk.place.home.stored.keys()], `killed ${moment} write ${n}`).toEqual([])
    }
})

test('a killed first apply does not turn what somebody else then puts there into ours silently', async () => {
  const desk = new Desk()
  desk.place.faults.killAt(2, 'before')
  await desk.apply([Note({ path: '/srv/a', content: 'a' })]).catch(() => undefined)
  desk.place.restart()
  expect((await desk.plan([Note({ path: '/srv/a', content: 'a' })])).steps[0]).toMatchObject({
    reasons: ['an earlier apply did not finish this'],
  })
})

test('stop: nothing new starts, what runs is finished, the rest is told', async () => {
  const desk = new Desk()
  const stop = new AbortController()
  const first = Note({ path: '/srv/1', content: '1' })
  const second = Note({ path: '/srv/2', content: '2', after: [first] })
  const writeFile = desk.place.files.writeFile.bind(desk.place.files)
  desk.place.files.writeFile = async (...given) => {
    stop.abort()
    await writeFile(...given)
  }
  const result = await desk.apply([first, second], { stop: stop.signal })
  expect(result.interrupted).toBe(true)
  expect(outcomes(result)).toEqual({ 'Note:/srv/1': 'success', 'Note:/srv/2': 'blocked: interrupted' })
  expect(await desk.ledger()).toEqual(['Note:/srv/1'])
})

test('abort: the step that runs is told, fails as interrupted, and the next apply completes it', async () => {
  const desk = new Desk()
  desk.place.startsAfter = Number.POSITIVE_INFINITY
  const abort = new AbortController()
  const pass = desk.apply([Service({ name: 's' })], { abort: abort.signal })
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  const result = await pass
  expect(outcomes(result)).toEqual({ 'Service:s': 'failure: interrupted' })
  desk.place.startsAfter = 0
  desk.place.running.clear()
  expect((await desk.apply([Service({ name: 's' })])).outcomes.success).toBe(1)
})

test('a lost lock stops everything', async () => {
  const desk = new Desk()
  const maestro = await desk.open([Note({ path: '/srv/1', content: '1' })])
  await maestro.lock({ waitMs: 0 })
  const plan = await maestro.plan()
  desk.place.home.loseLock()
  const result = await maestro.apply(plan)
  expect(result.interrupted).toBe(true)
  expect(result.lost).toBeDefined()
  expect(desk.place.disk.exists('/srv/1')).toBe(false)
})

test('two at once: the second is told who holds the lock', async () => {
  const desk = new Desk()
  const maestro = await desk.open([])
  await maestro.lock({ waitMs: 0 })
  await expect(desk.apply([Note({ path: '/srv/1', content: '1' })])).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringContaining('a test'),
  })
  await maestro.close()
})
