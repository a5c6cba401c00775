import { HarmonyError } from '@harmony-iac/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { Desk, Folder, Note, outcomes, outline, Service } from './world.ts'

let desk: Desk
beforeEach(() => {
  desk = new Desk()
})
const a = (content = 'a') => Note({ path: '/srv/a', content })
const b = (content = 'b') => Note({ path: '/srv/b', content })

describe('a plan', () => {
  test('writes nothing, whatever it finds', async () => {
    await desk.apply([a(), b(), Folder({ path: '/srv/x.pure' })])
    desk.place.disk.write('/srv/a', 'tampered')
    desk.place.disk.write('/srv/x.pure/y', 'foreign')
    desk.place.faults.forget()
    const before = desk.place.snapshot()
    const plan = await desk.plan([a('new'), Folder({ path: '/srv/x.pure' }), Service({ name: 's' })])
    expect(outline(plan)).toHaveLength(4)
    await desk.drift()
    expect(desk.place.writes).toEqual([])
    expect(desk.place.snapshot()).toEqual(before)
  })

  test('is the same twice, to the digest', async () => {
    expect((await desk.plan([a(), b()])).digest).toBe((await desk.plan([a(), b()])).digest)
  })

  test('goes through JSON and is carried out all the same', async () => {
    const maestro = await desk.open([a(), b()])
    await maestro.lock({ waitMs: 0 })
    const plan = JSON.parse(JSON.stringify(await maestro.plan())) as Awaited<ReturnType<typeof maestro.plan>>
    expect((await maestro.apply(plan)).outcomes.success).toBe(2)
    await maestro.close()
  })

  test('that was edited is refused', async () => {
    const maestro = await desk.open([a(), b()])
    await maestro.lock({ waitMs: 0 })
    const plan = await maestro.plan()
    await expect(maestro.apply({ ...plan, steps: plan.steps.slice(1) })).rejects.toMatchObject({
      code: 'plan-stale',
    })
    await maestro.close()
  })
})

describe('a plan from before the lock', () => {
  test('stands when nobody has written the ledger until then', async () => {
    await desk.apply([a()])
    const maestro = await desk.open([a('new')])
    const plan = await maestro.plan()
    expect(await maestro.lock({ waitMs: 0 })).toBe(true)
    expect((await maestro.apply(plan)).outcomes.success).toBe(1)
    await maestro.close()
  })

  test('does not stand otherwise, and the next one knows what was written', async () => {
    await desk.apply([a(), b()])
    const maestro = await desk.open([a()])
    expect(outline(await maestro.plan())).toHaveLength(1)
    await desk.apply([a()])
    expect(await maestro.lock({ waitMs: 0 })).toBe(false)
    expect(outline(await maestro.plan())).toEqual([])
    await maestro.close()
  })
})

describe('between plan and apply', () => {
  const planThen = async (change: () => void) => {
    await desk.apply([a(), b()])
    const maestro = await desk.open([a('new'), b('new')])
    await maestro.lock({ waitMs: 0 })
    const plan = await maestro.plan()
    change()
    const result = await maestro.apply(plan)
    await maestro.close()
    return result
  }

  test('something that changed to another value stops that step, which says what moved, and no other', async () => {
    const result = await planThen(() => desk.place.disk.write('/srv/a', 'by hand'))
    expect(outcomes(result)).toEqual({ 'Note:/srv/a': 'failure: plan-stale', 'Note:/srv/b': 'success' })
    expect(result.results.find((each) => each.outcome === 'failure')?.error?.message).toBe(
      'has changed since the plan was shown: content',
    )
    expect(desk.place.disk.read('/srv/a')).toBe('by hand')
  })

  test('something that became as wanted is a noop', async () => {
    const result = await planThen(() => desk.place.disk.write('/srv/a', 'new'))
    expect(outcomes(result)).toEqual({ 'Note:/srv/a': 'noop', 'Note:/srv/b': 'success' })
    expect(result.changed).toBe(1)
  })

  test('something that appeared where nothing was is not overwritten', async () => {
    const maestro = await desk.open([a()])
    await maestro.lock({ waitMs: 0 })
    const plan = await maestro.plan()
    desk.place.disk.write('/srv/a', 'theirs')
    expect(outcomes(await maestro.apply(plan))).toEqual({ 'Note:/srv/a': 'failure: plan-stale' })
    await maestro.close()
    expect(desk.place.disk.read('/srv/a')).toBe('theirs')
    expect(await desk.ledger()).toEqual([])
  })
})

