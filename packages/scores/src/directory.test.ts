import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Directory, type DirectorySpec, File } from './index.ts'

const path = '/srv/app'

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Directory,
    topology: () => new SimulatedTopology(),
    cases: [
      {
        name: 'attributes',
        scores: () => [Directory({ path, mode: '0750', owner: 'www-data', group: 33 })],
        updated: () => [Directory({ path, mode: '0700', owner: 0, group: 'root' })],
        occupied: ({ disk }) => disk.makeDirectory(path, { mode: '0711', owner: 'nobody' }),
        tampers: {
          '': ({ disk }) => disk.remove(path),
          path: ({ disk }) => disk.link(path, '/tmp'),
          mode: ({ disk }) => disk.chmod(path, '0777'),
          owner: ({ disk }) => disk.chown(path, 'nobody'),
          group: ({ disk }) => disk.chown(path, 'www-data', 'root'),
        },
      },
      {
        name: 'in place of a file',
        scores: () => [Directory({ path }), File({ path: `${path}/inside`, content: 'ours' })],
        occupied: ({ disk }) => disk.write(path, 'a file', { mode: '0600' }),
      },
      {
        name: 'purge with exclusions',
        scores: () => [
          Directory({ path, purge: true, exclude: ['cache', '**/*.log'] }),
          Directory({ path: `${path}/conf` }),
          File({ path: `${path}/conf/app.conf`, content: 'ours' }),
        ],
        updated: () => [
          Directory({ path, purge: true, exclude: ['cache'], mode: '0700' }),
          Directory({ path: `${path}/conf` }),
          File({ path: `${path}/conf/app.conf`, content: 'ours' }),
        ],
        tampers: {
          purge: ({ disk }) => {
            disk.write(`${path}/stray`, 'stray')
            disk.write(`${path}/deep/er/stray`, 'stray')
            disk.link(`${path}/link`, '/etc')
          },
        },
      },
    ],
    exempt: { exclude: 'protects what would be purged: nothing can be out of order with it' },
  })
  for (const check of checks) test(check.name, check.run)
})

describe('what is refused', () => {
  test.each<[spec: Partial<DirectorySpec>, issue: string]>([
    [{ path: 'srv' }, 'path: is relative; write an absolute path such as /etc/srv'],
    [{ path: '/' }, 'path: is the root of the file system, which belongs to the host'],
    [{ exclude: ['a'] }, 'exclude: has no effect without purge: true'],
    [{ purge: true, exclude: ['/a'] }, 'exclude.0: must be relative to the directory'],
    [{ purge: true, exclude: ['!a'] }, 'exclude.0: must not start with !; list what is to be left alone'],
    [{ purge: true, exclude: ['a/../b'] }, 'exclude.0: must not contain a . or .. segment'],
  ])('%j', (spec, issue) => {
    const { issues } = Directory({ path, ...spec })['~score']
    expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
  })

  test('a folder that nobody made is not made in passing', async () => {
    const here = new SimulatedTopology()
    const { results } = await conduct(here, [Directory({ path: '/srv/a/b' })]).apply()
    expect(results[0]?.error).toMatchObject({
      code: 'system',
      hint: 'declare a Directory for the folder, or create it',
    })
  })
})

