import { asset, bytes } from '@harmony-iac/core'
import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { StaticSite, type StaticSiteSpec } from './index.ts'

const root = '/srv/site'

describe('the contract', () => {
  const checks = scoreConformance({
    factory: StaticSite,
    topology: () => new SimulatedTopology(),
    cases: [
      {
        name: 'pages in folders',
        scores: () => [
          StaticSite({
            root,
            pages: { 'index.html': '<h1>Hello</h1>\n', 'blog/2026/first.html': asset('./first.html') },
            mode: '0644',
            owner: 'www-data',
            group: 'www-data',
          }),
        ],
        updated: () => [
          StaticSite({
            root,
            pages: {
              'index.html': '<h1>Hello again</h1>\n',
              'blog/second.html': 'second\n',
              'logo.png': bytes(new Uint8Array([137, 80])),
            },
            mode: '0640',
          }),
        ],
        occupied: ({ disk }) => disk.write(`${root}/index.html`, 'theirs'),
        tampers: {
          '': ({ disk }) => disk.remove(root),
          root: ({ disk }) => {
            disk.remove(root)
            disk.write(root, 'a file')
          },
          pages: ({ disk }) => disk.write(`${root}/blog/2026/first.html`, 'defaced'),
          mode: ({ disk }) => disk.chmod(`${root}/index.html`, '0666'),
          owner: ({ disk }) => disk.chown(`${root}/blog`, 'nobody'),
          group: ({ disk }) => disk.chown(root, 'www-data', 'root'),
          purge: ({ disk }) => disk.write(`${root}/blog/stray.php`, 'stray'),
        },
        assets: { './first.html': 'first\n' },
      },
    ],
  })
  for (const check of checks) test(check.name, check.run)
})

test.each<[spec: Partial<StaticSiteSpec>, issue: RegExp]>([
  [{ root: 'site' }, /^root: is relative/],
  [{ pages: { '/index.html': '' } }, /^pages/],
  [{ pages: { '../index.html': '' } }, /^pages/],
  [{ pages: { 'a//b': '' } }, /^pages/],
  [{ pages: { a: '', 'a/b': '' } }, /^pages\.a: is a page, and the folder of other pages$/],
  [{ pages: { a: 5 as unknown as string } }, /^pages\.a/],
])('%j is refused', (spec, issue) => {
  const { issues } = StaticSite({ root, pages: {}, ...spec })['~score']
  expect(issues.map((each) => `${each.path.join('.')}: ${each.message}`)).toEqual([
    expect.stringMatching(issue),
  ])
})

test.each([
  ['0644', '0755'],
  ['0640', '0750'],
  ['0600', '0700'],
  ['0440', '0550'],
  [undefined, undefined],
])('with pages of mode %s the folders have %s', (mode, folders) => {
  const { children } = StaticSite({ root, pages: { 'a/b.html': '' }, mode })['~score']
  expect(children?.map((child) => [child.id, (child.spec as { mode?: string }).mode])).toEqual([
    [`Directory:${root}`, folders],
    [`Directory:${root}/a`, folders],
    [`File:${root}/a/b.html`, mode],
  ])
})

test('without purge the rest of the folder stays', async () => {
  const here = new SimulatedTopology({ files: { [`${root}/theirs`]: 'theirs' } })
  await conduct(here, [StaticSite({ root, pages: { 'index.html': 'ours' }, purge: false })]).apply()
  expect(here.disk.paths(root)).toEqual([`${root}/index.html`, `${root}/theirs`])
})

test('a page that left goes, and so does its folder', async () => {
  const here = new SimulatedTopology()
  await conduct(here, [StaticSite({ root, pages: { 'a.html': '', 'b/c.html': '' } })]).apply()
  await conduct(here, [StaticSite({ root, pages: { 'a.html': '' } })]).apply()
  expect(here.disk.paths(root)).toEqual([`${root}/a.html`])
})
