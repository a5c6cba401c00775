import { expect, test } from 'vitest'
import { SimulatedTopology } from './simulated.ts'

function host() {
  const here = new SimulatedTopology()
  here.packages.offer('app', {
    versions: ['2.0', '1.0'],
    depends: ['lib'],
    files: { '/srv/app': 'program' },
    configuration: { '/etc/app.conf': 'delivered' },
    users: ['app'],
  })
  return here
}

test('installs what the archives offer, with its files, its users and what comes along', async () => {
  const { packages, disk } = host()
  await packages.install('app')
  expect(packages.snapshot()).toEqual({
    'package app': 'installed 2.0',
    'package lib': 'installed 1.0 automatic',
  })
  expect([disk.read('/srv/app'), disk.read('/etc/app.conf'), disk.users.has('app')]).toEqual([
    'program',
    'delivered',
    true,
  ])
})

test.each([
  ['keep', 'edited'],
  ['replace', 'delivered'],
] as const)('can %s an edited configuration', async (configuration, text) => {
  const { packages, disk } = host()
  await packages.install('app', { version: '1.0' })
  disk.write('/etc/app.conf', 'edited')
  await packages.install('app', { version: '2.0', configuration })
  expect(disk.read('/etc/app.conf')).toBe(text)
})

test('removes files, and configuration only if told to', async () => {
  const { packages, disk } = host()
  await packages.install('app')
  await packages.remove('app')
  expect(await packages.look('app')).toMatchObject({ status: 'configuration', version: undefined })
  expect([disk.exists('/srv/app'), disk.exists('/etc/app.conf')]).toEqual([false, true])
  await packages.remove('app', { purge: true })
  expect(await packages.look('app')).toMatchObject({ status: 'absent' })
  expect(disk.exists('/etc/app.conf')).toBe(false)
})

test('takes nothing away that others need, or that was there before', async () => {
  const { packages } = host()
  packages.set('lib')
  packages.set('app')
  await expect(packages.remove('lib')).rejects.toMatchObject({
    code: 'refused',
    message: 'removing lib would also remove app, which nobody has asked for',
  })
  expect(await packages.withdraw('app')).toBe(false)
})

test('has any package that nobody said anything about', async () => {
  const { packages } = host()
  await packages.install('whatever', { version: '7' })
  expect(packages.snapshot()).toEqual({ 'package whatever': 'installed 7' })
})
