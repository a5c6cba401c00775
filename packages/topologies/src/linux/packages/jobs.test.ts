import type { PackageState } from '@harmony-iac/core/capabilities'
import { expect, test } from 'vitest'
import { groupsOf, isDone, type Job, progressOf, sharedOptions, together, wordsOf } from './jobs.ts'

const install = (name: string, more: object = {}): Job => ({ type: 'install', name, ...more })
const remove = (name: string, purge = false): Job => ({ type: 'remove', name, purge })
const state = (status: PackageState['status'], version?: string): PackageState => ({
  name: 'a',
  status,
  word: status,
  version,
  held: false,
  automatic: false,
})
const names = (groups: readonly (readonly Job[])[]) => groups.map((jobs) => jobs.map(({ name }) => name))

test('what is asked for together is one transaction, in whatever version, removals too', () => {
  const jobs = [
    install('a'),
    install('b', { version: '1' }),
    remove('c'),
    install('d', { configuration: 'keep' }),
  ]
  expect(names(groupsOf(jobs))).toEqual([['c', 'a', 'b', 'd']])
})

test('only what apt cannot do in one run is done in several', () => {
  const jobs = [install('a'), install('b', { configuration: 'replace' }), install('c', { recommends: false })]
  expect(names(groupsOf(jobs))).toEqual([['a'], ['b'], ['c']])
  expect(names(groupsOf([remove('a', true), install('b')]))).toEqual([['a', 'b']])
  expect(names(groupsOf([remove('a', true), install('b'), remove('c')]))).toEqual([['a'], ['c', 'b']])
})

test('older versions are allowed only where one is named', () => {
  expect(sharedOptions([install('a'), remove('b')])).not.toContain('--allow-downgrades')
  expect(sharedOptions([install('a', { version: '1' }), install('b')])).toContain('--allow-downgrades')
})

test.each([
  [install('a'), state('absent'), false, 'a'],
  [install('a'), state('installed', '1'), true, 'a'],
  [install('a', { version: '2' }), state('installed', '1'), false, 'a=2'],
  [install('a'), state('broken', '1'), false, 'a=1'],
  [remove('a'), state('configuration'), true, 'a-'],
  [remove('a', true), state('configuration'), false, 'a-'],
  [remove('a'), state('broken', '1'), false, 'a-'],
])('%j of %j: done %s, said as %s', (job, now, done, words) => {
  expect(isDone(job, now)).toBe(done)
  expect(wordsOf(job, now)).toBe(words)
})

test('a broken one whose version nobody has any more is completed in another', () => {
  expect(wordsOf(install('a'), state('broken', '1'), true)).toBe('a')
  expect(wordsOf(install('a', { version: '1' }), state('broken', '1'), true)).toBe('a=1')
})

test.each([
  ['Unpacking nginx (1.22.1-9) over (1.18.0-6) ...', { name: 'nginx', message: 'unpacking nginx 1.22.1-9' }],
  ['Setting up libc6:amd64 (2.36-9) ...', { name: 'libc6:amd64', message: 'setting up libc6:amd64 2.36-9' }],
  [
    'Get:3 http://deb.debian.org/debian bookworm/main amd64 nginx amd64 1.22.1-9 [527 kB]',
    { name: 'nginx', message: 'fetching nginx 1.22.1-9 (527 kB)' },
  ],
  ['Get:1 copy:/srv ./ kit-a 1.0 [20.7 kB]', { name: 'kit-a', message: 'fetching kit-a 1.0 (20.7 kB)' }],
  ['Reading package lists...', undefined],
])('progress: %s', (line, told) => {
  expect(progressOf(line)).toEqual(told)
})

test('many are aborted only when all of them are', () => {
  const [a, b] = [new AbortController(), new AbortController()]
  const { signal } = together([{ signal: a.signal }, { signal: b.signal }])
  a.abort()
  expect(signal?.aborted).toBe(false)
  b.abort()
  expect(signal?.aborted).toBe(true)
})
