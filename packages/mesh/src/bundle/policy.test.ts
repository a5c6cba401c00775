import { type Claim, claim } from '@harmony-iac/core'
import { describe, expect, test } from 'vitest'
import { bundleOf } from '../../test/bundles.ts'
import { Job, Thing } from '../../test/kinds.ts'
import { defaultPolicy, policySchema, violationsOf } from './policy.ts'
import { readScore, type ScoreReading } from './scores.ts'

const { scores } = await bundleOf([Thing({ path: '/srv/a' }), Job({ name: 'x' })])
const [thing, job] = scores.map((wire) => readScore(wire))
if (thing?.is !== 'known' || job?.is !== 'known') throw new Error('unreachable')

/** A Score that owns and stands on this. */
const reading = (claims: readonly Claim[], uses: readonly Claim[] = []): ScoreReading => ({
  ...thing,
  claims,
  uses,
})

describe('with the root /srv/app', () => {
  const within = (claims: readonly Claim[], uses: readonly Claim[] = []) =>
    violationsOf([reading(claims, uses)], { ...defaultPolicy, roots: ['/srv/app'] }).map((each) =>
      each.violation === 'path-outside-roots' ? each.path : each.violation,
    )
  test.each<readonly [string, readonly Claim[], readonly Claim[], readonly string[]]>([
    ['what is in it may be owned', [claim.path('/srv/app/x')], [], []],
    ['it may be owned itself', [claim.tree('/srv/app')], [], []],
    ['a part of a file in it too', [claim.part('/srv/app/x', 'a')], [], []],
    ['what is called alike may not', [claim.path('/srv/application')], [], ['/srv/application']],
    ['what is above it may not', [claim.path('/srv')], [], ['/srv']],
    ['everything may not', [claim.tree('/')], [], ['/']],
    ['a part of a file elsewhere may not', [claim.part('/etc/hosts', 'a')], [], ['/etc/hosts']],
    ['a way out of it may not', [claim.path('/srv/app/../../etc/shadow')], [], ['/srv/app/../../etc/shadow']],
    ['another spelling may not', [claim.path('/srv/app//x')], [], ['/srv/app//x']],
    ['a relative path may not', [claim.path('srv/app/x')], [], ['srv/app/x']],
    ['a NUL may not', [claim.path('/srv/app/x\0')], [], ['/srv/app/x\0']],
    ['the folders above it may be looked at', [], [claim.path('/srv'), claim.path('/')], []],
    ['others may not be read', [], [claim.path('/etc/shadow')], ['/etc/shadow']],
    ['names are no paths', [claim.name('unit', 'x')], [claim.name('user', 'root')], []],
  ])('%s', (_, claims, uses, outside) => {
    expect(within(claims, uses)).toEqual(outside)
  })
})

test('by default everything is allowed but to run programs', () => {
  expect(violationsOf([thing, job], defaultPolicy)).toEqual([
    { violation: 'shell-off', address: 'Job:x', kind: 'Job' },
  ])
  expect(violationsOf([thing, job], { ...defaultPolicy, shell: true })).toEqual([])
})

test('a Score that says it needs a shell is taken at its word', () => {
  const wire = { ...thing.wire, kind: 'Unknown', needs: ['shell'] }
  expect(violationsOf([{ is: 'unknown', wire, why: 'kind' }], defaultPolicy)).toHaveLength(1)
})

test('all that is not permitted is told at once', () => {
  const policy = { ...defaultPolicy, kinds: [], roots: ['/opt'] }
  expect(violationsOf([thing, job], policy).map(({ violation }) => violation)).toEqual([
    'kind-not-allowed',
    'path-outside-roots',
    'path-outside-roots',
    'kind-not-allowed',
    'shell-off',
  ])
})

describe('in a configuration', () => {
  test('what is left out is as by default', () => {
    expect(policySchema().parse({})).toEqual(defaultPolicy)
  })
  test.each([
    ['a root that is relative', { roots: ['srv'] }],
    ['a root with a slash at its end', { roots: ['/srv/'] }],
    ['a root that leads elsewhere', { roots: ['/srv/../etc'] }],
    ['no roots', { roots: [] }],
    ['a misspelt setting', { kind: ['File'] }],
  ])('%s is refused', (_, policy) => {
    expect(policySchema().safeParse(policy).success).toBe(false)
  })
})