describe('a saved plan that is old by now', () => {
  const savedFrom = async (scores: Parameters<Desk['plan']>[0]) => await desk.plan(scores)
  const carryOut = async (plan: Awaited<ReturnType<Desk['plan']>>, scores: Parameters<Desk['plan']>[0]) => {
    const maestro = await desk.open(scores)
    await maestro.lock({ waitMs: 0 })
    const result = await maestro.apply(plan)
    await maestro.close()
    return outcomes(result)
  }
  const x = (content: string, more = {}) => Note({ path: '/srv/x', content, ...more })

  test.each([
    ['is in the project again', {}],
    ['is protected and retained by now', { protect: true, retain: true }],
  ])('does not remove what %s', async (_, more) => {
    await desk.apply([x('x1'), a(), b()])
    const plan = await savedFrom([a(), b()])
    await desk.apply([x('precious', more), a(), b()])
    expect(await carryOut(plan, [x('precious', more), a(), b()])).toMatchObject({
      'Note:/srv/x': 'failure: plan-stale',
    })
    expect(desk.place.disk.read('/srv/x')).toBe('precious')
  })

  test('does not remove what was applied anew since', async () => {
    await desk.apply([x('x1'), a(), b()])
    const plan = await savedFrom([a(), b()])
    await desk.apply([x('x2'), a(), b()])
    expect(await carryOut(plan, [a(), b()])).toMatchObject({ 'Note:/srv/x': 'failure: plan-stale' })
  })

  test('does not purge what somebody claims by now', async () => {
    const pure = Folder({ path: '/srv/x.pure' })
    await desk.apply([pure, a()])
    desk.place.disk.write('/srv/x.pure/f', 'f')
    const plan = await savedFrom([pure, a()])
    const wanted = [pure, a(), Note({ path: '/srv/x.pure/f', content: 'f' })]
    await desk.apply(wanted)
    expect(await carryOut(plan, wanted)).toMatchObject({
      'Folder:/srv/x.pure#surplus': 'failure: plan-stale',
    })
    expect(desk.place.disk.read('/srv/x.pure/f')).toBe('f')
  })
})

describe('converged is verified', () => {
  test('a change that does not hold is a failure that lists what differs', async () => {
    desk.place.faults.fail(({ method, subject }) => method === 'writeFile' && subject === '/never', 'EIO')
    const writeFile = desk.place.files.writeFile.bind(desk.place.files)
    desk.place.files.writeFile = async (path, content, options) => {
      await writeFile(path, content, options)
      desk.place.disk.write(path, 'undone by somebody')
    }
    const result = await desk.apply([a()])
    expect(outcomes(result)).toEqual({ 'Note:/srv/a': 'failure: not-converged' })
    expect(desk.events.find((event) => event.type === 'finished')).toMatchObject({
      differences: [{ path: 'content', from: 'undone by somebody', to: 'a' }],
    })
  })

  test('what settles is waited for, outside the slots', async () => {
    desk.place.startsAfter = 5
    const services = ['s1', 's2', 's3'].map((name) => Service({ name }))
    const result = await desk.apply(services, { parallel: 1 })
    expect(result.outcomes.success).toBe(3)
    const order = desk.events.flatMap((event) =>
      event.type === 'settling' || event.type === 'finished' ? [`${event.type} ${event.address}`] : [],
    )
    expect(order.slice(0, 3)).toEqual(['settling Service:s1', 'settling Service:s2', 'settling Service:s3'])
  })

  test('what does not settle in time fails', async () => {
    desk.place.startsAfter = Number.POSITIVE_INFINITY
    expect(outcomes(await desk.apply([Service({ name: 's' })]))).toEqual({
      'Service:s': 'failure: not-converged',
    })
    expect(desk.place.clock.now()).toBeGreaterThanOrEqual(10_000)
  })

  test('what depends on it waits until it has settled', async () => {
    desk.place.startsAfter = 3
    const service = Service({ name: 's' })
    await desk.apply([service, Note({ path: '/srv/after', content: 'x', after: [service] })])
    const order = desk.events.flatMap((event) =>
      event.type === 'finished' || event.type === 'started' ? [`${event.type} ${event.address}`] : [],
    )
    expect(order).toEqual([
      'started Service:s',
      'finished Service:s',
      'started Note:/srv/after',
      'finished Note:/srv/after',
    ])
  })
})

