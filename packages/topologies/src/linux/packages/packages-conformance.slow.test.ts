/**
 * The contract of `Package` on a real Debian: the same as in memory, killed at every call of the machine. Kills are played
 * on one case: every one is several transactions.
 */
import { conduct, scoreConformance } from '@harmony-iac/core/testing'
import { Package } from '@harmony-iac/scores'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../../../../scripts/testing/require-part.ts'
import { affordable } from '../../../test/affordable.ts'
import {
  type DebianPackages,
  debianPackages,
  type PackagesStage,
  packagesStage,
} from '../../../test/debian-packages.ts'
import { debian } from '../../../test/debian-root.ts'

describeWith(debian, 'the contract of Package on a Debian', () => {
  let there: DebianPackages
  beforeAll(async () => {
    const app = (version: string) => ({
      name: 'kit-app',
      version,
      control: ['Depends: kit-lib'],
      files: { '/opt/kit-app/version': version },
      conffiles: { '/etc/kit/app.conf': `delivered with ${version}\n` },
    })
    const many = Array.from({ length: 30 }, (_, i) => ({ name: `kit-many-${i}`, version: '1.0' }))
    there = await debianPackages(app('1.0'), app('2.0'), { name: 'kit-lib', version: '1.0' }, ...many)
  }, 300_000)
  afterAll(() => there?.dispose())
  const run =
    (...argv: readonly [string, ...string[]]) =>
    () =>
      void there.run(...argv)
  const install = (...words: readonly string[]) =>
    run('apt-get', '-y', '-qq', '--allow-downgrades', 'install', ...words)

  const checks = scoreConformance<PackagesStage>({
    factory: Package,
    topology: () => packagesStage(there),
    cases: [
      {
        name: 'in a version, held',
        scores: () => [Package({ name: 'kit-app', version: '1.0', hold: true, purge: true })],
        updated: () => [Package({ name: 'kit-app', version: '2.0', hold: false, purge: true })],
        tampers: {
          '': run('apt-get', '-y', '-qq', '--allow-change-held-packages', 'purge', 'kit-app'),
          version: install('--allow-change-held-packages', 'kit-app=2.0'),
          hold: run('apt-mark', 'unhold', 'kit-app'),
          ensure: run('apt-mark', 'auto', 'kit-app'),
        },
      },
      {
        name: 'in another version than the one that was there',
        prepare: () => {
          install('kit-app=2.0')()
          run('apt-mark', 'auto', 'kit-app')()
        },
        scores: () => [Package({ name: 'kit-app', version: '1.0', hold: true })],
      },
      {
        name: 'unwanted',
        prepare: install('kit-lib'),
        scores: () => [Package({ name: 'kit-lib', ensure: 'absent' })],
        tampers: { ensure: install('kit-lib') },
      },
    ],
  })
  test('thirty Scores are one question when nothing is to be done, and one transaction when they come and go', async () => {
    const stage = packagesStage(there)
    const scores = Array.from({ length: 30 }, (_, i) => Package({ name: `kit-many-${i}`, purge: true }))
    const transactions = () =>
      stage.ran.filter((argv) => argv.includes('install') && !argv.includes('--simulate')).length
    const before = await stage.snapshot()
    expect((await conduct(stage, scores).apply()).outcomes).toMatchObject({ success: 30 })
    expect(transactions()).toBe(1)
    const asked = stage.ran.length
    expect((await conduct(stage, scores).apply()).changed).toBe(0)
    expect(stage.ran.slice(asked).map(([program]) => program)).toEqual(['dpkg-query'])
    await conduct(stage, scores).apply({ destroy: true })
    expect(transactions()).toBe(2)
    expect(await stage.snapshot()).toEqual(before)
  }, 300_000)

  test('a hundred Scores are one question', async () => {
    const stage = packagesStage(there)
    const scores = Array.from({ length: 100 }, (_, i) => Package({ name: `kit-none-${i}`, ensure: 'absent' }))
    await conduct(stage, scores).apply()
    const asked = stage.ran.length
    expect((await conduct(stage, scores).apply()).changed).toBe(0)
    expect(stage.ran.slice(asked).map(([program]) => program)).toEqual(['dpkg-query'])
  }, 60_000)

  for (const check of affordable(checks, {
    kills: /held: (?:apply|destroy)/,
    without: /every field is tampered/,
  }))
    test(check.name, check.run, 900_000)
})
