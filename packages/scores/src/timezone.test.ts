import { conduct, SimulatedTopology, scoreConformance } from '@harmony-iac/core/testing'
import { describe, expect, test } from 'vitest'
import { Timezone } from './index.ts'

const debian = () =>
  new SimulatedTopology({
    files: { '/etc/localtime': { target: '/usr/share/zoneinfo/Etc/UTC' }, '/etc/timezone': 'Etc/UTC\n' },
  })

describe('the contract', () => {
  const checks = scoreConformance({
    factory: Timezone,
    topology: debian,
    cases: [
      {
        name: 'of a Debian',
        scores: () => [Timezone({ zone: 'Europe/Berlin' })],
        updated: () => [Timezone({ zone: 'America/Argentina/Ushuaia' })],
        tampers: {
          '': ({ disk }) => disk.remove('/etc/localtime'),
          zone: ({ disk }) => disk.write('/etc/timezone', 'Asia/Tokyo\n'),
        },
      },
      {
        name: 'of a host with a copy of its zone',
        prepare: ({ disk }) => {
          disk.remove('/etc/timezone')
          disk.remove('/etc/localtime')
          disk.write('/etc/localtime', 'TZif2')
        },
        scores: () => [Timezone({ zone: 'Europe/Berlin' })],
      },
      {
        name: 'of a host without any',
        prepare: ({ disk }) => {
          disk.remove('/etc/timezone')
          disk.remove('/etc/localtime')
        },
        scores: () => [Timezone({ zone: 'UTC' })],
        updated: () => [Timezone({ zone: 'Europe/Paris' })],
      },
    ],
  })
  for (const check of checks) test(check.name, check.run)
})

test.each([
  ['Europe/', 'must be the name of a zone'],
  ['../etc/passwd', 'must be the name of a zone'],
  ['Europe/../UTC', 'must be the name of a zone'],
  ['/Europe/Berlin', 'must be the name of a zone'],
  ['posix/Europe/Berlin', 'is written without posix/'],
])('%j is refused', (zone, issue) => {
  expect(Timezone({ zone })['~score'].issues[0]?.message).toContain(issue)
})

test('a zone that does not exist is refused when planning, with those that may have been meant', async () => {
  const { failures } = await conduct(debian(), [Timezone({ zone: 'Europe/Belrin' })]).plan()
  expect(failures).toMatchObject([
    {
      address: 'Timezone:host',
      code: 'refused',
      message: 'there is no time zone Europe/Belrin on this host',
      hint: expect.stringContaining('did you mean Europe/Berlin'),
    },
  ])
})