describe('a failure', () => {
  test('blocks only what depends on it; the next apply completes', async () => {
    desk.place.faults.fail(
      ({ method, subject }) => method === 'makeDirectory' && subject === '/srv/dir',
      'EACCES',
      1,
    )
    const all = [Folder({ path: '/srv/dir' }), Note({ path: '/srv/dir/x', content: 'x' }), a()]
    const result = await desk.apply(all)
    expect(outcomes(result)).toEqual({
      'Folder:/srv/dir': 'failure: system',
      'Note:/srv/dir/x': 'blocked: blocked',
      'Note:/srv/a': 'success',
    })
    expect(await desk.ledger()).toEqual(['Note:/srv/a'])
    expect((await desk.apply(all)).outcomes).toMatchObject({ success: 2, failure: 0 })
  })

  test('to create leaves nothing behind that would make what appears there later ours', async () => {
    desk.place.faults.fail(({ method }) => method === 'writeFile', 'ENOSPC', 1)
    await desk.apply([a()])
    expect(await desk.ledger()).toEqual([])
    desk.place.disk.write('/srv/a', 'somebody else’s')
    expect((await desk.plan([a()])).conflicts).toMatchObject([{ type: 'exists', address: 'Note:/srv/a' }])
  })

  test('to replace what differs leaves the old one in place', async () => {
    await desk.apply([a('good')])
    desk.place.faults.fail(({ method }) => method === 'writeFile', new Error('the candidate is refused'), 1)
    await desk.apply([a('bad')], { replace: ['Note:/srv/a'] })
    expect(desk.place.disk.read('/srv/a')).toBe('good')
  })

  test('to observe stops everything before anything is written', async () => {
    desk.place.faults.fail(({ method, subject }) => method === 'inspect' && subject === '/srv/b', 'EACCES')
    const plan = await desk.plan([a(), b()])
    expect(plan.failures).toMatchObject([{ address: 'Note:/srv/b', code: 'system' }])
    await expect(desk.apply([a(), b()])).rejects.toMatchObject({ code: 'plan-stale' })
    expect(desk.place.disk.exists('/srv/a')).toBe(false)
  })

  test('that a change of the same plan cannot cure is told at once: an unknown user', async () => {
    desk.place.faults.fail(
      ({ subject }) => subject === '/srv/dir/x',
      new HarmonyError('no-such-user', 'there is no user nobodyx'),
    )
    const all = [Folder({ path: '/srv/dir' }), Note({ path: '/srv/dir/x', content: 'x' })]
    expect((await desk.plan(all)).failures).toMatchObject([
      { address: 'Note:/srv/dir/x', code: 'no-such-user' },
    ])
    await expect(desk.apply(all)).rejects.toMatchObject({ code: 'plan-stale' })
    expect(desk.place.disk.exists('/srv/dir')).toBe(false)
  })

  test('that a change of the same plan may cure is deferred', async () => {
    desk.place.faults.fail(({ subject }) => subject === '/srv/dir/x', 'ELOOP', 1)
    const all = [Folder({ path: '/srv/dir' }), Note({ path: '/srv/dir/x', content: 'x' })]
    expect(outline(await desk.plan(all))).toEqual(['create Folder:/srv/dir', 'deferred Note:/srv/dir/x'])
    expect((await desk.apply(all)).outcomes.success).toBe(2)
  })

  test('of the ledger’s disk leaves the thing alone: no change without its intent', async () => {
    desk.place.faults.fail(({ port, method }) => port === 'home' && method === 'append', 'ENOSPC')
    const result = await desk.apply([a()]).catch((error: unknown) => error)
    expect(desk.place.disk.exists('/srv/a')).toBe(false)
    expect(JSON.stringify(result)).toContain('system')
  })
})

