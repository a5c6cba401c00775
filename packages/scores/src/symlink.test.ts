import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Directory, File, Symlink, type SymlinkSpec } from './index.ts'
import { resolveTarget } from './paths.ts'

const path = '/srv/current'

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Symlink,
    topology: () => new SimulatedTopology(),
    cases: [
      {
        name: 'a relative target that does not exist',
        scores: () => [Symlink({ path, target: 'releases/7', owner: 'www-data', group: 33 })],
        updated: () => [Symlink({ path, target: 'releases/8', owner: 0, group: 'root' })],
        occupied: ({ disk }) => disk.link(path, 'somewhere/else', { owner: 'nobody' }),
        tampers: {
          '': ({ disk }) => disk.remove(path),
          path: ({ disk }) => disk.makeDirectory(path),
          target: ({ disk }) => disk.link(path, 'releases/6', { owner: 'www-data', group: 'www-data' }),
          owner: ({ disk }) => disk.chown(path, 'nobody'),
          group: ({ disk }) => disk.chown(path, 'www-data', 'root'),
        },
      },
      {
        name: 'to a declared file, in place of a file',
        scores: () => [Symlink({ path, target: '/srv/real' }), File({ path: '/srv/real', content: 'ours' })],
        occupied: ({ disk }) => disk.write(path, 'theirs', { mode: '0600' }),
      },
      {
        name: 'in place of an empty directory',
        scores: () => [Symlink({ path, target: '/opt' })],
        occupied: ({ disk }) => disk.makeDirectory(path, { mode: '0711' }),
      },
    ],
  })
  for (const check of checks) test(check.name, check.run)
})

test.each<[spec: Partial<SymlinkSpec>, issue: string]>([
  [{ path: 'current' }, 'path: is relative; write an absolute path such as /etc/current'],
  [{ target: '' }, 'target: is empty'],
  [{ target: 'a\0b' }, 'target: contains a NUL character'],
  [{ target: 'x'.repeat(4096) }, 'target: is longer than 4095 bytes'],
])('%j is refused', (spec, issue) => {
  const { issues } = Symlink({ path, target: 'x', ...spec })['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([issue])
})

test.each([
  ['/srv/current', 'releases/7', '/srv/releases/7'],
  ['/srv/current', './releases//7/', '/srv/releases/7'],
  ['/srv/current', '../opt/x', '/opt/x'],
  ['/srv/current', '/opt/../etc/x', '/etc/x'],
  ['/srv/current', '../../../x', '/x'],
  ['/srv/current', '/', undefined],
  ['/srv/current', 'current', undefined],
])('%s → %s leads to %s', (link, target, resolved) => {
  expect(resolveTarget(link, target)).toBe(resolved)
})

test('a link comes after what it leads to, and after the folder that it is in', async () => {
  const { steps } = await conduct(new SimulatedTopology(), [
    Symlink({ path: '/srv/app/current', target: 'releases/7' }),
    Directory({ path: '/srv/app/releases' }),
    Directory({ path: '/srv/app/releases/7' }),
    Directory({ path: '/srv/app' }),
  ]).plan()
  expect(steps.at(-1)?.address).toBe('Symlink:/srv/app/current')
})

test('a directory that is not empty is refused', async () => {
  const here = new SimulatedTopology({ files: { [`${path}/kept`]: 'kept' } })
  const { results } = await conduct(here, [Symlink({ path, target: 'x' })]).apply({ adopt: true })
  expect(results[0]?.error).toMatchObject({
    code: 'refused',
    message: '/srv/current is a directory that is not empty, and a symbolic link is wanted there',
  })
})

test('something else that has taken the place of the link is left alone', async () => {
  const here = new SimulatedTopology()
  const project = conduct(here, [Symlink({ path, target: 'x' })])
  await project.apply()
  here.disk.remove(path)
  here.disk.write(path, 'theirs')
  const { events } = await project.destroy()
  expect(here.disk.read(path)).toBe('theirs')
  expect(events).toContainEqual(
    expect.objectContaining({ message: 'left /srv/current in place: it is not a symbolic link any more' }),
  )
})

test('outputs and status tell where it is and where it leads', async () => {
  const here = new SimulatedTopology()
  const link = Symlink({ path, target: 'releases/7' })
  await conduct(here, [link, File({ path: '/etc/note', content: link.out.path })]).apply()
  expect(here.disk.read('/etc/note')).toBe(path)
  expect(Symlink.status({ path, entry: await here.files.inspect(path) })).toEqual({
    type: 'symlink',
    target: 'releases/7',
  })
  expect(Symlink.status({ path, entry: await here.files.inspect('/gone') })).toEqual({ type: 'absent' })
})

test('a folder that was swapped for a link had the link behind it removed', async () => {
  const here = new SimulatedTopology({
    files: { '/tmp/victim/a': { target: 'precious' }, '/srv/app/keep': '' },
  })
  const project = conduct(here, [Symlink({ path: '/srv/app/a', target: 'x' })])
  await project.apply()
  here.disk.move('/srv/app', '/srv/old')
  here.disk.link('/srv/app', '/tmp/victim')
  expect((await project.destroy()).results[0]?.error).toMatchObject({ code: 'refused' })
  expect(here.disk.exists('/tmp/victim/a')).toBe(true)
})
