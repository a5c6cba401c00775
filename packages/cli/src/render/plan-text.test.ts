import type { Plan, Step } from '@harmony-iac/core'
import { expect, test } from 'vitest'
import { coloursOf } from './colours.ts'
import { countsText, planText } from './plan-text.ts'

const plain = coloursOf(false)

const step = (given: Partial<Step> & Pick<Step, 'address'>): Step => ({
  kind: 'File',
  action: 'update',
  differences: [],
  reasons: [],
  reactions: [],
  after: [],
  precondition: undefined,
  spec: '',
  parent: undefined,
  renamedFrom: undefined,
  adopts: false,
  records: false,
  forced: false,
  surplus: [],
  ...given,
})
const plan = (given: Partial<Plan>): Plan => ({
  harmony: 1,
  project: 'site',
  lineage: undefined,
  destroys: false,
  topology: 'here',
  home: '/var/lib/harmony',
  steps: [],
  conflicts: [],
  failures: [],
  notes: [],
  digest: '',
  ...given,
})
const unchanged = Array.from({ length: 5000 }, (_, i) => step({ address: `File:/${i}`, action: 'unchanged' }))

test('each step has its symbol, its reasons, differences and reactions', async () => {
  const text = await planText(
    plan({
      steps: [
        step({ address: 'File:/new', action: 'create' }),
        step({
          address: 'File:/a',
          reasons: ['it was asked for'],
          differences: [
            { path: 'mode', from: '0644', to: '0640', settling: false, replaces: false, masked: false },
          ],
          reactions: [{ name: 'restartOn', causes: ['File:/new'] }],
        }),
        step({ address: 'File:/anew', action: 'replace' }),
        step({
          address: 'Directory:/d',
          action: 'purge',
          surplus: [{ claim: { type: 'path', path: '/d/x' }, fingerprint: '' }],
        }),
        step({ address: 'File:/moved', action: 'unchanged', records: true, renamedFrom: 'File:/old' }),
        step({ address: 'File:/later', action: 'deferred' }),
        step({ address: 'File:/gone', action: 'remove' }),
        step({ address: 'File:/left', action: 'forget' }),
      ],
    }),
    plain,
    false,
  )
  expect(text).toBe(`  + File:/new
  ~ File:/a
      it was asked for
      mode: '0644' → '0640'
      restartOn, because of File:/new
  -/+ File:/anew is made anew
  - Directory:/d
      - /d/x
  = File:/moved
      formerly File:/old
  ? File:/later is decided once what it depends on is done
  - File:/gone is removed
  - File:/left stays, but is no longer looked after

`)
})

test('conflicts and what cannot be observed are told with what to do', async () => {
  const text = await planText(
    plan({
      conflicts: [
        {
          type: 'exists',
          address: 'File:/a',
          message: 'exists and is not ours',
          hint: 'adopt it',
          differences: [],
        },
      ],
      failures: [{ address: 'File:/b', code: 'system', message: 'permission denied', hint: 'be root' }],
      notes: ['a note'],
    }),
    plain,
    true,
  )
  expect(text).toBe(`here

  ! File:/a exists and is not ours
      hint: adopt it
  ! File:/b cannot be observed: permission denied
      hint: be root
  note: a note

`)
})

test('what stays as it is is counted, not listed', async () => {
  const plans = [plan({ steps: [...unchanged, step({ address: 'File:/a', action: 'create' })] })]
  expect(await planText(plans[0] ?? plan({}), plain, false)).toBe('  + File:/a\n\n')
  expect(countsText(plans)).toBe('Plan: 1 to create, 0 to update, 0 to remove, 5000 unchanged.')
  expect(await planText(plan({ steps: unchanged }), plain, false)).toBe('')
})

test('a plan of thousands of changes is cut', async () => {
  const steps = unchanged.map((each): Step => ({ ...each, action: 'create' }))
  const lines = (await planText(plan({ steps }), plain, false)).split('\n')
  expect(lines).toHaveLength(503)
  expect(lines[500]).toBe('  … and 4500 to create; --json lists them')
})

test('hostile names, messages and reasons are harmless', async () => {
  const evil = '\x1b[2J\u202e'
  const text = await planText(
    plan({
      topology: evil,
      steps: [
        step({
          address: evil,
          reasons: [evil],
          renamedFrom: evil,
          reactions: [{ name: evil, causes: [evil] }],
        }),
      ],
      conflicts: [{ type: 'exists', address: evil, message: evil, hint: evil, differences: [] }],
      failures: [{ address: evil, code: evil, message: evil, hint: evil }],
      notes: [evil],
    }),
    plain,
    true,
  )
  expect(text).not.toMatch(/(?!\n)\p{Cc}|\u202e/u)
})

test('what takes something away is never cut', async () => {
  const updates = Array.from({ length: 600 }, (_, i) => step({ address: `File:/u${i}`, action: 'update' }))
  const removals = Array.from({ length: 600 }, (_, i) => step({ address: `File:/r${i}`, action: 'remove' }))
  const text = await planText(plan({ steps: [...updates, ...removals] }), plain, false)
  expect(text).toContain('… and 100 to update')
  for (const { address } of removals) expect(text).toContain(`- ${address} is removed`)
})

test('a conflict does not repeat the differences of its step', async () => {
  const differences = [
    { path: 'mode', from: '0644', to: '0640', settling: false, replaces: false, masked: false },
  ]
  const conflict = {
    type: 'exists' as never,
    address: 'File:/a',
    message: 'exists and differs',
    hint: '--adopt',
    differences,
  }
  const conflicts = [conflict as never]
  const both = plan({ steps: [step({ address: 'File:/a', differences })], conflicts })
  expect((await planText(both, plain, false)).match(/0644/g)).toHaveLength(1)
  expect((await planText(plan({ conflicts }), plain, false)).match(/0644/g)).toHaveLength(1)
})

test('a step that only writes the ledger says so', async () => {
  const text = await planText(
    plan({ steps: [step({ address: 'File:/a', action: 'unchanged', records: true })] }),
    plain,
    false,
  )
  expect(text).toBe('  = File:/a is as wanted: only the ledger is brought up to date\n\n')
})