describe('outputs', () => {
  const source = (content: string) => Note({ path: '/srv/source', content })
  const project = (content: string) => {
    const from = source(content)
    return [Service({ name: 'app', flavour: from.out.length }), from]
  }
  test('are known in the plan when their Score does not change, otherwise the step is deferred', async () => {
    expect(outline(await desk.plan(project('four')))).toEqual([
      'create Note:/srv/source',
      'deferred Service:app',
    ])
    await desk.apply(project('four'))
    expect(desk.place.running.get('app')?.flavour).toBe('4')
    expect(outline(await desk.plan(project('four')))).toEqual([])
    await desk.apply(project('longer'))
    expect(desk.place.running.get('app')?.flavour).toBe('6')
  })
  test('are a clear error when the kind does not have them', async () => {
    const from = source('x')
    const plan = await desk.plan([
      from,
      Service({ name: 'app', flavour: (from.out as unknown as Record<string, never>).nothing as never }),
    ])
    await desk.apply([from])
    expect(plan.steps).toHaveLength(2)
    const failed = await desk.plan([
      from,
      Service({ name: 'app', flavour: (from.out as unknown as Record<string, never>).nothing as never }),
    ])
    expect(failed.failures).toMatchObject([
      { code: 'unresolved-reference', message: 'Note:/srv/source has no output nothing' },
    ])
  })
})

describe('targets', () => {
  test('include what they depend on and leave the rest, removals as well', async () => {
    await desk.apply([a(), b(), Note({ path: '/srv/old', content: 'x' })])
    const all = [Folder({ path: '/srv/dir' }), Note({ path: '/srv/dir/x', content: 'x' }), a('new'), b('new')]
    const plan = await desk.plan(all, { targets: ['Note:/srv/dir/*'] })
    expect(outline(plan)).toEqual(['create Folder:/srv/dir', 'create Note:/srv/dir/x'])
    expect(plan.notes).toEqual(['included, because targets depend on them: Folder:/srv/dir'])
    await desk.apply(all, { targets: ['Note:/srv/dir/*'] })
    expect(desk.place.disk.read('/srv/a')).toBe('a')
    expect(desk.place.disk.read('/srv/old')).toBe('x')
  })
})

test('a project that owns nothing and applies nothing leaves no trace', async () => {
  await desk.apply([])
  await desk.apply([], { destroy: true })
  expect([...desk.place.home.stored.keys()]).toEqual([])
  expect(desk.place.writes.map((call) => call.method)).toContain('dissolve')
})

describe('--replace', () => {
  test('that matches nothing is an error, not an empty plan', async () => {
    await expect(desk.plan([a()], { replace: ['Note:/nope'] })).rejects.toMatchObject({
      code: 'usage',
      message: '--replace Note:/nope matches no Score',
    })
  })
  test('makes a thing anew although it is as wanted', async () => {
    await desk.apply([Service({ name: 's' })])
    expect(outline(await desk.plan([Service({ name: 's' })], { replace: ['Service:s'] }))).toEqual([
      'replace Service:s',
    ])
    await desk.apply([Service({ name: 's' })], { replace: ['Service:s'] })
    expect(desk.place.running.get('s')?.run).toBe(2)
  })
})

describe('drift', () => {
  test('compares with what was applied, not with edits of the project', async () => {
    await desk.apply([a(), b()])
    expect(await desk.drift()).toEqual({ entries: [], unchanged: 2 })
    desk.place.disk.write('/srv/a', 'tampered')
    desk.place.disk.remove('/srv/b')
    expect((await desk.drift()).entries).toMatchObject([
      {
        address: 'Note:/srv/a',
        status: 'changed',
        differences: [{ path: 'content', from: 'tampered', to: 'a' }],
      },
      { address: 'Note:/srv/b', status: 'missing' },
    ])
  })
})
