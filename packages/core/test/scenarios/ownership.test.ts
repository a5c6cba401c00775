import { defineScore, missing } from '@harmony-iac/core'
import { beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { Daemons, Desk, Folder, Note, outcomes, outline, Place } from './world.ts'

/** A Score whose identity is only a name for what it claims. */
const Label = defineScore({
  kind: 'Label',
  version: 1,
  needs: [Daemons],
  spec: z.strictObject({ name: z.string(), daemon: z.string() }),
  identity: (spec) => spec.name,
  claims: (spec) => [{ type: 'name', space: 'daemon', name: spec.daemon }],
  interpret: {
    observe: async (spec, on) => ({ daemon: await on.daemons.look(spec.daemon) }),
    compare: (_, { daemon }) => (daemon ? [] : [missing('daemon')]),
    converge: async (spec, on) => on.daemons.start(spec.daemon, ''),
    remove: async ({ spec }, on) => on.daemons.stop(spec.daemon),
  },
})

let desk: Desk
beforeEach(() => {
  desk = new Desk()
})
const a = (content = 'a', more = {}) => Note({ path: '/srv/a', content, ...more })
const b = (content = 'b', more = {}) => Note({ path: '/srv/b', content, ...more })
const c = Note({ path: '/srv/c', content: 'c' })
const d = Note({ path: '/srv/d', content: 'd' })

describe('a thing that exists and is not ours', () => {
  test('is taken over silently when it is as wanted', async () => {
    desk.place.disk.write('/srv/a', 'a')
    const plan = await desk.plan([a()])
    expect(outline(plan)).toEqual([])
    expect(plan.steps[0]).toMatchObject({ adopts: true, records: true })
    await desk.apply([a()])
    expect(await desk.ledger()).toEqual(['Note:/srv/a'])
  })

  test('is a conflict when it differs: nothing runs', async () => {
    desk.place.disk.write('/srv/a', 'theirs')
    const plan = await desk.plan([a(), b()])
    expect(plan.conflicts).toMatchObject([{ type: 'exists', address: 'Note:/srv/a' }])
    await expect(desk.apply([a(), b()])).rejects.toMatchObject({ code: 'plan-conflict' })
    expect(desk.place.disk.exists('/srv/b')).toBe(false)
  })

  test.each([
    ['the Score’s option', { adopt: true }, {}],
    ['the command’s flag', {}, { adopt: true }],
  ])('is adopted with %s, and put back on removal', async (_, option, flag) => {
    desk.place.disk.write('/srv/a', 'theirs', { mode: '0600' })
    const before = desk.place.snapshot()
    await desk.apply([a('ours', option)], flag)
    expect(desk.place.disk.read('/srv/a')).toBe('ours')
    await desk.apply([a('ours, later', option)])
    await desk.apply([], { destroy: true })
    expect(desk.place.snapshot()).toEqual(before)
  })

  test('is kept before the first change, wherever the adoption is killed', async () => {
    desk.place.disk.write('/srv/a', 'theirs')
    const before = desk.place.snapshot()
    await desk.apply([a('ours', { adopt: true })])
    const writes = desk.place.writes.length
    for (let n = 1; n <= writes; n++) {
      const again = new Desk(new Place({ files: { '/srv/a': 'theirs' } }))
      again.place.faults.killAt(n, 'after')
      await again.apply([a('ours', { adopt: true })]).catch(() => undefined)
      again.place.restart()
      await again.apply([a('ours', { adopt: true })])
      await again.apply([], { destroy: true })
      expect(again.place.disk.read('/srv/a'), `killed after write ${n}`).toBe('theirs')
    }
    expect(before['/srv/a']).toBeDefined()
  })
})

describe('removal', () => {
  beforeEach(async () => {
    await desk.apply([a(), b(), c, d])
  })

  test('what left the project goes', async () => {
    expect(outline(await desk.plan([a(), b(), c]))).toEqual(['remove Note:/srv/d'])
    await desk.apply([a(), b(), c])
    expect(desk.place.disk.exists('/srv/d')).toBe(false)
    expect(await desk.ledger()).toEqual(['Note:/srv/a', 'Note:/srv/b', 'Note:/srv/c'])
  })

  test('of more than half asks for a flag', async () => {
    expect((await desk.plan([a(), b()])).conflicts).toEqual([])
    expect((await desk.plan([a()])).conflicts).toMatchObject([
      { type: 'mass-removal', message: '3 of the 4 things of this project would be removed' },
    ])
    await desk.apply([a()], { allowRemoval: true })
    expect(await desk.ledger()).toEqual(['Note:/srv/a'])
  })

  test('of everything, because the project is empty, asks as well', async () => {
    await desk.apply([a()], { allowRemoval: true })
    expect((await desk.plan([])).conflicts).toMatchObject([{ type: 'mass-removal' }])
  })

  test('destroy takes everything, the ledger last', async () => {
    await desk.apply([], { destroy: true })
    expect(desk.place.disk.paths('/srv').filter((path) => path !== '/srv')).toEqual([])
    expect([...desk.place.home.stored.keys()]).toEqual([])
  })

  test('goes the other way than creation: what is inside before what is around it', async () => {
    const inside = Note({ path: '/srv/site/page', content: 'x' })
    await desk.apply([a(), b(), c, d, Folder({ path: '/srv/site' }), inside])
    const plan = await desk.plan([a(), b(), c, d])
    expect(outline(plan)).toEqual(['remove Note:/srv/site/page', 'remove Folder:/srv/site'])
    await desk.apply([a(), b(), c, d])
    expect(desk.place.disk.exists('/srv/site')).toBe(false)
  })

  test('does not count what only makes room for another kind at the same place', async () => {
    await new Desk(desk.place).apply([], { destroy: true })
    await desk.apply([a()])
    expect((await desk.plan([Folder({ path: '/srv/a' })])).conflicts).toEqual([])
  })

  test('waits for what replaces it, and does not happen when that fails', async () => {
    desk.place.faults.fail(
      ({ method, subject }) => method === 'writeFile' && subject === '/srv/new',
      'ENOSPC',
      1,
    )
    const result = await desk.apply([a(), b(), c, Note({ path: '/srv/new', content: 'x' })])
    expect(outcomes(result)).toMatchObject({
      'Note:/srv/new': 'failure: system',
      'Note:/srv/d': 'blocked: blocked',
    })
    expect(desk.place.disk.read('/srv/d')).toBe('d')
  })

  test('comes first where the new one claims the same', async () => {
    const next = [a(), b(), c, Folder({ path: '/srv/d' }), Note({ path: '/srv/d/inside', content: 'x' })]
    expect(outline(await desk.plan(next))).toEqual([
      'replace Folder:/srv/d',
      'create Note:/srv/d/inside',
      'remove Note:/srv/d',
    ])
    const result = await desk.apply(next)
    expect(result.outcomes).toMatchObject({ failure: 0, blocked: 0 })
    expect(desk.place.disk.read('/srv/d/inside')).toBe('x')
    expect(outline(await desk.plan(next))).toEqual([])
  })
})

describe('protect', () => {
  test('forbids removal, also when the code is gone', async () => {
    await desk.apply([a('a', { protect: true }), b(), c])
    expect((await desk.plan([b(), c])).conflicts).toMatchObject([
      { type: 'protected', address: 'Note:/srv/a' },
    ])
    expect((await desk.plan([], { destroy: true })).conflicts).toMatchObject([{ type: 'protected' }])
  })
  test('is lifted by an apply that says so', async () => {
    await desk.apply([a('a', { protect: true }), b(), c])
    await desk.apply([a('a', { protect: false }), b(), c])
    expect((await desk.plan([b(), c])).conflicts).toEqual([])
  })
  test('forbids replacement', async () => {
    await desk.apply([a('a', { protect: true })])
    expect(
      (await desk.plan([a('a', { protect: true })], { replace: ['Note:/srv/a'] })).conflicts,
    ).toMatchObject([{ type: 'protected' }])
  })
  test('is not lifted by the very change that it is to prevent', async () => {
    await desk.apply([a('a', { protect: true }), b()])
    const plan = await desk.plan([a(), b()], { replace: ['Note:/srv/?'] })
    expect(plan.conflicts).toMatchObject([{ type: 'protected', address: 'Note:/srv/a' }])
  })
  test('permits a change in place', async () => {
    await desk.apply([a('a', { protect: true })])
    expect((await desk.apply([a('b', { protect: true })])).outcomes.success).toBe(1)
  })
})

test('retain in a folder that is kept pure is a conflict: the next apply would delete it', async () => {
  const pure = Folder({ path: '/srv/r.pure' })
  await desk.apply([pure, Note({ path: '/srv/r.pure/db', content: 'x', retain: true }), a(), b()])
  const plan = await desk.plan([pure, a(), b()])
  expect(plan.conflicts).toMatchObject([
    {
      address: 'Note:/srv/r.pure/db',
      message: expect.stringContaining('Folder:/srv/r.pure keeps its folder pure'),
    },
  ])
})

test('a folder is not forgotten while what is in it stays', async () => {
  const folder = Folder({ path: '/srv/f' })
  await desk.apply([folder, Note({ path: '/srv/f/x', content: 'x' }), a(), b()])
  expect(outline(await desk.plan([], { destroy: true, targets: ['Folder:/srv/f'] }))).toEqual([
    'remove Note:/srv/f/x',
    'remove Folder:/srv/f',
  ])
})

test('retain leaves the thing in place and forgets it, also when the code is gone', async () => {
  await desk.apply([a('a', { retain: true }), b(), c])
  expect(outline(await desk.plan([b(), c]))).toEqual(['forget Note:/srv/a'])
  await desk.apply([b(), c])
  expect(desk.place.disk.read('/srv/a')).toBe('a')
  expect(await desk.ledger()).toEqual(['Note:/srv/b', 'Note:/srv/c'])
})

describe('formerly', () => {
  test('renames what is the same thing without touching it', async () => {
    const label = (name: string, more = {}) => Label({ name, daemon: 'app', ...more })
    await desk.apply([label('old', { protect: true }), a()])
    const { run } = desk.place.running.get('app') ?? {}
    expect(outline(await desk.plan([label('new', { formerly: ['old'] }), a()]))).toEqual([])
    await desk.apply([label('new', { formerly: ['Label:old'] }), a()])
    expect(desk.place.running.get('app')?.run).toBe(run)
    expect(await desk.ledger()).toEqual(['Label:new', 'Note:/srv/a'])
  })
  test('moves a thing whose place changed: the new one first, then the old one goes', async () => {
    await desk.apply([a(), b(), c])
    const moved = [Note({ path: '/srv/z', content: 'a', formerly: ['/srv/a'], protect: true }), b(), c]
    const plan = await desk.plan(moved)
    expect(plan.conflicts).toEqual([])
    expect(plan.steps[0]).toMatchObject({ action: 'create', renamedFrom: 'Note:/srv/a' })
    await desk.apply(moved)
    expect(desk.place.disk.exists('/srv/a')).toBe(false)
    expect(desk.place.disk.read('/srv/z')).toBe('a')
    expect(await desk.ledger()).toEqual(['Note:/srv/b', 'Note:/srv/c', 'Note:/srv/z'])
    expect(outline(await desk.plan(moved))).toEqual([])
  })
})

describe('formerly, wrongly used', () => {
  test('takes nothing from a Score that is still wanted', async () => {
    await desk.apply([a(), b()])
    const wanted = [a(), b(), Note({ path: '/srv/z', content: 'z', formerly: ['/srv/a'] })]
    await desk.apply(wanted)
    expect(desk.place.disk.read('/srv/a')).toBe('a')
    expect(outline(await desk.plan(wanted))).toEqual([])
  })
  test('shifts a chain without losing any of it', async () => {
    await desk.apply([a('1'), b('2'), d])
    const shifted = [
      b('1', { formerly: ['/srv/a'] }),
      Note({ path: '/srv/c', content: '2', formerly: ['/srv/b'] }),
      d,
    ]
    await desk.apply(shifted)
    expect(['a', 'b', 'c'].map((each) => desk.place.disk.read(`/srv/${each}`))).toEqual([undefined, '1', '2'])
    expect(outline(await desk.plan(shifted))).toEqual([])
  })
  test('by two Scores at once is a conflict', async () => {
    await desk.apply([a(), b()])
    const plan = await desk.plan([
      b(),
      ...['y', 'z'].map((each) => Note({ path: `/srv/${each}`, content: each, formerly: ['/srv/a'] })),
    ])
    expect(plan.conflicts).toMatchObject([
      { address: 'Note:/srv/z', message: 'says that it was Note:/srv/a, and so does Note:/srv/y' },
    ])
  })
  test('of something adopted puts it back once, and the new place is ours alone', async () => {
    desk.place.disk.write('/srv/a', 'theirs')
    await desk.apply([a('ours', { adopt: true }), b(), c])
    await desk.apply([Note({ path: '/srv/z', content: 'z', formerly: ['/srv/a'] }), b(), c])
    expect(desk.place.disk.read('/srv/a')).toBe('theirs')
    desk.place.disk.write('/srv/a', 'theirs, later')
    await desk.apply([], { destroy: true })
    expect(desk.place.disk.read('/srv/a')).toBe('theirs, later')
    expect(desk.place.disk.exists('/srv/z')).toBe(false)
  })
})

describe('what is kept in the ledger holds for a move as well', () => {
  const moved = [Note({ path: '/srv/z', content: 'a', formerly: ['/srv/a'] }), b(), c]
  test('protect forbids it', async () => {
    await desk.apply([a('a', { protect: true }), b(), c])
    expect((await desk.plan(moved)).conflicts).toMatchObject([
      { type: 'protected', message: expect.stringContaining('Note:/srv/a') },
    ])
  })
  test('retain leaves the old one in place', async () => {
    await desk.apply([a('a', { retain: true }), b(), c])
    await desk.apply(moved)
    expect(desk.place.disk.read('/srv/a')).toBe('a')
    expect(await desk.ledger()).toEqual(['Note:/srv/b', 'Note:/srv/c', 'Note:/srv/z'])
  })
})

describe('two projects on one host', () => {
  test('do not delete each other’s things, even when they share a name', async () => {
    const other = new Desk(desk.place, 'site', 'lineage-2')
    await desk.apply([a()])
    await other.apply([b()])
    expect(await desk.ledger()).toEqual(['Note:/srv/a', 'Note:/srv/b'])
    await other.apply([], { destroy: true })
    expect(desk.place.disk.read('/srv/a')).toBe('a')
  })
  test('cannot claim the same thing: refused before anything runs', async () => {
    const other = new Desk(desk.place, 'shop', 'lineage-2')
    await desk.apply([a()])
    const plan = await other.plan([a()])
    expect(plan.conflicts).toMatchObject([
      { type: 'claimed', message: 'claims /srv/a, which the project site manages as Note:/srv/a' },
    ])
  })
  test('a missing harmony.lock is named as the likely reason', async () => {
    await desk.apply([a()])
    const plan = await new Desk(desk.place, 'site', 'lineage-2').plan([a()])
    expect(plan.conflicts[0]?.hint).toContain('lineage-1')
  })
})

describe('purge', () => {
  const pure = Folder({ path: '/srv/x.pure' })
  const kept = Note({ path: '/srv/x.pure/kept', content: 'k' })
  beforeEach(async () => {
    await desk.apply([pure, kept])
    desk.place.disk.write('/srv/x.pure/foreign', 'f')
    desk.place.disk.write('/srv/x.pure/sub/foreign', 'f')
  })
  test('lists what nobody claims and deletes exactly that', async () => {
    const plan = await desk.plan([pure, kept])
    expect(outline(plan)).toEqual(['purge Folder:/srv/x.pure#surplus'])
    expect(plan.steps.at(-1)?.surplus.map(({ claim }) => claim.type === 'path' && claim.path)).toEqual([
      '/srv/x.pure/foreign',
      '/srv/x.pure/sub',
      '/srv/x.pure/sub/foreign',
    ])
    await desk.apply([pure, kept])
    expect(desk.place.disk.paths('/srv/x.pure')).toEqual(
      ['/srv/x.pure', '/srv/x.pure/kept'].filter((path) =>
        desk.place.disk.paths('/srv/x.pure').includes(path),
      ),
    )
    expect(outline(await desk.plan([pure, kept]))).toEqual([])
  })
  test('leaves alone what came or changed after the plan was made', async () => {
    const maestro = await desk.open([pure, kept])
    await maestro.lock({ waitMs: 0 })
    const plan = await maestro.plan()
    desk.place.disk.write('/srv/x.pure/late', 'l')
    desk.place.disk.remove('/srv/x.pure/foreign')
    desk.place.disk.write('/srv/x.pure/foreign', 'another one')
    await maestro.apply(plan)
    await maestro.close()
    expect(desk.place.disk.exists('/srv/x.pure/late')).toBe(true)
    expect(desk.place.disk.read('/srv/x.pure/foreign')).toBe('another one')
    expect(desk.place.disk.exists('/srv/x.pure/sub')).toBe(false)
  })
  test('spares what another project claims, and what is below another claimed folder', async () => {
    const other = new Desk(desk.place, 'shop', 'lineage-2')
    await other.apply([Note({ path: '/srv/x.pure/theirs', content: 't' })])
    const uploads = Folder({ path: '/srv/x.pure/uploads' })
    desk.place.disk.write('/srv/x.pure/uploads/photo', 'p')
    await desk.apply([pure, kept, uploads])
    expect(desk.place.disk.read('/srv/x.pure/theirs')).toBe('t')
    expect(desk.place.disk.read('/srv/x.pure/uploads/photo')).toBe('p')
    expect(desk.place.disk.exists('/srv/x.pure/foreign')).toBe(false)
  })
  test('of a folder that was there before is a conflict, until its content may go', async () => {
    desk.place.disk.write('/home/photos.pure/cat.jpg', 'c')
    const album = Folder({ path: '/home/photos.pure' })
    expect((await desk.plan([pure, kept, album])).conflicts).toMatchObject([
      {
        type: 'exists',
        address: 'Folder:/home/photos.pure',
        message: expect.stringContaining('one thing in it would be deleted'),
      },
    ])
    expect(
      (await desk.plan([pure, kept, Folder({ path: '/home/photos.pure', adopt: true })])).conflicts,
    ).toEqual([])
  })
  test('that cannot be listed is told for that folder', async () => {
    desk.place.faults.fail(({ method }) => method === 'list', 'EACCES')
    expect((await desk.plan([pure, kept])).failures).toMatchObject([
      { address: 'Folder:/srv/x.pure', code: 'system' },
    ])
  })
  test('shows as drift', async () => {
    expect((await desk.drift()).entries).toMatchObject([{ address: 'Folder:/srv/x.pure', status: 'changed' }])
  })
})