describe('purge', () => {
  const files = {
    '/srv/app/app.log': '',
    '/srv/app/.hidden': '',
    '/srv/app/cache/a/b': '',
    '/srv/app/old/data/x': '',
    '/srv/app/old/y.log': '',
    '/srv/app/stray': '',
  }

  test.each<[exclude: readonly string[], left: readonly string[]]>([
    [[], []],
    [['cache'], ['cache', 'cache/a', 'cache/a/b']],
    [['cache/**'], ['cache', 'cache/a', 'cache/a/b']],
    [['*.log'], ['app.log']],
    [['**/*.log'], ['app.log', 'old', 'old/y.log']],
    [
      ['*'],
      [
        '.hidden',
        'app.log',
        'cache',
        'cache/a',
        'cache/a/b',
        'old',
        'old/data',
        'old/data/x',
        'old/y.log',
        'stray',
      ],
    ],
    [
      ['old/data/x', '{stray,.h*}'],
      ['.hidden', 'old', 'old/data', 'old/data/x', 'stray'],
    ],
    [['cache/a/b/c', 'st'], []],
  ])('excluding %j', async (exclude, left) => {
    const here = new SimulatedTopology({ files })
    await conduct(here, [Directory({ path, purge: true, exclude, adopt: true })]).apply()
    expect(here.disk.paths(path)).toEqual(left.map((each) => `${path}/${each}`))
  })

  test('a plan lists what goes, and exactly that goes', async () => {
    const here = new SimulatedTopology({ files: { '/srv/app/a': 'a', '/srv/app/b': 'b' } })
    const remove = here.files.remove.bind(here.files)
    here.files.remove = async (...given) => {
      // Somebody writes to one of them, and makes another, after the plan was shown.
      if (!here.disk.exists('/srv/app/new')) {
        here.disk.write('/srv/app/b', 'precious')
        here.disk.write('/srv/app/new', 'new')
      }
      return await remove(...given)
    }
    const { plan, events } = await conduct(here, [Directory({ path, purge: true, adopt: true })]).apply()
    expect(plan.steps.find((step) => step.action === 'purge')?.surplus.map((each) => each.claim)).toEqual([
      { type: 'path', path: '/srv/app/a' },
      { type: 'path', path: '/srv/app/b' },
    ])
    expect(here.disk.paths(path)).toEqual(['/srv/app/b', '/srv/app/new'])
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'left /srv/app/b in place: it has changed since it was listed' }),
    )
  })

  test('a name that is no UTF-8 was called purged, and was still there', async () => {
    const here = new SimulatedTopology({ files: { '/srv/app/a': 'a' } })
    const list = here.files.list.bind(here.files)
    here.files.list = async (at) => [
      ...(await list(at)),
      { path: '/srv/app/caf\uFFFD', type: 'other', fingerprint: '' },
    ]
    const { results, events } = await conduct(here, [Directory({ path, purge: true, adopt: true })]).apply()
    expect(results.find(({ address }) => address.endsWith('#surplus'))).toMatchObject({
      outcome: 'failure',
      error: { code: 'refused', message: expect.stringContaining('/srv/app/caf\uFFFD') },
    })
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'left /srv/app/caf\uFFFD in place: its name is no UTF-8' }),
    )
    expect(here.disk.paths(path)).toEqual([])
    const spared = await conduct(here, [
      Directory({ path, purge: true, exclude: ['caf?'], adopt: true }),
    ]).apply()
    expect(spared.outcomes).toMatchObject({ failure: 0 })
  })

  test('a mount point and the folders that it is in were purged', async () => {
    const here = new SimulatedTopology({
      files: { '/srv/app/a/stray': '', '/srv/app/a/mnt': { directory: true } },
    })
    const list = here.files.list.bind(here.files)
    here.files.list = async (at) =>
      (await list(at)).map((each) => (each.path === '/srv/app/a/mnt' ? { ...each, mount: true } : each))
    await conduct(here, [Directory({ path, purge: true, adopt: true })]).apply()
    expect(here.disk.paths(path)).toEqual(['/srv/app/a', '/srv/app/a/mnt'])
  })

  test('a directory that is swapped for a link while it is purged had what is behind it deleted', async () => {
    const here = new SimulatedTopology({ files: { '/srv/app/a': 'a' } })
    const remove = here.files.remove.bind(here.files)
    here.files.remove = async (...given) => {
      here.disk.move('/srv/app', '/tmp/elsewhere')
      here.disk.link('/srv/app', '/tmp/elsewhere')
      return await remove(...given)
    }
    const { events } = await conduct(here, [Directory({ path, purge: true, adopt: true })]).apply()
    expect(here.disk.paths('/tmp/elsewhere')).toEqual(['/tmp/elsewhere/a'])
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'left /srv/app/a in place: it has changed since it was listed' }),
    )
  })

  test('a link below is removed, not followed', async () => {
    const here = new SimulatedTopology({
      files: { '/srv/app/link': { target: '/opt/theirs' }, '/opt/theirs/x': 'x' },
    })
    await conduct(here, [Directory({ path, purge: true, adopt: true })]).apply()
    expect(here.disk.paths(path)).toEqual([])
    expect(here.disk.read('/opt/theirs/x')).toBe('x')
  })

  test('a declared folder inside decides for itself', async () => {
    const here = new SimulatedTopology({ files: { '/srv/app/conf/stray': '', '/srv/app/cache/stray': '' } })
    await conduct(here, [
      Directory({ path, purge: true, adopt: true }),
      Directory({ path: `${path}/conf` }),
      Directory({ path: `${path}/cache`, purge: true, adopt: true }),
    ]).apply()
    expect(here.disk.paths(path)).toEqual(['/srv/app/cache', '/srv/app/conf', '/srv/app/conf/stray'])
  })

  test('what another project declares stays', async () => {
    const here = new SimulatedTopology({ files: { '/srv/app/stray': '' } })
    await conduct(here, [File({ path: '/srv/app/theirs', content: '' })], { project: 'other' }).apply()
    await conduct(here, [Directory({ path, purge: true, adopt: true })]).apply()
    expect(here.disk.paths(path)).toEqual(['/srv/app/theirs'])
  })
})

describe('removal', () => {
  test('a folder above that was swapped for a link had the directory behind the link removed', async () => {
    const here = new SimulatedTopology({ files: { '/tmp/victim/app': { directory: true }, '/srv/keep': '' } })
    const project = conduct(here, [Directory({ path })])
    await project.apply()
    here.disk.move('/srv', '/old')
    here.disk.link('/srv', '/tmp/victim')
    expect((await project.destroy()).results[0]?.error).toMatchObject({ code: 'refused' })
    expect(here.disk.exists('/tmp/victim/app')).toBe(true)
  })

  test('a directory that holds something stays, and it is said', async () => {
    const here = new SimulatedTopology()
    const project = conduct(here, [Directory({ path })])
    await project.apply()
    here.disk.write('/srv/app/theirs', 'theirs')
    const { events, outcomes } = await project.destroy()
    expect(outcomes).toMatchObject({ success: 1, failure: 0 })
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'left /srv/app in place: it is not empty' }),
    )
    expect(here.disk.read('/srv/app/theirs')).toBe('theirs')
  })

  test('a file that has taken its place stays', async () => {
    const here = new SimulatedTopology()
    const project = conduct(here, [Directory({ path })])
    await project.apply()
    here.disk.remove(path)
    here.disk.write(path, 'theirs')
    await project.destroy()
    expect(here.disk.read(path)).toBe('theirs')
  })

  test('the status says what stands there', async () => {
    const here = new SimulatedTopology()
    const entry = await here.files.inspect('/srv')
    expect(Directory.status({ path: '/srv', entry })).toEqual({
      type: 'directory',
      mode: '0755',
      owner: 'root',
      group: 'root',
    })
    expect(Directory.status({ path, entry: await here.files.inspect(path) })).toEqual({ type: 'absent' })
  })
})
